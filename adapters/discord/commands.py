"""`/handoff` as discord.py declares commands, one method a verb, and the entry "Send to shopper" of a message's menu.

They are written to the guild only when they differ from what it has: Discord allows 200 a day, and each writing makes
the commands vanish for a moment from what people see.
"""

import logging
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, Literal

from adapters.discord.api import DiscordApi
from adapters.discord.slash import Asking
from adapters.discord.turns import Interaction
from adapters.discord.vendor import discord
from bot import texts
from bot.boards import View
from bot.suggestions import Sought
from bot.verbs import Act

log = logging.getLogger("baton.discord")

commands = discord.app_commands
COMMAND = "handoff"
MOST_WORDS = 78
"""A search travels in the names of its page buttons."""

Case = str | None
Page = commands.Range[int, 1, 9999] | None
Words = commands.Range[str, 1, MOST_WORDS]
Line = commands.Range[str, 1, 200]
Note = commands.Range[str, 1, 3000]
Kind = Literal["sale", "refund", "retention", "other"]
Level = Literal["urgent", "high", "normal", "low"]
Choices = list[commands.Choice[str]]


Method = Callable[..., Coroutine[Any, Any, None]]


def _verb(act: Act | str) -> Callable[[Method], commands.Command["Handoff", ..., None]]:
    """A subcommand of that name, with what stands beside it while it is typed."""
    name = str(act)

    def declare(method: Method) -> commands.Command["Handoff", ..., None]:
        own = [one for one in method.__annotations__ if one not in ("interaction", "return")]
        described = commands.describe(**{one: texts.slash.OPTIONS[one] for one in own})(method)
        return commands.command(name=name, description=texts.slash.COMMANDS[name])(described)

    return declare


class Handoff(commands.Group):
    """The group. Each method only hands over what was typed."""

    def __init__(self, asking: Asking):
        super().__init__(
            name=COMMAND,
            description=texts.slash.GROUP,
            default_permissions=discord.Permissions(send_messages_in_threads=True),
        )
        self._asking = asking

    async def _suggest(self, interaction: Interaction, sought: Sought, typed: str) -> Choices:
        found = await self._asking.suggested(interaction, sought, typed)
        return [commands.Choice(name=name, value=value) for name, value in found]

    async def cases(self, interaction: Interaction, typed: str) -> Choices:
        """Numbers that may be meant."""
        return await self._suggest(interaction, Sought.CASE, typed)

    async def people(self, interaction: Interaction, typed: str) -> Choices:
        """Colleagues."""
        return await self._suggest(interaction, Sought.PERSON, typed)

    async def teams(self, interaction: Interaction, typed: str) -> Choices:
        """Other teams."""
        return await self._suggest(interaction, Sought.TEAM, typed)

    async def known_tags(self, interaction: Interaction, typed: str) -> Choices:
        """Tags in use."""
        return await self._suggest(interaction, Sought.TAG, typed)

    async def replies(self, interaction: Interaction, typed: str) -> Choices:
        """Saved replies of the case's team."""
        return await self._suggest(interaction, Sought.REPLY, typed)

    # Listings

    @_verb(Act.QUEUE)
    async def queue(self, interaction: Interaction, page: Page = None) -> None:
        """Who waits."""
        await self._asking.look(interaction, View.UNCLAIMED, page)

    @_verb(Act.MINE)
    async def mine(self, interaction: Interaction, page: Page = None) -> None:
        """One's own cases."""
        await self._asking.look(interaction, View.MINE, page)

    @_verb(Act.FIND)
    async def find(self, interaction: Interaction, words: Words) -> None:
        """Cases by words."""
        await self._asking.about_none(interaction, Act.FIND, words)

    @_verb(Act.STATS)
    async def stats(self, interaction: Interaction) -> None:
        """Today."""
        await self._asking.about_none(interaction, Act.STATS)

    @_verb(Act.FAILED)
    async def failed(self, interaction: Interaction, retry: Line | None = None) -> None:
        """Dead letters."""
        await self._asking.about_none(interaction, Act.FAILED, f"retry {retry}" if retry else None)

    @_verb(Act.HELP)
    async def help(self, interaction: Interaction, verb: Line | None = None) -> None:
        """All verbs."""
        await self._asking.about_none(interaction, Act.HELP, verb)

    # One case

    @_verb(Act.SHOW)
    @commands.autocomplete(case=cases)
    async def show(self, interaction: Interaction, case: Case = None) -> None:
        """The whole case."""
        await self._asking.about_case(interaction, Act.SHOW, case)

    @_verb(Act.CLAIM)
    @commands.autocomplete(case=cases)
    async def claim(self, interaction: Interaction, case: Case = None) -> None:
        """Mine."""
        await self._asking.about_case(interaction, Act.CLAIM, case)

    @_verb(Act.TAKE_OVER)
    @commands.autocomplete(case=cases)
    async def takeover(self, interaction: Interaction, case: Case = None) -> None:
        """Mine all the same."""
        await self._asking.about_case(interaction, Act.TAKE_OVER, case)

    @_verb(Act.ASSIGN)
    @commands.autocomplete(case=cases, person=people)
    async def assign(self, interaction: Interaction, person: Line, case: Case = None) -> None:
        """Somebody's."""
        await self._asking.about_case(interaction, Act.ASSIGN, case, person)

    @_verb(Act.RELEASE)
    @commands.autocomplete(case=cases)
    async def release(self, interaction: Interaction, case: Case = None) -> None:
        """Nobody's."""
        await self._asking.about_case(interaction, Act.RELEASE, case)

    @_verb(Act.HAND_BACK)
    @commands.autocomplete(case=cases)
    async def handback(self, interaction: Interaction, case: Case = None) -> None:
        """The assistant's."""
        await self._asking.about_case(interaction, Act.HAND_BACK, case)

    @_verb(Act.MOVE)
    @commands.autocomplete(case=cases, team=teams)
    async def move(self, interaction: Interaction, team: Line, case: Case = None) -> None:
        """Another team's."""
        await self._asking.about_case(interaction, Act.MOVE, case, team)

    @_verb(Act.PRIORITY)
    @commands.autocomplete(case=cases)
    async def priority(self, interaction: Interaction, level: Level, case: Case = None) -> None:
        """How urgent."""
        await self._asking.about_case(interaction, Act.PRIORITY, case, level)

    @_verb(Act.TAG)
    @commands.autocomplete(case=cases, tags=known_tags)
    async def tag(self, interaction: Interaction, tags: Line, case: Case = None) -> None:
        """What it is about."""
        await self._asking.about_case(interaction, Act.TAG, case, tags)

    @_verb(Act.SNOOZE)
    @commands.autocomplete(case=cases)
    async def snooze(self, interaction: Interaction, until: Line, case: Case = None) -> None:
        """Out of sight."""
        await self._asking.about_case(interaction, Act.SNOOZE, case, until)

    @_verb(Act.NOTE)
    @commands.autocomplete(case=cases)
    async def note(self, interaction: Interaction, text: Note, case: Case = None) -> None:
        """For the team."""
        await self._asking.about_case(interaction, Act.NOTE, case, text)

    @_verb("reply")
    @commands.autocomplete(case=cases, saved=replies)
    async def reply(self, interaction: Interaction, saved: Line, case: Case = None) -> None:
        """For the shopper."""
        await self._asking.reply(interaction, saved, case)

    @_verb(Act.RESOLVE)
    @commands.autocomplete(case=cases)
    async def resolve(
        self,
        interaction: Interaction,
        kind: Kind | None = None,
        amount: Line | None = None,
        remark: Line | None = None,
        case: Case = None,
    ) -> None:
        """Done."""
        await self._asking.about_case(interaction, Act.RESOLVE, case, kind, amount, remark)

    @_verb(Act.OUTCOME)
    @commands.autocomplete(case=cases)
    async def outcome(
        self,
        interaction: Interaction,
        kind: Kind,
        amount: Line | None = None,
        remark: Line | None = None,
        case: Case = None,
    ) -> None:
        """What came of it."""
        await self._asking.about_case(interaction, Act.OUTCOME, case, kind, amount, remark)

    # Oneself

    @_verb(Act.AWAY)
    async def away(self, interaction: Interaction, until: Line | None = None) -> None:
        """Gone for a while."""
        when = f"until {until.removeprefix('until ')}" if until else None
        await self._asking.about_none(interaction, Act.AWAY, when)

    @_verb(Act.BACK)
    async def back(self, interaction: Interaction) -> None:
        """There again."""
        await self._asking.about_none(interaction, Act.BACK)


class Tree(commands.CommandTree[discord.Client]):
    """All commands of one client. What fails there never shows its text in a log."""

    def __init__(self, client: discord.Client, asking: Asking):
        super().__init__(client)
        self._asking = asking

    async def on_error(self, interaction: Interaction, error: commands.AppCommandError, /) -> None:
        """A command that this version does not know, or what escaped a callback."""
        log.error("discord: a command failed", extra={"fault": type(error).__name__})
        await self._asking.failed(interaction)


def declare(client: discord.Client, asking: Asking) -> Tree:
    """The commands of a fresh client, before it connects."""

    async def send(interaction: Interaction, message: discord.Message) -> None:
        await asking.send(interaction, str(message.id))

    tree = Tree(client, asking)
    tree.add_command(Handoff(asking))
    tree.add_command(
        commands.ContextMenu(
            name=texts.windows.SHORTCUT_SEND, callback=send, type=discord.AppCommandType.message
        )
    )
    return tree


async def sync(tree: Tree, api: DiscordApi, guild_id: str) -> bool:
    """Give the guild our commands, if it has others. Whether it had."""
    application_id = (await api.identity()).application_id
    wanted = payload(tree)
    path = "/applications/{application_id}/guilds/{guild_id}/commands"
    at = {"application_id": application_id, "guild_id": guild_id}
    there = await api.call("GET", path, repeatable=True, **at)  # type: ignore[arg-type]
    if isinstance(there, Sequence) and same(wanted, there):
        return False
    await api.call("PUT", path, json=wanted, repeatable=True, **at)  # type: ignore[arg-type]
    return True


def payload(tree: Tree) -> list[dict[str, Any]]:
    """The commands as Discord takes them for one guild, without what it minds for commands of everywhere only."""
    elsewhere = {"dm_permission", "contexts", "integration_types"}
    shown = [one.to_dict(tree) for one in tree.get_commands()]
    return [{key: value for key, value in one.items() if key not in elsewhere} for one in shown]


def same(wanted: Any, there: Any) -> bool:
    """Whether Discord has what we want: it adds ids and defaults, and leaves out what is empty."""
    if isinstance(wanted, Mapping):
        return isinstance(there, Mapping) and all(
            same(value, there.get(key)) for key, value in wanted.items()
        )
    if isinstance(wanted, list) and (wanted or there):
        found = there if isinstance(there, list) else []
        if len(found) != len(wanted):
            return False
        return all(same(ours, theirs) for ours, theirs in zip(_ordered(wanted), _ordered(found), strict=True))
    return str(wanted) == str(there) or (not wanted and not there)


def _ordered(items: list[Any]) -> list[Any]:
    """Commands in the order of their names, since Discord gives them in its own."""
    named = all(isinstance(one, Mapping) and "name" in one for one in items)
    return sorted(items, key=lambda one: (str(one.get("type")), str(one["name"]))) if named else items
