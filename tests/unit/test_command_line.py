"""What the command line says where it cannot begin: one line that names the setting, the cause and the cure."""

import os
import socket
from pathlib import Path

import pytest

from bot.__main__ import main, missing
from bot.settings import load


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty folder, and an environment with what `run` needs and nothing else of Baton's."""
    for name in [one for one in os.environ if one.startswith(("BATON_", "SLACK_", "DISCORD_", "WEBHOOK_"))]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("bot.__main__.logs.configure", lambda _: None)  # its handlers would outlive the test
    for name, value in (("BATON_SECRET", "s" * 32), ("BATON_API_KEY", "k"), ("BATON_ADMIN_TOKEN", "t")):
        monkeypatch.setenv(name, value)
    return tmp_path


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


UNUSABLE = {
    "no folder": ("sqlite:///{folder}/none/baton.db", "there is no folder"),
    "no database": ("sqlite:///{folder}/text", "the database's file cannot be written or is damaged"),
    "nobody listens": ("postgresql+psycopg://u@127.0.0.1:{port}/x", "the database does not answer"),
    "no port": ("postgresql+psycopg://u@127.0.0.1:five/x", "write postgresql+psycopg://user"),
}


@pytest.mark.parametrize(
    "command", [["migrate"], ["failed"], ["failed", "--retry", "x"], ["run"], ["doctor"]]
)
@pytest.mark.parametrize("why", UNUSABLE)
def test_a_database_that_cannot_be_opened_is_said_in_one_line(
    why: str,
    command: list[str],
    alone: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (alone / "text").write_text("this is no database, whatever its name says" * 10)
    url, said = UNUSABLE[why]
    monkeypatch.setenv("BATON_DATABASE_URL", url.format(folder=alone, port=closed_port()))
    monkeypatch.setenv("BATON_PORT", str(closed_port()))
    assert main(command) == 1
    printed = capsys.readouterr()
    lines = [one for one in (printed.out + printed.err).splitlines() if "BATON_DATABASE_URL" in one]
    assert len(lines) == 1
    assert said in lines[0]


@pytest.mark.parametrize("host", ["no.such.host.invalid", "192.0.2.1"])
def test_a_host_that_is_not_this_machine_is_named(
    host: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("BATON_HOST", host)
    assert main(["run"]) == 1
    assert f"BATON_HOST: '{host}' is no address of this machine" in capsys.readouterr().err


def test_doctor_names_a_folder_for_files_that_is_none(
    alone: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (alone / "text").touch()
    monkeypatch.setenv("BATON_FILES_URL", f"file://{alone}/text")
    assert main(["doctor"]) == 1
    assert "✗ files: BATON_FILES_URL" in capsys.readouterr().out


def test_doctor_makes_nothing(alone: Path) -> None:
    assert main(["doctor"]) == 0
    assert list(alone.iterdir()) == []


def test_doctor_says_how_to_get_a_chat_where_there_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    main(["doctor"])
    assert "– chats: Neither Slack nor Discord is configured" in capsys.readouterr().out


def test_check_fails_where_run_would_and_says_which_env_it_read(
    alone: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check"]) == 0
    monkeypatch.delenv("BATON_API_KEY")
    (alone / ".env").write_text("BATON_API_KEY=\n")
    assert main(["check"]) == 1
    printed = capsys.readouterr()
    assert f".env: {alone / '.env'}" in printed.out
    assert "BATON_API_KEY: the store main has none" in printed.err


def test_stores_that_share_a_key_are_told_the_variable_of_each(alone: Path) -> None:
    (alone / "baton.toml").write_text("[stores.old-shop]\n[stores.new]\n")
    settings = load({"BATON_SECRET": "s" * 32, "BATON_API_KEY": "k"})
    assert [one.partition(":")[0] for one in missing(settings)] == [
        "BATON_API_KEY_OLD_SHOP",
        "BATON_API_KEY_NEW",
    ]
