"""The one reader of the environment and of `baton.toml`.

Everything else is handed a `Settings`. A wrong value is a `SettingsError` that names the variable or the key, the
cause and the cure; nothing starts half-configured.
"""

import base64
import binascii
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bot.hours import Hours, parse_hours
from bot.replies import Reply
from bot.replies import read as read_replies

MOST_HOLD = 60.0
RELAY_MODES = ("owner", "alerts")
MENTION_RULES = ("present", "here", "group", "none")
FILE_TYPES = ("image", "pdf", "text", "office", "zip", "audio", "video")
CHANNELS = {"slack": "SLACK_CHANNEL", "discord": "DISCORD_CHANNEL_ID"}
"""The chats beside the console, and where the channel of a team is named that names none itself."""
TABLES = ("stores", "teams", "hours", "triggers", "followup", "targets", "files")


class SettingsError(Exception):
    """A setting is missing or wrong. The message names it, says why, and what to write instead."""


@dataclass(frozen=True, slots=True)
class Timing:
    """Every delay, in seconds; `scaled` makes all of them shorter, which is how tests run in a twentieth.

    `settle`: platforms commit late, so "not there" is believed only this long after an attempt (MEASURED.md).
    `call_timeout` stays under a third of `lease`, so that a live holder never loses its lease in a call.
    `catch_up_held`: what is held waits so long for its thread's history, in which it may have been taken back.
    `replica`: how long one that died is counted among those that share what a platform allows.
    """

    lease: float = 30.0
    call_timeout: float = 8.0
    settle: float = 15.0
    backoff_first: float = 1.0
    backoff_most: float = 300.0
    poll: float = 1.0
    due_tick: float = 1.0
    card_gap: float = 1.0
    pending_receipt: float = 3.0
    catch_up_wait: float = 2.0
    catch_up_held: float = 30.0
    stream_ping: float = 15.0
    presence_gone: float = 45.0
    hidden_gone: float = 600.0
    members_refresh: float = 60.0
    socket_watch: float = 30.0
    replica: float = 15.0

    def scaled(self, factor: float) -> "Timing":
        """The same with every delay multiplied."""
        return Timing(**{name: getattr(self, name) * factor for name in self.__dataclass_fields__})


@dataclass(frozen=True, slots=True)
class StorePolicy:
    """A storefront. `public_key` stands in its pages; `origins` are those the widget may be loaded from."""

    name: str
    api_key: str = field(repr=False)
    brand: str = ""
    public_key: str = ""
    origins: tuple[str, ...] = ()
    team: str = "support"
    webhook_url: str = ""
    webhook_secret: str = field(default="", repr=False)
    internal: bool = False


@dataclass(frozen=True, slots=True)
class TeamPolicy:
    """Operators with a channel and hours. `relay` "owner": only the owner's messages leave; "alerts": none do.

    `hold`: seconds before an operator's message leaves. `group`: a user group of the platform, for `mentions =
    "group"` and as the team's members. `operators` and `leads` are accounts (ids or @names); with none of them and no
    group the channel's full members are operators and the workspace's admins leads. `names`: what shoppers read
    instead of the first name, by account. `fallback`: the team that a case goes to which nobody present here takes.
    """

    name: str
    chat: str
    channel: str
    relay: str = "owner"
    mentions: str = "present"
    hours: Hours = field(default_factory=Hours)
    hold: float = 0.0
    group: str = ""
    operators: tuple[str, ...] = ()
    leads: tuple[str, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)
    fallback: str = ""


@dataclass(frozen=True, slots=True)
class TriggerRule:
    """One `[[triggers]]` of kind keyword: any of `words` in a shopper's message escalates."""

    name: str
    words: tuple[str, ...]
    category: str | None = None
    priority: str = "normal"
    wants: str | None = None


@dataclass(frozen=True, slots=True)
class Slack:
    """How to reach Slack, and how Slack reaches us: with `app_token` by Socket Mode (also where both are set), with
    `signing_secret` alone over HTTP. `api_url` is Slack's own unless a test says otherwise. `limits`: stay within
    Slack's rate limits by ourselves."""

    bot_token: str = field(repr=False)
    app_token: str = field(repr=False)
    api_url: str = "https://slack.com/api/"
    signing_secret: str = field(default="", repr=False)
    limits: bool = True


@dataclass(frozen=True, slots=True)
class Discord:
    """How to reach Discord: one bot in one guild. The addresses are Discord's own unless a test says otherwise."""

    token: str = field(repr=False)
    guild_id: str
    api_url: str = "https://discord.com/api/v10"
    gateway_url: str = "wss://gateway.discord.gg/"


@dataclass(frozen=True, slots=True)
class Followup:
    """What happens after a conversation went quiet; seconds."""

    reopen_window: float = 24 * 3600
    stale_shopper: float = 24 * 3600
    stale_open: float = 60 * 60
    idle_nudge: float = 5 * 60
    idle_release: float = 10 * 60


@dataclass(frozen=True, slots=True)
class Targets:
    """How soon a team answers; seconds. `first_reply`: from the escalation on, inside hours; 0: no target."""

    first_reply: float = 90.0


@dataclass(frozen=True, slots=True)
class FilePolicy:
    """Which files pass between shoppers and operators: the largest, in units of 1,048,576 bytes, and `FILE_TYPES`."""

    max_mb: float = 20.0
    types: tuple[str, ...] = ("image", "pdf", "text", "office")


@dataclass(frozen=True, slots=True)
class Settings:
    """All of it, checked."""

    database_url: str
    host: str
    port: int
    public_url: str
    secret: str = field(repr=False)
    admin_token: str = field(repr=False)
    stores: Mapping[str, StorePolicy]
    teams: Mapping[str, TeamPolicy]
    triggers: tuple[TriggerRule, ...]
    slack: Slack | None = None
    discord: Discord | None = None
    timing: Timing = field(default_factory=Timing)
    followup: Followup = field(default_factory=Followup)
    targets: Targets = field(default_factory=Targets)
    replies: tuple[Reply, ...] = ()
    log_format: str = "text"
    queue_seconds: float = 1.0
    widget_token_seconds: float = 3600.0
    guest_renewal_seconds: float = 30 * 24 * 3600.0
    files: FilePolicy = field(default_factory=FilePolicy)
    files_url: str = "file://./files"

    def store_with_key(self, public_key: str) -> StorePolicy | None:
        """The store whose pages carry that public key."""
        return next((store for store in self.stores.values() if store.public_key == public_key), None)

    def team(self, name: str) -> TeamPolicy:
        """A team by name; cases of one that was taken out of the policy are the first team's."""
        return self.teams.get(name) or next(iter(self.teams.values()))

    def team_of(self, store: str) -> TeamPolicy:
        """The team that answers for a store."""
        return self.teams[self.stores[store].team]


DEFAULT_TRIGGERS = (
    TriggerRule(
        "payment",
        ("unauthorized charge", "unauthorised charge", "charged twice", "double charged", "chargeback", "fraud",
         "stolen card", "identity theft"),
        category="payment", priority="high", wants="refund",
    ),
    TriggerRule(
        "legal",
        ("lawyer", "attorney", "legal action", "lawsuit", "sue you", "consumer court", "small claims"),
        category="legal", priority="high",
    ),
    TriggerRule(
        "safety",
        ("allergic reaction", "caught fire", "electric shock", "got injured", "hurt myself", "product recall"),
        category="safety", priority="high",
    ),
    TriggerRule("refund", ("refund", "money back"), category="refund", priority="normal", wants="refund"),
)  # fmt: skip


def load(environment: Mapping[str, str] | None = None) -> Settings:
    """Read everything once. `environment` defaults to the process's own, after `.env` was loaded into it."""
    env = os.environ if environment is None else environment
    path = Path(env.get("BATON_CONFIG") or "baton.toml")
    if not path.exists() and env.get("BATON_CONFIG"):
        raise SettingsError(f"BATON_CONFIG: there is no file {path}; name an existing one or leave it unset.")
    policy = _toml(path, "BATON_CONFIG") if path.exists() else {}
    for key in policy:
        if key not in TABLES:
            raise SettingsError(f"{path.name}: {key}: not a table; the tables are {', '.join(TABLES)}.")
    slack, discord = _slack(env), _discord(env)
    stores = _stores(env, policy)
    teams = _teams(env, policy, "slack" if slack else "discord" if discord else "console")
    for team in teams.values():
        if team.fallback and (team.fallback not in teams or team.fallback == team.name):
            others = ", ".join(name for name in teams if name != team.name) or "none: it is the only team"
            raise SettingsError(
                f"teams.{team.name}.fallback: {team.fallback!r} is no other team; there is {others}."
            )
    for store in stores.values():
        if store.team not in teams:
            raise SettingsError(
                f"stores.{store.name}.team: there is no team {store.team!r}; write one of {', '.join(teams)}."
            )
    host = env.get("BATON_HOST") or "127.0.0.1"
    port = _port(env)
    return Settings(
        database_url=_database_url(env),
        host=host,
        port=port,
        public_url=(
            _web_address(env.get("BATON_PUBLIC_URL", ""), "BATON_PUBLIC_URL") or f"http://{host}:{port}"
        ).rstrip("/"),
        secret=env.get("BATON_SECRET", ""),
        admin_token=env.get("BATON_ADMIN_TOKEN", ""),
        stores=stores,
        teams=teams,
        triggers=_triggers(policy),
        slack=slack,
        discord=discord,
        followup=_followup(policy),
        files=_files(policy),
        files_url=_files_url(env),
        targets=_targets(policy),
        replies=_replies(env, path.parent, teams),
        log_format=_choice(env.get("LOG_FORMAT") or "text", ("text", "json"), "LOG_FORMAT"),
    )


def _replies(env: Mapping[str, str], folder: Path, teams: Mapping[str, TeamPolicy]) -> tuple[Reply, ...]:
    """`BATON_REPLIES`, or `replies.toml` beside the policy; none is no error."""
    named = env.get("BATON_REPLIES", "")
    path = Path(named) if named else folder / "replies.toml"
    if not path.exists():
        if named:
            raise SettingsError(
                f"BATON_REPLIES: there is no file {path}; name an existing one or leave it unset."
            )
        return ()
    raw = _toml(path, "BATON_REPLIES")
    try:
        return read_replies(raw, teams)
    except ValueError as error:
        raise SettingsError(f"{path.name}: {error}") from error


def _toml(path: Path, name: str) -> dict[str, Any]:
    """A file that is there. `name` is the variable that may say where it is."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path.name}: not valid TOML ({error}); mend that line.") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path.name}: not UTF-8 (byte {error.start}); save it as UTF-8.") from error
    except OSError as error:
        raise SettingsError(
            f"{name}: {path} cannot be read ({error.strerror}); write a file that can."
        ) from error


def _database_url(env: Mapping[str, str]) -> str:
    url = env.get("BATON_DATABASE_URL") or "sqlite:///baton.db"
    if not url.startswith(("sqlite:///", "postgresql+psycopg://")):
        raise SettingsError(
            "BATON_DATABASE_URL: only sqlite:///FILE and postgresql+psycopg://… are known; write one of them."
        )
    return url


def _port(env: Mapping[str, str]) -> int:
    raw = env.get("BATON_PORT") or env.get("PORT") or "8080"
    if not raw.isdigit() or int(raw) > 65535:
        raise SettingsError(f"BATON_PORT: {raw!r} is not a port; write a number from 0 to 65535.")
    return int(raw)


def _choice(value: str, known: tuple[str, ...], name: str) -> str:
    if value not in known:
        raise SettingsError(f"{name}: {value!r} is not known; write one of {', '.join(known)}.")
    return value


def _flag(value: object, name: str) -> bool:
    if not isinstance(value, bool):
        raise SettingsError(f"{name}: {value!r} is not a switch; write true or false.")
    return value


def _slack(env: Mapping[str, str]) -> Slack | None:
    bot, app = env.get("SLACK_BOT_TOKEN", ""), env.get("SLACK_APP_TOKEN", "")
    secret = env.get("SLACK_SIGNING_SECRET", "")
    if not bot and not app and not secret:
        return None
    if not bot:
        other = "SLACK_APP_TOKEN" if app else "SLACK_SIGNING_SECRET"
        raise SettingsError(f"SLACK_BOT_TOKEN: missing although {other} is set; add the xoxb-… token.")
    if not app and not secret:
        raise SettingsError(
            "SLACK_APP_TOKEN: missing although SLACK_BOT_TOKEN is set; add the xapp-… token with connections:write "
            "(Socket Mode), or SLACK_SIGNING_SECRET for Slack to call Baton over HTTP."
        )
    for name, token, other in (("SLACK_BOT_TOKEN", bot, "xapp-"), ("SLACK_APP_TOKEN", app, "xoxb-")):
        if token.startswith(other):
            raise SettingsError(
                f"{name}: is an {other} token; the bot's begins with xoxb-, the app's with xapp-. Swap them."
            )
    return Slack(
        bot,
        app,
        _address(env, "SLACK_API_URL", "https://slack.com/api/", ("https://", "http://")),
        secret,
        _choice(env.get("SLACK_LIMITS") or "on", ("on", "off"), "SLACK_LIMITS") == "on",
    )


def _discord(env: Mapping[str, str]) -> Discord | None:
    token, guild = env.get("DISCORD_TOKEN", "").strip(), env.get("DISCORD_GUILD_ID", "").strip()
    if not token and not guild:
        return None
    if not token:
        raise SettingsError(
            "DISCORD_TOKEN: missing although DISCORD_GUILD_ID is set; copy the bot's token from the Developer Portal."
        )
    if not guild:
        raise SettingsError(
            "DISCORD_GUILD_ID: missing although DISCORD_TOKEN is set; right-click your server, choose Copy Server ID "
            "(Developer Mode) and set it."
        )
    if not _is_snowflake(guild):
        raise SettingsError(
            f"DISCORD_GUILD_ID: {guild!r} is no server's id; write the 17 to 20 digits that Copy Server ID gives."
        )
    plain = Discord(token, guild)
    return Discord(
        token,
        guild,
        _address(env, "DISCORD_API_URL", plain.api_url, ("https://", "http://")),
        _address(env, "DISCORD_GATEWAY_URL", plain.gateway_url, ("wss://", "ws://")),
    )


def _is_snowflake(text: str) -> bool:
    return text.isascii() and text.isdigit() and 15 <= len(text) <= 20


def _address(env: Mapping[str, str], name: str, default: str, begins: tuple[str, ...]) -> str:
    url = env.get(name) or default
    if not url.startswith(begins):
        raise SettingsError(
            f"{name}: {url!r} does not begin with {' or '.join(begins)}; mend it, or leave it unset for the usual one."
        )
    return url


def _web_address(url: str, name: str) -> str:
    """Empty, or an address that can be called."""
    if url and not url.startswith(("https://", "http://")):
        raise SettingsError(
            f"{name}: {url!r} is no web address; write one that begins with https://, or http://."
        )
    return url


def discord_invites(environment: Mapping[str, str] | None = None) -> tuple[str, str]:
    """Token and server for the invite link, each empty until it is there. Needs no other setting, since the bot is
    invited before the rest is filled in."""
    env = os.environ if environment is None else environment
    return env.get("DISCORD_TOKEN", "").strip(), env.get("DISCORD_GUILD_ID", "").strip()


def slack_calls_us(environment: Mapping[str, str] | None = None) -> str | None:
    """The public address for Slack's calls in HTTP mode, None in Socket Mode. Needs no other setting, since the app is
    made before there are tokens."""
    env = os.environ if environment is None else environment
    if env.get("SLACK_APP_TOKEN") or not env.get("SLACK_SIGNING_SECRET"):
        return None
    url = env.get("BATON_PUBLIC_URL", "")
    if not url.startswith("https://"):
        raise SettingsError(
            "BATON_PUBLIC_URL: Slack calls only https:// addresses; write the one it reaches us at."
        )
    return url


def _table(policy: Mapping[str, Any], key: str) -> dict[str, Any]:
    value = policy.get(key, {})
    if not isinstance(value, dict):
        raise SettingsError(f"{key}: must be a table, like [{key}].")
    return value


def _known(raw: object, where: str, keys: set[str]) -> None:
    if not isinstance(raw, dict):
        raise SettingsError(f"{where}: {raw!r} is no table; its settings are {', '.join(sorted(keys))}.")
    for key in raw:
        if key not in keys:
            raise SettingsError(f"{where}.{key}: not a setting; the settings are {', '.join(sorted(keys))}.")


def _stores(env: Mapping[str, str], policy: Mapping[str, Any]) -> dict[str, StorePolicy]:
    tables = _table(policy, "stores") or {"main": {}}
    return {name: _store(env, name, raw) for name, raw in tables.items()}


def _store(env: Mapping[str, str], name: str, raw: dict[str, Any]) -> StorePolicy:
    where = f"stores.{name}"
    _known(raw, where, {"brand", "public_key", "origins", "team", "webhook_url", "internal"})
    suffix = name.upper().replace("-", "_")
    origins = raw.get("origins", [])
    if not isinstance(origins, list) or any(
        not str(item).startswith(("http://", "https://")) for item in origins
    ):
        raise SettingsError(f'{where}.origins: write a list like ["https://shop.example"].')
    secret = env.get(f"WEBHOOK_SECRET_{suffix}") or env.get("WEBHOOK_SECRET", "")
    if secret.startswith("whsec_") and not _is_base64(secret.removeprefix("whsec_")):
        raise SettingsError(
            "WEBHOOK_SECRET: begins with whsec_ but the rest is not base64; copy it whole, or write a random string "
            "without that beginning."
        )
    return StorePolicy(
        name=name,
        api_key=env.get(f"BATON_API_KEY_{suffix}") or env.get("BATON_API_KEY", ""),
        brand=str(raw.get("brand", name)),
        public_key=str(raw.get("public_key", name)),
        origins=tuple(str(item).rstrip("/") for item in origins),
        team=str(raw.get("team", "support")),
        webhook_url=_web_address(str(raw.get("webhook_url", "")), f"{where}.webhook_url")
        or _web_address(env.get("WEBHOOK_URL", ""), "WEBHOOK_URL"),
        webhook_secret=secret,
        internal=_flag(raw.get("internal", False), f"{where}.internal"),
    )


def _is_base64(text: str) -> bool:
    try:
        return bool(base64.b64decode(text, validate=True))
    except binascii.Error:
        return False


def _teams(env: Mapping[str, str], policy: Mapping[str, Any], chat: str) -> dict[str, TeamPolicy]:
    tables = _table(policy, "teams") or {"support": {}}
    shared_hours = _table(policy, "hours")
    channels = {name: env.get(variable, "") for name, variable in CHANNELS.items()} | {"console": "console"}
    return {name: _team(name, raw, chat, channels, shared_hours) for name, raw in tables.items()}


def _team(
    name: str, raw: dict[str, Any], chat: str, channels: Mapping[str, str], shared_hours: dict[str, Any]
) -> TeamPolicy:
    where = f"teams.{name}"
    _known(
        raw, where,
        {"chat", "channel", "relay", "mentions", "hours", "hold", "group", "operators", "leads", "names", "fallback"},
    )  # fmt: skip
    on = _choice(str(raw.get("chat", chat)), tuple(channels), f"{where}.chat")
    into = str(raw.get("channel") or channels[on])
    if not into:
        raise SettingsError(f"{where}.channel: missing; name the channel here or in {CHANNELS[on]}.")
    try:
        hours = parse_hours(_table(raw, "hours") if "hours" in raw else shared_hours)
    except ValueError as error:
        raise SettingsError(f"{where}.hours.{error}.") from error
    mentions = _choice(str(raw.get("mentions", "present")), MENTION_RULES, f"{where}.mentions")
    group = str(raw.get("group", ""))
    if mentions == "group" and not group:
        raise SettingsError(
            f'{where}.group: missing although mentions = "group"; name the user group, like "@care".'
        )
    return TeamPolicy(
        name=name,
        chat=on,
        channel=into,
        relay=_choice(str(raw.get("relay", "owner")), RELAY_MODES, f"{where}.relay"),
        mentions=mentions,
        hours=hours,
        hold=_hold(raw.get("hold", 0), where),
        group=group,
        operators=_accounts(raw, where, "operators"),
        leads=_accounts(raw, where, "leads"),
        names=_names(raw, where),
        fallback=str(raw.get("fallback", "")),
    )


def _hold(value: object, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= MOST_HOLD:
        raise SettingsError(
            f"{where}.hold: {value!r} is no hold; write seconds from 0 to {MOST_HOLD:.0f}, like 5."
        )
    return float(value)


def _accounts(raw: Mapping[str, Any], where: str, key: str) -> tuple[str, ...]:
    value = raw.get(key, [])
    if not isinstance(value, list) or not all(isinstance(one, str) and one.strip() for one in value):
        raise SettingsError(f'{where}.{key}: write a list of accounts like ["U012AB3CD", "@dana"].')
    return tuple(one.strip() for one in value)


def _names(raw: Mapping[str, Any], where: str) -> dict[str, str]:
    value = raw.get("names", {})
    if not isinstance(value, dict) or not all(isinstance(one, str) and one.strip() for one in value.values()):
        raise SettingsError(f'{where}.names: write a table like {{ U012AB3CD = "Dana" }}.')
    return {str(key): one.strip() for key, one in value.items()}


def _triggers(policy: Mapping[str, Any]) -> tuple[TriggerRule, ...]:
    if "triggers" not in policy:
        return DEFAULT_TRIGGERS
    tables = policy["triggers"]
    if not isinstance(tables, list):
        raise SettingsError("triggers: must be a list of tables, each begun with [[triggers]].")
    rules = []
    for index, raw in enumerate(tables):
        where = f"triggers[{index}]"
        _known(raw, where, {"name", "kind", "words", "category", "priority", "wants"})
        _choice(str(raw.get("kind", "keyword")), ("keyword",), f"{where}.kind")
        words = raw.get("words")
        if not isinstance(words, list) or not words or not all(isinstance(one, str) and one for one in words):
            raise SettingsError(
                f'{where}.words: missing, or not words; write a list like ["refund", "money back"].'
            )
        for key in ("name", "category", "wants"):
            if not isinstance(raw.get(key, ""), str):
                raise SettingsError(
                    f'{where}.{key}: {raw[key]!r} is no text; put it in quotes, like "refund".'
                )
        rules.append(
            TriggerRule(
                name=str(raw.get("name", words[0])),
                words=tuple(str(word).lower() for word in words),
                category=raw.get("category"),
                priority=_choice(str(raw.get("priority", "normal")), ("low", "normal", "high", "urgent"),
                                 f"{where}.priority"),
                wants=raw.get("wants"),
            )
        )  # fmt: skip
    return tuple(rules)


def _followup(policy: Mapping[str, Any]) -> Followup:
    raw = _table(policy, "followup")
    fields = set(Followup.__dataclass_fields__)
    _known(raw, "followup", fields)
    for key, value in raw.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
            raise SettingsError(f"followup.{key}: {value!r} is not a duration; write seconds, like 3600.")
    return Followup(**{key: float(value) for key, value in raw.items()})


def _targets(policy: Mapping[str, Any]) -> Targets:
    raw = _table(policy, "targets")
    _known(raw, "targets", set(Targets.__dataclass_fields__))
    for key, value in raw.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
            raise SettingsError(
                f"targets.{key}: {value!r} is no target; write seconds, like 90, or 0 for none."
            )
    return Targets(**{key: float(value) for key, value in raw.items()})


def _files(policy: Mapping[str, Any]) -> FilePolicy:
    raw, default = _table(policy, "files"), FilePolicy()
    _known(raw, "files", {"max_mb", "types"})
    most, types = raw.get("max_mb", default.max_mb), raw.get("types", list(default.types))
    if isinstance(most, bool) or not isinstance(most, int | float) or not 0 < most <= 1024:
        raise SettingsError(f"files.max_mb: {most!r} is no size; write megabytes up to 1024, like 20.")
    if not isinstance(types, list) or not all(one in FILE_TYPES for one in types):
        raise SettingsError(f"files.types: write a list of some of these: {', '.join(FILE_TYPES)}.")
    return FilePolicy(float(most), tuple(types))


def _files_url(env: Mapping[str, str]) -> str:
    url = env.get("BATON_FILES_URL") or "file://./files"
    if not url.startswith("file://") or not url.removeprefix("file://").strip():
        raise SettingsError(
            "BATON_FILES_URL: only file://FOLDER is known, like file://./files; replicas share a folder "
            "that all of them mount."
        )
    return url
