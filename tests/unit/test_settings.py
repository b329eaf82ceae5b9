"""Settings: defaults, and errors that name what, why and what instead."""

from pathlib import Path

import pytest

from bot.settings import DEFAULT_TRIGGERS, Settings, SettingsError, load


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def with_policy(text: str, **env: str) -> Settings:
    Path("policy.toml").write_text(text, encoding="utf-8")
    return load({"BATON_CONFIG": "policy.toml", **env})


def test_with_nothing_set_there_is_one_store_and_one_team_on_the_console() -> None:
    settings = load({})
    assert list(settings.stores) == ["main"]
    assert (settings.stores["main"].public_key, settings.stores["main"].team) == ("main", "support")
    assert (settings.teams["support"].chat, settings.teams["support"].relay) == ("console", "owner")
    assert settings.triggers == DEFAULT_TRIGGERS
    assert (settings.database_url, settings.host, settings.port) == ("sqlite:///baton.db", "127.0.0.1", 8080)
    assert settings.public_url == "http://127.0.0.1:8080"


def test_the_designs_defaults_are_the_defaults() -> None:
    follow = load({}).followup
    assert (follow.reopen_window, follow.stale_shopper, follow.stale_open) == (86400, 86400, 3600)
    assert follow.idle_release == 600


def test_slack_is_the_chat_when_it_is_configured() -> None:
    settings = load({"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_APP_TOKEN": "xapp-1", "SLACK_CHANNEL": "C1"})
    assert (settings.teams["support"].chat, settings.teams["support"].channel) == ("slack", "C1")


def test_a_policy_file_is_read_from_the_working_directory(elsewhere: Path) -> None:
    (elsewhere / "baton.toml").write_text('[stores.shop]\nbrand = "Shop"\n')
    assert load({}).stores["shop"].brand == "Shop"


def test_each_store_may_have_its_own_key() -> None:
    policy = "[stores.a-b]\n[stores.other]\n"
    settings = with_policy(policy, BATON_API_KEY="shared", BATON_API_KEY_A_B="own")
    assert [settings.stores[name].api_key for name in ("a-b", "other")] == ["own", "shared"]


def test_stores_are_found_by_their_public_key_and_team() -> None:
    settings = with_policy('[stores.a]\npublic_key = "pk"\nteam = "t"\n[teams.t]\n')
    assert settings.store_with_key("pk") is settings.stores["a"]
    assert settings.store_with_key("a") is None
    assert settings.team_of("a") is settings.teams["t"]


def test_a_whole_policy_is_read() -> None:
    settings = with_policy(
        """
        [stores.main]
        origins = ["https://shop.example/"]
        internal = true
        [teams.support]
        relay = "alerts"
        mentions = "none"
        [hours]
        zone = "Europe/Berlin"
        mon = "09:00-17:00"
        [[triggers]]
        words = ["Broken", "faulty"]
        category = "repair"
        [followup]
        reopen_window = 60
        """
    )
    assert settings.stores["main"].origins == ("https://shop.example",)
    assert settings.stores["main"].internal is True
    assert (settings.teams["support"].relay, settings.teams["support"].hours.zone) == (
        "alerts",
        "Europe/Berlin",
    )
    assert (settings.triggers[0].words, settings.triggers[0].name) == (("broken", "faulty"), "Broken")
    assert settings.followup.reopen_window == 60


def test_secrets_are_not_shown() -> None:
    env = {"BATON_API_KEY": "k-secret", "BATON_SECRET": "s-secret", "BATON_ADMIN_TOKEN": "a-secret",
           "SLACK_BOT_TOKEN": "xoxb-secret", "SLACK_APP_TOKEN": "xapp-secret", "SLACK_CHANNEL": "C1",
           "WEBHOOK_SECRET": "w-secret"}  # fmt: skip
    assert "secret" not in repr(load(env)).replace("webhook_secret", "")


@pytest.mark.parametrize(
    ("env", "names"),
    [
        ({"BATON_PORT": "eighty"}, ["BATON_PORT", "'eighty' is not a port", "write a number"]),
        ({"BATON_PORT": "70000"}, ["BATON_PORT", "from 0 to 65535"]),
        ({"BATON_DATABASE_URL": "mysql://x"}, ["BATON_DATABASE_URL", "only", "write one of them"]),
        ({"BATON_CONFIG": "none.toml"}, ["BATON_CONFIG", "no file none.toml", "leave it unset"]),
        ({"LOG_FORMAT": "xml"}, ["LOG_FORMAT", "'xml' is not known", "text, json"]),
        ({"BATON_CONFIG": "."}, ["BATON_CONFIG", "cannot be read", "write a file that can"]),
        ({"BATON_PUBLIC_URL": "shop.example"}, ["BATON_PUBLIC_URL", "no web address", "https://"]),
        ({"WEBHOOK_URL": "shop.example/hook"}, ["WEBHOOK_URL", "no web address", "https://"]),
        (
            {
                "SLACK_BOT_TOKEN": "b",
                "SLACK_APP_TOKEN": "a",
                "SLACK_CHANNEL": "#c",
                "SLACK_API_URL": "slack.example",
            },
            ["SLACK_API_URL", "does not begin with https://", "leave it unset"],
        ),
        (
            {"SLACK_BOT_TOKEN": "xapp-1", "SLACK_APP_TOKEN": "xoxb-1", "SLACK_CHANNEL": "#c"},
            ["SLACK_BOT_TOKEN", "is an xapp- token", "Swap them"],
        ),
        ({"SLACK_BOT_TOKEN": "xoxb"}, ["SLACK_APP_TOKEN", "missing although", "add the xapp-"]),
        ({"SLACK_APP_TOKEN": "xapp"}, ["SLACK_BOT_TOKEN", "missing although", "add the xoxb-"]),
        (
            {"SLACK_BOT_TOKEN": "b", "SLACK_APP_TOKEN": "a"},
            ["teams.support.channel", "missing", "SLACK_CHANNEL"],
        ),
    ],
)
def test_a_wrong_variable_is_named_with_cause_and_cure(env: dict[str, str], names: list[str]) -> None:
    with pytest.raises(SettingsError) as error:
        load(env)
    for name in names:
        assert name in str(error.value)


@pytest.mark.parametrize(
    ("policy", "names"),
    [
        ("stores = 1", ["stores", "must be a table"]),
        ("[store.main]", ["store", "not a table", "stores"]),
        ("[stores.main]\nbrant = 1", ["stores.main.brant", "not a setting", "brand"]),
        ('[stores.main]\norigins = "shop.example"', ["stores.main.origins", "write a list"]),
        ('[stores.main]\norigins = ["shop.example"]', ["stores.main.origins", "https://"]),
        (
            '[stores.main]\ninternal = "false"',
            ["stores.main.internal", "'false' is not a switch", "true or false"],
        ),
        ("[stores]\nmain = 1", ["stores.main", "1 is no table", "brand"]),
        ("[teams]\nsupport = 1", ["teams.support", "1 is no table", "channel"]),
        ("triggers = [1]", ["triggers[0]", "1 is no table", "words"]),
        ("[routes]", ["routes", "not a table", "stores"]),
        ('[stores.main]\nwebhook_url = "shop"', ["stores.main.webhook_url", "no web address", "https://"]),
        ("[[triggers]]\nwords = [1]", ["triggers[0].words", "not words", "write a list"]),
        ('[[triggers]]\nwords = ["x"]\ncategory = 5', ["triggers[0].category", "5 is no text", "quotes"]),
        ("[followup]\nidle_nudge = true", ["followup.idle_nudge", "not a duration", "write seconds"]),
        ('[stores.main]\nteam = "nope"', ["stores.main.team", "no team 'nope'", "support"]),
        ('[teams.support]\nrelay = "all"', ["teams.support.relay", "'all'", "owner, alerts"]),
        ('[teams.support]\nmentions = "all"', ["teams.support.mentions", "present"]),
        ('[teams.support]\nchat = "irc"', ["teams.support.chat", "slack"]),
        ('[teams.support.hours]\nmon = "9"', ["teams.support.hours.mon", "is not a span", "09:00-18:00"]),
        ('[teams.support]\nhours = "9-5"', ["hours", "must be a table"]),
        ('[hours]\nzone = "Mars"', ["hours.zone", "is not a time zone", "Europe/Berlin"]),
        ("[triggers]\nwords = []", ["triggers", "[[triggers]]"]),
        ("[[triggers]]\nname = 'x'", ["triggers[0].words", "missing", "write a list"]),
        ('[[triggers]]\nwords = ["x"]\npriority = "max"', ["triggers[0].priority", "urgent"]),
        ('[[triggers]]\nwords = ["x"]\nkind = "vibe"', ["triggers[0].kind", "keyword"]),
        (
            "[followup]\nreopen_window = -1",
            ["followup.reopen_window", "-1 is not a duration", "write seconds"],
        ),
        ("[followup]\nreopn = 1", ["followup.reopn", "not a setting", "reopen_window"]),
        ("this is not toml", ["policy.toml", "not valid TOML", "line 1"]),
    ],
)
def test_a_wrong_key_of_the_policy_is_named_with_cause_and_cure(policy: str, names: list[str]) -> None:
    with pytest.raises(SettingsError) as error:
        with_policy(policy)
    for name in names:
        assert name in str(error.value)
