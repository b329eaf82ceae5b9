"""One team's day on any platform: what an operator does and sees, in the words of the core, so that a journey can be
made in Slack and in Discord alike.

A case has a conversation of its own, so many journeys share one house.
"""

from dataclasses import dataclass, replace
from itertools import count
from typing import Any, ClassVar

from bot.commands import OpenBrief
from bot.replies import Reply
from bot.settings import Settings
from tests.fakes.slack import Fault, View
from tests.journeys.discord_world import DiscordWorld, pressable
from tests.journeys.lab import Lab
from tests.journeys.shop import Json
from tests.journeys.world import QUICK, Tap, World, buttons

PATIENCE = 20.0
REPLIES = (Reply("On its way", "Hi {first_name}, it ships today."),)
PACE = replace(QUICK, members_refresh=0.4)


@dataclass(frozen=True)
class Case:
    """One case: the store's name for it, ours, and where its thread is."""

    number: int
    conversation: str
    channel: str
    root: str


class Team:
    """What is alike everywhere. `world` has a team "support" (Dana, Bob, and Lena who leads) and one "billing"."""

    platform: ClassVar[str]
    world: World

    def __init__(self) -> None:
        self._names = count(1)

    @property
    def dana(self) -> str:
        return str(self.world.dana)

    @property
    def bob(self) -> str:
        return str(self.world.bob)

    @property
    def lena(self) -> str:
        return str(self.world.lena)

    async def case(self, **changes: Any) -> Case:
        """A shopper of their own waits, and the thread stands."""
        name = f"c-parity-{next(self._names)}"
        shopper = {"id": "s-77", "name": "Sarah K.", "email": "sarah@example.com", "tier": "vip"}
        answer = await self.world.escalate(**{"conversation_id": name, "shopper": shopper} | changes)
        return await self.found(int(answer["number"]), str(changes.get("conversation_id") or name))

    async def claimed(self, **changes: Any) -> Case:
        """… and Dana has claimed it."""
        case = await self.case(**changes)
        await self.press(self.dana, case, "claim")
        await self.shows(case, "Dana Miller has it")
        return case

    async def stored(self, case: Case) -> Json:
        """The case as the console has it."""
        status, found = await self.world.as_lead("GET", f"conversations/{case.number}")
        assert status == 200
        return dict(found)

    async def stream(self, case: Case) -> Tap:
        """The shopper's window."""
        return await self.world.stream(0, case.conversation)

    async def shopper_writes(self, case: Case, text: str) -> None:
        """Typed into the widget."""
        body = {"id": f"w-{case.number}-{text}", "text": text}
        status, answer = await self.world.as_shopper("messages", body, case.conversation)
        assert status == 200, answer

    async def brief(self, day: str) -> None:
        """The team's day begins."""
        answer = await self.world.baton.bus.submit(OpenBrief("support", day))
        assert answer is not None
        await self.world.baton._chats[self.platform].announce(self.room, answer)

    # What differs

    @property
    def room(self) -> str:
        """The team's channel, as the policy names it."""
        raise NotImplementedError

    async def start(self) -> None:
        """Open the house."""
        await self.world.start()

    async def stop(self) -> None:
        """Close it."""
        await self.world.stop()

    async def found(self, number: int, conversation: str) -> Case:
        """Where that case's thread is, once its transcript stands."""
        raise NotImplementedError

    def card(self, case: Case) -> str:
        """What the card says."""
        raise NotImplementedError

    def thread(self, case: Case) -> str:
        """What the thread says below it."""
        raise NotImplementedError

    async def shows(self, case: Case, part: str) -> None:
        """Wait until the card says that."""
        raise NotImplementedError

    async def says(self, case: Case, part: str) -> None:
        """Wait until the thread says that."""
        raise NotImplementedError

    async def write(self, user: str, case: Case, text: str) -> str:
        """Say something in the thread."""
        raise NotImplementedError

    async def verb(self, user: str, case: Case, words: str) -> None:
        """A verb to the bot, in the thread."""
        raise NotImplementedError

    async def command(self, user: str, words: str) -> None:
        """`/handoff` in the channel."""
        raise NotImplementedError

    async def press(self, user: str, case: Case, action: str) -> None:
        """A button of the card."""
        raise NotImplementedError

    async def offered(self, user: str, case: Case, action: str) -> None:
        """A button of a post in the thread, once it is there."""
        raise NotImplementedError

    async def form(self, user: str, case: Case, action: str, **values: str) -> None:
        """Choose that of the card's menu, and fill in what is asked: a label, or a text."""
        raise NotImplementedError

    async def reply(self, user: str, case: Case, name: str, part: str, text: str) -> None:
        """Pick a saved reply, read it over (it says `part`), change it to `text`, send it."""
        raise NotImplementedError

    async def told(self, user: str, part: str) -> str:
        """Wait until that person was told something with those words."""
        raise NotImplementedError

    async def act(self, user: str, action: str, case: Case) -> None:
        """Press a button of the last listing that person was shown, for that case; a question is answered with yes."""
        raise NotImplementedError

    async def queue(self, user: str) -> str:
        """The queue at its fullest: the Home tab, or what stands for it."""
        raise NotImplementedError

    async def send_to_shopper(self, user: str, case: Case, message: str) -> None:
        """The entry of a message's menu."""
        raise NotImplementedError

    async def share_out(self, user: str) -> None:
        """The brief's button."""
        raise NotImplementedError

    def guest(self) -> str:
        """Somebody of no team."""
        raise NotImplementedError

    async def edit(self, case: Case, message: str, text: str) -> None:
        """Their own message reads differently now."""
        raise NotImplementedError

    async def delete(self, case: Case, message: str) -> None:
        """They took it back."""
        raise NotImplementedError

    async def marked(self, case: Case, message: str) -> None:
        """Wait for a receipt on their message."""
        raise NotImplementedError

    def refuse(self, text: str) -> None:
        """The next post with that text is refused by the platform for good."""
        raise NotImplementedError

    def mention(self, user: str) -> str:
        """As their client writes it."""
        return f"<@{user}>"


def options_of_menu(blocks: list[Any]) -> list[str]:
    """What a card's overflow menu offers."""
    menus = [one for block in blocks for one in block.get("elements", ()) if one.get("type") == "overflow"]
    return [option["value"] for menu in menus for option in menu["options"]]


class _SlackHouse(Lab):
    def _settings(self, port: int) -> Settings:
        return replace(super()._settings(port), replies=REPLIES)


class InSlack(Team):
    """The team in Slack."""

    platform = "slack"

    def __init__(self, database: str) -> None:
        super().__init__()
        self.house = _SlackHouse(database, "socket", others={"billing": {}}, timing=PACE)
        self.world = self.house
        self.slack = self.house.slack
        self._wrong: list[str] = []

    @property
    def room(self) -> str:
        return "#support"

    async def found(self, number: int, conversation: str) -> Case:
        def stands() -> Any:
            roots = [one for one in self.house.threads() if f"#{number}" in one.card]
            return roots[0] if roots and roots[0].posts else None

        thread = await self.slack.wait_for(stands, PATIENCE)
        return Case(number, conversation, thread.channel, thread.root)

    def card(self, case: Case) -> str:
        return self.slack.text_of(self.slack.message(case.channel, case.root))

    def thread(self, case: Case) -> str:
        posts = self.slack.thread(case.channel, case.root)[1:]
        return "\n".join(self.slack.text_of(post) for post in posts if post.bot_id)

    async def shows(self, case: Case, part: str) -> None:
        await self.slack.wait_for(lambda: part in self.card(case), PATIENCE)

    async def says(self, case: Case, part: str) -> None:
        await self.slack.wait_for(lambda: part in self.thread(case), PATIENCE)

    async def write(self, user: str, case: Case, text: str) -> str:
        return await self.slack.post(user, case.channel, text, thread_ts=case.root)

    async def verb(self, user: str, case: Case, words: str) -> None:
        await self.write(user, case, f"<@{self.slack.bot_user_id}> {words}")

    async def command(self, user: str, words: str) -> None:
        before = len(self.slack.ephemerals)
        await self.slack.command(user, self.house.channel, "/handoff", words)
        await self.slack.wait_for(lambda: len(self.slack.ephemerals) > before, PATIENCE)

    async def press(self, user: str, case: Case, action: str) -> None:
        await self._click(user, case, case.root, action)

    async def _click(self, user: str, case: Case, message: str, action: str) -> None:
        shown = self.slack.message(case.channel, message)
        await self.slack.wait_for(lambda: action in buttons(shown), PATIENCE)
        delivery = await self.slack.click(user, case.channel, message, f"baton:{action}")
        await self.slack.wait_for(lambda: delivery.done, PATIENCE)
        assert delivery.acked

    async def offered(self, user: str, case: Case, action: str) -> None:
        def there() -> Any:
            posts = self.slack.thread(case.channel, case.root)[1:]
            return next((post for post in posts if action in buttons(post)), None)

        await self._click(user, case, (await self.slack.wait_for(there, PATIENCE)).ts, action)

    async def _window(self, user: str, part: str = "") -> View:
        def there() -> View | None:
            view = self.slack.window(user)
            ready = view and "One moment" not in self.slack.text_of(view) and part in str(view.content)
            return view if ready else None

        return await self.slack.wait_for(there, PATIENCE)

    async def _chosen(self, user: str, case: Case, action: str) -> View:
        root = self.slack.message(case.channel, case.root)
        await self.slack.wait_for(lambda: options_of_menu(root.blocks), PATIENCE)
        values = options_of_menu(root.blocks)
        direct = next((one for one in values if one.startswith(f"{action}|")), None)
        chosen = direct or next(one for one in values if one.startswith("more|"))
        await self.slack.click(user, case.channel, case.root, "baton:menu", chosen)
        if direct is None:
            view = await self._window(user)
            await self.slack.click_in_view(user, view.id, f"baton:{action}")
        return await self._window(user, "field:")

    async def form(self, user: str, case: Case, action: str, **values: str) -> None:
        view = await self._chosen(user, case, action)
        await self.slack.submit(user, view.id, {name: self._value(view, one) for name, one in values.items()})
        await self.slack.wait_for(lambda: view.closed or view.errors, PATIENCE)
        self._wrong += list(view.errors.values())
        if view.errors:
            await self.slack.close(view.id)

    def _value(self, view: View, given: str) -> str:
        """A choice by its label."""
        fields = [block.get("element") or {} for block in view.content["blocks"]]
        choices = [option for one in fields for option in one.get("options", ())]
        return next((str(one["value"]) for one in choices if given in one["text"]["text"]), given)

    async def reply(self, user: str, case: Case, name: str, part: str, text: str) -> None:
        view = await self._chosen(user, case, "saved_reply")
        await self.slack.click_in_view(user, view.id, "baton:next", self._value(view, name))
        view = await self._window(user, "field:text")
        assert part in str(view.content)
        await self.slack.submit(user, view.id, {"text": text})
        await self.slack.wait_for(lambda: view.closed, PATIENCE)

    async def told(self, user: str, part: str) -> str:
        def seen() -> str:
            window = self.slack.window(user)
            texts = [self.slack.text_of(one) for one in self.slack.ephemerals if one.user == user]
            texts += [self.slack.text_of(window)] if window else []
            return next((text for text in [*texts, *self._wrong] if part in text), "")

        return str(await self.slack.wait_for(seen, PATIENCE))

    async def act(self, user: str, action: str, case: Case) -> None:
        def listed() -> Any:
            own = [one for one in self.slack.ephemerals if one.user == user]
            return next(
                ((one, found) for one in reversed(own) if (found := self._button(one, action, case))), None
            )

        shown, found = await self.slack.wait_for(listed, PATIENCE)
        await self.slack.click(user, shown.channel, shown.ts, found["action_id"], found["value"])

    def _button(self, shown: Any, action: str, case: Case) -> Any:
        """The button of that case; its value may say more than the number."""
        elements = [one for block in shown.blocks for one in block.get("elements", ())]
        mine = [one for one in elements if str(one.get("value")).split(":")[0] == str(case.number)]
        return next((one for one in mine if one["action_id"].startswith(f"baton:{action}")), None)

    async def queue(self, user: str) -> str:
        await self.slack.open_home(user)
        view = await self.slack.wait_for(lambda: self.slack.homes.get(user), PATIENCE)
        return self.slack.text_of(view)

    async def send_to_shopper(self, user: str, case: Case, message: str) -> None:
        await self.slack.settled()
        await self.slack.shortcut(user, "baton:send_to_shopper", case.channel, message)

    async def share_out(self, user: str) -> None:
        def there() -> Any:
            return [one for one in self.slack.messages(self.house.channel) if "share_out" in str(one.blocks)]

        brief = (await self.slack.wait_for(there, PATIENCE))[-1]
        await self.slack.click(user, brief.channel, brief.ts, "baton:share_out")

    def guest(self) -> str:
        return self.slack.add_user("Gus Guest")

    async def edit(self, case: Case, message: str, text: str) -> None:
        await self.slack.edit(case.channel, message, text)

    async def delete(self, case: Case, message: str) -> None:
        await self.slack.delete(case.channel, message)

    async def marked(self, case: Case, message: str) -> None:
        await self.slack.wait_for(lambda: self.slack.message(case.channel, message).reactions, PATIENCE)

    def refuse(self, text: str) -> None:
        fault = Fault.error("msg_too_long")
        self.slack.faults.add("chat.postMessage", fault, times=1, when=lambda args: text in str(args))


OPTIONS = {
    "assign": "person", "move": "team", "priority": "level", "tag": "tags", "snooze": "until", "note": "text",
    "resolve": "kind", "outcome": "kind", "find": "words", "away": "until", "help": "verb",
}  # fmt: skip
"""What a verb's words are called as an option of the command."""
ABOUT_NONE = frozenset({"find", "away", "back", "stats", "failed", "help", "queue", "mine"})


class InDiscord(Team):
    """The team in Discord."""

    platform = "discord"

    def __init__(self, database: str) -> None:
        super().__init__()
        self.house = DiscordWorld(database, others=("billing",), replies=REPLIES, timing=PACE)
        self.world = self.house
        self.discord = self.house.discord

    @property
    def room(self) -> str:
        return self.house.channel

    async def found(self, number: int, conversation: str) -> Case:
        card = await self.house.card(number)
        return Case(number, conversation, card.channel_id, card.id)

    def card(self, case: Case) -> str:
        return self.discord.text_of(self.discord.message(case.channel, case.root))

    def thread(self, case: Case) -> str:
        posts = self.discord.thread(case.channel, case.root)[1:]
        return "\n".join(self.discord.text_of(one) for one in posts if one.author not in self._people)

    @property
    def _people(self) -> set[str]:
        return {self.dana, self.bob, self.lena}

    async def shows(self, case: Case, part: str) -> None:
        await self.discord.wait_for(lambda: part in self.card(case), PATIENCE)

    async def says(self, case: Case, part: str) -> None:
        await self.discord.wait_for(lambda: part in self.thread(case), PATIENCE)

    async def write(self, user: str, case: Case, text: str) -> str:
        return await self.discord.post(user, case.channel, text, case.root)

    async def verb(self, user: str, case: Case, words: str) -> None:
        await self.write(user, case, f"<@{self.discord.bot_id}> {words}")

    async def command(self, user: str, words: str) -> None:
        verb, _, rest = words.partition(" ")
        options: dict[str, Any] = {}
        if verb not in ABOUT_NONE:
            options["case"], _, rest = rest.partition(" ")
        if rest:
            options[OPTIONS[verb]] = rest
        if verb == "away":
            options = {"until": rest.removeprefix("until ")} if rest else {}
        await self.house.type(user, verb, **options)

    async def press(self, user: str, case: Case, action: str) -> None:
        await self.house.press(user, self.discord.message(case.channel, case.root), action)

    async def offered(self, user: str, case: Case, action: str) -> None:
        def there() -> Any:
            posts = self.discord.thread(case.channel, case.root)[1:]
            return next((post for post in posts if pressable(post, action)), None)

        await self.house.press(user, await self.discord.wait_for(there, PATIENCE), action)

    async def form(self, user: str, case: Case, action: str, **values: str) -> None:
        opened = await self.house.press(user, self.discord.message(case.channel, case.root), action)
        assert opened.modal is not None, opened.text
        given = {name: self._value(opened.modal.content, name, one) for name, one in values.items()}
        await self.house.fill(user, opened, **given)

    def _value(self, modal: Any, name: str, given: str) -> Any:
        """A choice by its label."""
        fields = [one.get("component") or {} for one in modal["components"]]
        field = next(one for one in fields if one.get("custom_id") == name)
        if "options" not in field:
            return given
        return [next(one["value"] for one in field["options"] if given in one["label"])]

    async def reply(self, user: str, case: Case, name: str, part: str, text: str) -> None:
        opened = await self.house.press(user, self.discord.message(case.channel, case.root), "saved_reply")
        assert opened.modal is not None
        draft = await self.house.fill(user, opened, reply=self._value(opened.modal.content, "reply", name))
        assert part in draft.text
        assert draft.reply is not None
        again = await self.house.press(user, draft.reply, "change")
        await self.house.fill(user, again, text=text)

    async def told(self, user: str, part: str) -> str:
        def seen() -> str:
            own = [one.text for one in self.discord.interactions if one.user == user and one.kind != 4]
            mine = {
                one.id
                for place in self._places()
                for one in self.discord.messages(place)
                if one.author == user
            }
            replies = [
                self.discord.text_of(one) for place in self._places() for one in self.discord.messages(place)
                if (one.reference or {}).get("message_id") in mine
            ]  # fmt: skip
            return next((text for text in [*own, *replies] if part in text), "")

        return str(await self.discord.wait_for(seen, PATIENCE))

    def _places(self) -> list[str]:
        return [self.house.channel, *(one.id for one in self.discord.threads(self.house.channel))]

    async def act(self, user: str, action: str, case: Case) -> None:
        named = (f"baton:{action}:{case.number}", f"baton:ask:{action}:{case.number}")

        def shown() -> Any:
            own = [one for one in self.discord.interactions if one.user == user]
            messages = [each for one in own for each in (one.reply, *one.followups) if each is not None]
            return next(
                (one for one in reversed(messages) if any(name in str(one.components) for name in named)),
                None,
            )

        message = await self.discord.wait_for(shown, PATIENCE)
        await self.house.press(user, message, f"{action}:{case.number}")

    async def queue(self, user: str) -> str:
        return (await self.house.type(user, "queue")).text

    async def send_to_shopper(self, user: str, case: Case, message: str) -> None:
        await self.marked(case, message)  # nobody points at a message before Baton has heard it
        interaction = await self.discord.context_menu(user, case.channel, message, "Send to shopper")
        await interaction.outcome()
        assert not interaction.failed

    async def share_out(self, user: str) -> None:
        def there() -> Any:
            found = self.discord.messages(self.house.channel)
            return [one for one in found if "baton:share_out" in str(one.components)]

        await self.house.press(user, (await self.discord.wait_for(there, PATIENCE))[-1], "share_out")

    def guest(self) -> str:
        guest = self.discord.add_user("Gus Guest")
        visitor = self.discord.add_role("visitor", permissions="view_channel")
        self.discord.world.members[guest].roles = [visitor]  # may see the channel, and write nowhere
        return guest

    async def edit(self, case: Case, message: str, text: str) -> None:
        await self.discord.edit(case.root, message, text)

    async def delete(self, case: Case, message: str) -> None:
        await self.discord.delete(case.root, message)

    async def marked(self, case: Case, message: str) -> None:
        await self.discord.wait_for(lambda: self.discord.message(case.root, message).reactions, PATIENCE)

    def refuse(self, text: str) -> None:
        for method in ("create_message", "execute_webhook"):
            fault = Fault.error("50035")
            self.discord.faults.add(method, fault, times=1, when=lambda args: text in str(args))
