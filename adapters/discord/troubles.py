"""What is wrong with a place, as sentences with a cure. Pure."""

from bot.settings import Discord

AWAY = frozenset({"unreachable", "timeout", "connection_lost"})
TOO_OFTEN = frozenset({"allowance", "ratelimited"})
"""Reasons that say nothing about the place: it could not be asked now."""


def no_access(reason: str, settings: Discord) -> str:
    """All of Discord is out of reach, or refuses us."""
    if reason == "token_refused":
        return "Discord refuses DISCORD_TOKEN; reset the bot's token in the Developer Portal (Bot) and set the new one."
    if reason in ("unknown_guild", "missing_access"):
        return (
            f"Baton is not in the Discord server {settings.guild_id}; invite it with the link that "
            "`python -m bot manifest discord` prints, or mend DISCORD_GUILD_ID."
        )
    if reason in AWAY or reason.startswith("http_"):
        return f"Discord cannot be reached ({reason}); check the network and DISCORD_API_URL, then try again."
    return refused(reason)


def no_channel(channel: str) -> str:
    """There is none that we see."""
    return (
        f"Baton can see no channel {channel} in its Discord server; create it, allow Baton's role to view it, or write "
        "another one's id into DISCORD_CHANNEL_ID or baton.toml."
    )


def no_text_channel(channel: str) -> str:
    """A forum, a voice channel, a category."""
    return (
        f"{channel} is no text channel, so Baton cannot open threads from messages there; name a text channel in "
        "DISCORD_CHANNEL_ID or baton.toml."
    )


def missing_permission(name: str, what_for: str, channel: str) -> str:
    """One that calls need."""
    return (
        f"Baton lacks the permission {name} in {channel}, so it cannot {what_for}; allow it for Baton's role in the "
        "channel's settings (Permissions)."
    )


def no_message_content() -> str:
    """What people write would arrive empty."""
    return (
        "The Message Content intent is off, so Baton cannot read what operators write; switch it on in the Developer "
        "Portal (Bot, Privileged Gateway Intents). Baton notices within a minute."
    )


def no_member_list() -> str:
    """Who is there cannot be asked."""
    return (
        "The Server Members intent is off, so Baton does not know who belongs to the team; switch it on in the "
        "Developer Portal (Bot, Privileged Gateway Intents)."
    )


def refused(reason: str) -> str:
    """Calls fail although everything that can be asked is in order."""
    cure = {
        "thread_locked": "a thread is locked; unlock it, or allow Baton's role to Manage Threads",
        "thread_archived": "a thread is archived and cannot be opened again; allow Baton's role to Manage Threads",
        "too_many_threads": "the server has as many active threads as Discord allows (1,000); archive old ones",
        "missing_permissions": "a permission is missing; `python -m bot doctor` says which",
    }.get(reason)
    if cure:
        return f"Discord refuses Baton's calls: {cure}."
    return f"Discord refuses Baton's calls ({reason}); `python -m bot doctor` says more."
