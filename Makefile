# Two commands set everything up on a bare machine: `make demo` and `make test`.

PYTHON ?= python3
VENV ?= .venv
PORT ?= 8080
MINUTES ?= 20
BIN := $(VENV)/bin
TESTS ?= tests

.PHONY: help demo test check bench soak pictures lock clean

help: ## show this
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/'

$(VENV)/run.stamp: requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: add PYTHON=python3.12, say")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@touch $@

$(VENV)/dev.stamp: requirements-dev.txt $(VENV)/run.stamp
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@

demo: $(VENV)/run.stamp ## a store, its assistant and the console on this machine (PORT=8080)
	@PORT=$(PORT) $(BIN)/python -m bot demo

test: $(VENV)/dev.stamp ## the whole suite (TESTS=tests/unit for a part)
	$(BIN)/python -m pytest -n 2 --dist loadgroup $(TESTS)

check: $(VENV)/dev.stamp ## formatter, linter, types, import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/dev.stamp ## the benchmark table (BENCH_JSON=FILE, BENCH_QUICK=1)
	@$(BIN)/python -m benchmarks

soak: $(VENV)/dev.stamp ## a steady pace while replicas are killed (MINUTES=20)
	@$(BIN)/python -m benchmarks.soak $(MINUTES)

pictures: $(VENV)/dev.stamp ## draw the pictures of README and docs anew
	PYTHONPATH=. $(BIN)/python docs/pictures/make.py

lock: $(VENV)/dev.stamp ## compile the hashed locks anew
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
		--no-annotate pyproject.toml -o requirements.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
		--no-annotate --extra dev pyproject.toml -o requirements-dev.txt

clean: ## remove what was built
	rm -rf $(VENV) .demo .mypy_cache .ruff_cache .pytest_cache
