"""What may be written to the log, and what may not."""

import json
import logging

import pytest

from bot.logs import FIELDS, configure


@pytest.fixture(autouse=True)
def _as_before() -> object:
    root = logging.getLogger()
    before = (root.handlers[:], root.level)
    yield
    root.handlers[:], level = before
    root.setLevel(level)


def test_only_named_fields_are_written(capsys: pytest.CaptureFixture[str]) -> None:
    configure("json")
    logging.getLogger("baton").warning(
        "call failed", extra={"case": 1001, "text": "my card is 4111", "token": "xoxb"}
    )
    line = json.loads(capsys.readouterr().err)
    assert line["case"] == 1001
    assert set(line) == {"at", "level", "logger", "message", "case"}


def test_the_text_format_has_the_same_fields(capsys: pytest.CaptureFixture[str]) -> None:
    configure("text")
    logging.getLogger("baton").warning("call failed", extra={"case": 1001, "text": "my card is 4111"})
    shown = capsys.readouterr().err
    assert "case=1001" in shown
    assert "4111" not in shown


def test_no_field_is_named_for_a_text_or_a_secret() -> None:
    assert not {"text", "body", "content", "token", "secret", "email", "name", "authorization"} & set(FIELDS)


def test_libraries_that_log_what_they_send_are_kept_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    configure("text")
    for name in ("slack_sdk.web", "aiohttp.access", "sqlalchemy.engine"):
        logging.getLogger(name).info("POST my card is 4111")
    assert capsys.readouterr().err == ""
