"""Discord's settings: the chat when it is configured, and errors that name the variable, the cause and the cure."""

from pathlib import Path

import pytest

from bot.settings import SettingsError, load

BASE = {
    "DISCORD_TOKEN": "t.o.k",
    "DISCORD_GUILD_ID": "123456789012345678",
    "DISCORD_CHANNEL_ID": "223456789012345678",
}


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_discord_is_the_chat_when_it_alone_is_configured() -> None:
    settings = load(BASE)
    assert (settings.teams["support"].chat, settings.teams["support"].channel) == (
        "discord", BASE["DISCORD_CHANNEL_ID"],
    )  # fmt: skip
    assert settings.discord is not None
    assert settings.discord.api_url == "https://discord.com/api/v10"


def test_a_token_is_never_shown() -> None:
    assert "t.o.k" not in repr(load(BASE))


def test_teams_may_be_on_both_each_in_its_own_channel() -> None:
    Path("baton.toml").write_text(
        '[teams.support]\n[teams.vip]\nchat = "discord"\n[teams.desk]\nchat = "console"\n'
    )
    slack = {"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_APP_TOKEN": "xapp-1", "SLACK_CHANNEL": "#support"}
    teams = load(BASE | slack).teams
    assert [(one.chat, one.channel) for one in teams.values()] == [
        ("slack", "#support"), ("discord", BASE["DISCORD_CHANNEL_ID"]), ("console", "console"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"DISCORD_TOKEN": ""}, ["DISCORD_TOKEN", "missing", "Developer Portal"]),
        ({"DISCORD_GUILD_ID": ""}, ["DISCORD_GUILD_ID", "missing", "Copy Server ID"]),
        ({"DISCORD_GUILD_ID": "my server"}, ["DISCORD_GUILD_ID", "no server's id", "digits"]),
        ({"DISCORD_CHANNEL_ID": ""}, ["teams.support.channel", "missing", "DISCORD_CHANNEL_ID"]),
        ({"DISCORD_API_URL": "discord.com"}, ["DISCORD_API_URL", "https://"]),
        ({"DISCORD_GATEWAY_URL": "https://x"}, ["DISCORD_GATEWAY_URL", "wss://"]),
    ],
)
def test_a_wrong_setting_is_named_with_its_cause_and_cure(changes: dict[str, str], words: list[str]) -> None:
    with pytest.raises(SettingsError) as caught:
        load(BASE | changes)
    assert all(word in str(caught.value) for word in words), caught.value


def test_a_team_on_discord_needs_its_token() -> None:
    Path("baton.toml").write_text('[teams.support]\nchat = "discord"\nchannel = "#support"\n')
    from bot.wiring import Baton

    with pytest.raises(SettingsError, match="discord is not configured"):
        Baton(load({"BATON_DATABASE_URL": "sqlite:///x.db", "BATON_SECRET": "s"}))
