"""What the terminal prints: the start, the demo, the doctor."""


def doctor_ends(problems: int) -> str:
    """The doctor's last line."""
    if not problems:
        return "Everything that could be tried works."
    return "1 thing is to be mended." if problems == 1 else f"{problems} things are to be mended."


def doctor_no_tokens(team: str, chat: str) -> str:
    """A team in a chat that is not configured."""
    token = {"slack": "SLACK_BOT_TOKEN", "discord": "DISCORD_TOKEN"}[chat]
    return f"teams.{team}.chat is {chat}, but {token} is not set; copy the tokens into .env (docs/{chat}.md)."


def doctor_no_chat() -> str:
    """Only the console is there."""
    return (
        "Neither Slack nor Discord is configured, so cases wait in the console. For Slack set SLACK_BOT_TOKEN and "
        "SLACK_APP_TOKEN (docs/slack.md), for Discord DISCORD_TOKEN and DISCORD_GUILD_ID (docs/discord.md)."
    )


def doctor_no_admin_token() -> str:
    """Nobody can sign in."""
    return "BATON_ADMIN_TOKEN: missing, so nobody can open the console; write a long random string."


def doctor_was_here() -> str:
    """The doctor's test message, gone a moment later."""
    return "Baton's doctor tries out posting; this message goes away by itself."


def doctor_cannot(step: str, reason: str) -> str:
    """A step of the test failed."""
    cures = {
        "missing_scope": "add the scopes that `python -m bot manifest` names and reinstall the app",
        "not_in_channel": "write /invite @Baton there",
        "is_archived": "unarchive it, or name another channel",
        "restricted_action": "ask an admin who may post in this channel",
    }
    return f"Baton cannot {step} there ({reason}); {cures.get(reason, 'mend that and check again')}."


def doctor_heard_nothing() -> str:
    """The event of our own message did not come."""
    return (
        "Slack did not tell us of our own message, so replies would not arrive; check that Event Subscriptions are on "
        "and name message.channels and message.groups, as `python -m bot manifest` does. If another Baton runs with "
        "these tokens, it got the event; stop it and try again."
    )


def doctor_baton_runs() -> str:
    """A running Baton gets the events."""
    return "Not tried: whether events come in. A Baton runs here and gets them; its /readyz says if it is connected."


def doctor_over_http() -> str:
    """Over HTTP only the server can hear."""
    return "Not tried: whether events come in. Slack sends them to Baton's address; write in a case's thread to see it."


def doctor_no_group(group: str, reason: str) -> str:
    """The policy names a user group that cannot be read."""
    if reason == "missing_scope":
        return f"The user group {group} cannot be read; add usergroups:read and reinstall. The channel counts so far."
    return (
        f"There is no user group {group} ({reason}); correct `group`. Until then the channel's people count."
    )


def doctor_no_people(reason: str) -> str:
    """Members are unknown."""
    return (
        f"Nobody can be looked up ({reason}), so nobody counts as operator; check users:read and the channel."
    )


def doctor_nobody(team: str, channel: str) -> str:
    """A team without people."""
    return f"Nobody is in the team {team}; let its people join {channel}, or name them in teams.{team}.operators."


def doctor_names_nobody(team: str, entry: str, called_so: list[str]) -> str:
    """An entry of a list of people that means nobody; `called_so` are ids of those whose display name it is."""
    cure = f"if {called_so[0]} is meant, write that id" if called_so else "write the id of whoever is meant"
    return (
        f"teams.{team} names {entry}, which is nobody's id or handle there, so it counts for nothing; {cure} "
        "(a display name does not count: anybody may choose it)."
    )


def doctor_no_leads(team: str) -> str:
    """Nobody leads."""
    return f"Nobody leads the team; name somebody in teams.{team}.leads, or let a workspace admin join the channel."


def place_mended(team: str) -> str:
    """To the lead who was told of the trouble."""
    return f"The team {team}'s channel works again; what had waited follows now."


TAGLINE = "Passes a shopper from a store's AI assistant to a person in Slack or Discord, and back."


def serving(url: str) -> str:
    """Printed once `run` serves."""
    return f"Baton serves at {url}  (API: {url}/docs, console: {url}/console, health: {url}/readyz). Ctrl-C stops it."


def demo_ready(url: str, api_key: str, admin_token: str) -> str:
    """What to open and what to try."""
    return f"""
  Baton's demo is running. Nothing leaves this machine.

    The store, as a shopper     {url}/demo
    The console, as an operator {url}/console

  Try this:
    1. In the store, ask something ("where is my order?"), then write: can I talk to a person
    2. In the console, open the new case, press Claim, and answer. Look at the store again.
    3. Begin a line with // in the console: it stays inside the team.
    4. Press Hand back; the assistant answers again.

    API docs   {url}/docs
    API key    {api_key}
    Admin      {admin_token}

  Ctrl-C stops it; starting again finds everything where it was (delete .demo to begin anew).
"""


def demo_stopping() -> str:
    """After Ctrl-C."""
    return "Stopping; everything is kept."
