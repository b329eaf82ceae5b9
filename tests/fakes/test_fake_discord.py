"""The fake Discord is only worth something if the real discord.py meets in it what it would meet at Discord."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import discord as library
import pytest
from discord import app_commands, ui

from tests.fakes.discord import FakeDiscord, Fault, Interaction, global_limit, pointed_at
from tests.fakes.discord.limits import BUCKETS
from tests.waiting import until

Connect = Callable[..., Any]


@pytest.fixture
async def discord() -> AsyncIterator[FakeDiscord]:
    async with FakeDiscord() as fake:
        yield fake


@pytest.fixture
def ann(discord: FakeDiscord) -> str:
    return discord.add_user("Ann Lee")


@pytest.fixture
def room(discord: FakeDiscord) -> str:
    return discord.add_channel("support")


class Press(ui.DynamicItem[ui.Button], template=r"press:(?P<number>\d+)"):
    """A button that lives in its custom_id."""

    def __init__(self, number: int) -> None:
        super().__init__(ui.Button(label=f"Press {number}", custom_id=f"press:{number}"))
        self.number = number

    @classmethod
    async def from_custom_id(cls, _: Any, __: ui.Item[Any], match: re.Match[str]) -> Press:
        return cls(int(match["number"]))

    async def callback(self, interaction: library.Interaction) -> None:
        await interaction.response.send_message(f"pressed {self.number}", ephemeral=True)


class Form(ui.Modal, title="Close the case"):
    """A modal of each kind of field that Baton may use."""

    note: Any = ui.Label(text="Note", component=ui.TextInput(custom_id="note", min_length=3, max_length=20))
    outcome: Any = ui.Label(
        text="Outcome",
        component=ui.Select(
            custom_id="outcome", options=[library.SelectOption(label="Refunded", value="refund")]
        ),
    )
    who: Any = ui.Label(text="To", component=ui.UserSelect(custom_id="who", required=False, min_values=0))

    async def on_submit(self, interaction: library.Interaction) -> None:
        people = [one.display_name for one in self.who.component.values]
        text = f"{self.note.component.value} · {self.outcome.component.values} · {people}"
        await interaction.response.send_message(text)


class Everything(ui.Modal, title="Everything"):
    """The newer fields of modals."""

    way: Any = ui.Label(
        text="How",
        component=ui.RadioGroup(
            custom_id="way",
            options=[library.RadioGroupOption(label=one, value=one.lower()) for one in ("Mail", "Chat")],
        ),
    )
    also: Any = ui.Label(
        text="Also",
        component=ui.CheckboxGroup(
            custom_id="also",
            required=False,
            min_values=0,
            options=[library.CheckboxGroupOption(label="Coupon", value="coupon", default=True)],
        ),
    )
    sure: Any = ui.Label(text="Sure", component=ui.Checkbox(custom_id="sure"))
    proof: Any = ui.Label(text="Proof", component=ui.FileUpload(custom_id="proof", required=False))

    async def on_submit(self, interaction: library.Interaction) -> None:
        fields = (self.way, self.sure)
        files = [one.filename for one in self.proof.component.values]
        shown = [*(one.component.value for one in fields), *self.also.component.values, *files]
        await interaction.response.send_message(" ".join(str(one) for one in shown))


class Bot:
    """A discord.py client that keeps what reaches it."""

    def __init__(self, discord: FakeDiscord, intents: library.Intents) -> None:
        self.discord = discord
        self.heard: list[library.Message] = []
        self.edits: list[library.RawMessageUpdateEvent] = []
        self.deletes: list[library.RawMessageDeleteEvent] = []
        self.reactions: list[library.RawReactionActionEvent] = []
        self.readies = self.resumes = 0
        mentions = library.AllowedMentions.none()
        self.client = library.Client(intents=intents, guild_ready_timeout=0.02, allowed_mentions=mentions)
        self.tree = app_commands.CommandTree(self.client)
        self.client.add_dynamic_items(Press)
        for listener in (self.on_ready, self.on_resumed, self.on_message, self.on_raw_reaction_add):
            self.client.event(listener)
        self.client.event(self.on_raw_message_edit)
        self.client.event(self.on_raw_message_delete)
        self._add_commands()

    @property
    def guild(self) -> library.Guild:
        guild = self.client.get_guild(int(self.discord.guild_id))
        assert guild is not None
        return guild

    def room(self, channel: str) -> Any:
        return self.guild.get_channel_or_thread(int(channel))

    async def on_ready(self) -> None:
        self.readies += 1

    async def on_resumed(self) -> None:
        self.resumes += 1

    async def on_message(self, message: library.Message) -> None:
        if message.type in (library.MessageType.default, library.MessageType.reply):
            self.heard.append(message)

    async def on_raw_message_edit(self, event: library.RawMessageUpdateEvent) -> None:
        self.edits.append(event)

    async def on_raw_message_delete(self, event: library.RawMessageDeleteEvent) -> None:
        self.deletes.append(event)

    async def on_raw_reaction_add(self, event: library.RawReactionActionEvent) -> None:
        self.reactions.append(event)

    @property
    def texts(self) -> list[str]:
        return [one.content for one in self.heard]

    async def sync(self) -> None:
        await self.tree.sync(guild=library.Object(int(self.discord.guild_id)))

    def _add_commands(self) -> None:
        group = app_commands.Group(name="handoff", description="Cases")

        @group.command(name="queue", description="Who waits")
        async def queue(interaction: library.Interaction, page: int = 1) -> None:
            await interaction.response.send_message(f"page {page}", ephemeral=True)

        @group.command(name="assign", description="Give a case to somebody")
        async def assign(interaction: library.Interaction, case: str, to: library.Member) -> None:
            await interaction.response.defer(ephemeral=True)
            await interaction.edit_original_response(content=f"{case} to {to.display_name}")
            await interaction.followup.send("told", ephemeral=True)

        @assign.autocomplete("case")
        async def cases(_: library.Interaction, typed: str) -> list[app_commands.Choice[str]]:
            return [app_commands.Choice(name=f"#{typed}{n}", value=f"{typed}{n}") for n in range(3)]

        @group.command(name="close", description="Close")
        async def close(interaction: library.Interaction) -> None:
            await interaction.response.send_modal(Form())

        @group.command(name="everything", description="All fields")
        async def everything(interaction: library.Interaction) -> None:
            await interaction.response.send_modal(Everything())

        @group.command(name="sleep", description="Never answers")
        async def sleep(_: library.Interaction) -> None:
            return

        @app_commands.context_menu(name="Send to shopper")
        async def send(interaction: library.Interaction, message: library.Message) -> None:
            await interaction.response.send_message(f"sent {message.content}", ephemeral=True)

        where = library.Object(int(self.discord.guild_id))
        self.tree.add_command(group, guild=where)
        self.tree.add_command(send, guild=where)


@pytest.fixture
async def connect(discord: FakeDiscord) -> AsyncIterator[Connect]:
    with pointed_at(discord, hurried=True):

        @asynccontextmanager
        async def run(intents: library.Intents | None = None) -> AsyncIterator[Bot]:
            bot = Bot(discord, intents or library.Intents.all())
            running = asyncio.create_task(bot.client.start(discord.token))
            try:
                await until(lambda: bot.readies or running.done())
                yield bot
            finally:
                await bot.client.close()
                await asyncio.gather(running, return_exceptions=True)

        yield run


async def refusal(call: Awaitable[Any]) -> int:
    with pytest.raises(library.HTTPException) as caught:
        await call
    return caught.value.code


# Logging in


async def test_a_client_is_ready_with_its_guild_members_channels_and_active_threads(
    discord: FakeDiscord, connect: Connect, ann: str, room: str
) -> None:
    root = await discord.post(ann, room, "root")
    await discord.start_thread(ann, room, root, "case")
    async with connect() as bot:
        assert [one.name for one in bot.guild.text_channels] == ["support"]
        assert {one.display_name for one in bot.guild.members} == {"Ann Lee", "Baton"}
        assert [one.id for one in bot.guild.threads] == [int(root)]
        assert bot.room(room).permissions_for(bot.guild.me).manage_webhooks


async def test_a_wrong_token_cannot_log_in(discord: FakeDiscord) -> None:
    with pointed_at(discord):
        client = library.Client(intents=library.Intents.none())
        with pytest.raises(library.LoginFailure):
            await client.login("wrong")
        await client.close()
    assert discord.calls_to("get_me")[0].error == 0
    assert discord.invalid_requests == 1


async def test_an_intent_that_the_portal_does_not_allow_closes_the_connection(discord: FakeDiscord) -> None:
    discord.privileged_intents = {"members"}
    with pointed_at(discord):
        client = library.Client(intents=library.Intents.all())
        with pytest.raises(library.PrivilegedIntentsRequired):
            await client.start(discord.token)
        await client.close()


async def test_a_token_that_is_revoked_ends_the_connection_and_every_call(
    discord: FakeDiscord, connect: Connect, room: str
) -> None:
    async with connect() as bot:
        discord.revoke_token()
        await until(bot.client.is_closed)
        assert not discord.connections


async def test_a_client_without_the_message_content_intent_sees_empty_messages(
    discord: FakeDiscord, connect: Connect, ann: str, room: str
) -> None:
    async with connect(library.Intents.default()) as bot:
        await discord.post(ann, room, "secret")
        await discord.post(ann, room, f"<@{discord.bot_id}> open")
        await until(lambda: len(bot.heard) == 2)
        assert sorted(bot.texts) == ["", f"<@{discord.bot_id}> open"]


# Messages


async def test_a_repeated_nonce_gives_the_first_message_and_is_not_kept(
    discord: FakeDiscord, connect: Connect, room: str
) -> None:
    async with connect() as bot:
        first = await bot.room(room).send("hello", nonce="delivery-1")
        second = await bot.room(room).send("hello", nonce="delivery-1")
        other = await bot.room(room).send("hello", nonce="delivery-2")
        assert first.id == second.id != other.id
        assert second.nonce == "delivery-1"
        assert len(discord.messages(room)) == 2
        read = [one async for one in bot.room(room).history()]
        assert [one.nonce for one in read] == [None, None]


async def test_a_nonce_is_forgotten_after_a_few_minutes(
    discord: FakeDiscord, connect: Connect, room: str
) -> None:
    discord.nonce_seconds = 0
    async with connect() as bot:
        first = await bot.room(room).send("hello", nonce="delivery-1")
        second = await bot.room(room).send("hello", nonce="delivery-1")
        assert first.id != second.id


async def test_a_client_hears_posts_edits_deletes_and_reactions_in_a_thread(
    discord: FakeDiscord, connect: Connect, ann: str, room: str
) -> None:
    async with connect() as bot:
        root = await bot.room(room).send("the card")
        thread = await root.create_thread(name="case")
        said = await discord.post(ann, room, "hello", str(root.id))
        await discord.edit(room, said, "hello!")
        await discord.react(ann, room, said, "👀")
        await discord.delete(room, said)
        await until(lambda: bot.deletes and bot.reactions and bot.edits)
        assert [one.channel.id for one in bot.heard if one.id == int(said)] == [thread.id]
        assert [one.data["content"] for one in bot.edits if one.message_id == int(said)] == ["hello!"]
        assert str(bot.reactions[0].emoji) == "👀"
        assert bot.deletes[0].message_id == int(said)


async def test_only_those_whom_allowed_mentions_names_are_pinged(
    discord: FakeDiscord, connect: Connect, ann: str, room: str
) -> None:
    bob, crew = discord.add_user("Bob"), discord.add_role("crew2", mentionable=True)
    eve = discord.add_user("Eve", roles=[crew])
    text = f"<@{ann}> <@{bob}> <@&{crew}> @everyone `<@{eve}>`"
    async with connect() as bot:
        quiet = await bot.room(room).send(text)
        named = library.AllowedMentions(users=[library.Object(int(ann))], everyone=False, roles=False)
        one = await bot.room(room).send(text, allowed_mentions=named)
        role = await bot.room(room).send(
            text, allowed_mentions=library.AllowedMentions(users=False, everyone=False, roles=True)
        )
        loud = await bot.room(room).send(text, allowed_mentions=library.AllowedMentions.all())
        pinged = [set(discord.message(room, str(each.id)).pinged) for each in (quiet, one, role, loud)]
        assert pinged == [set(), {ann}, {eve}, {ann, bob, eve}]


async def test_a_reply_shows_what_it_answers(
    discord: FakeDiscord, connect: Connect, ann: str, room: str
) -> None:
    async with connect() as bot:
        first = await bot.room(room).send("question")
        await discord.post(ann, room, "answer", reply_to=str(first.id))
        await until(lambda: "answer" in bot.texts)
        (reply,) = [one for one in bot.heard if one.content == "answer"]
        assert reply.reference is not None
        assert reply.reference.message_id == first.id


async def test_files_are_uploaded_and_their_addresses_expire_but_are_renewed(
    discord: FakeDiscord, connect: Connect, room: str, tmp_path: Any
) -> None:
    discord.cdn_seconds = 0.0
    photo = tmp_path / "photo.png"
    photo.write_bytes(b"PNG")
    async with connect() as bot:
        sent = await bot.room(room).send("see", file=library.File(photo, description="A lamp"))
        assert (sent.attachments[0].filename, sent.attachments[0].description) == ("photo.png", "A lamp")
        with pytest.raises(library.NotFound):
            await sent.attachments[0].read()
        discord.cdn_seconds = 60.0
        again = await bot.room(room).fetch_message(sent.id)
        assert await again.attachments[0].read() == b"PNG"
    assert [one.content for one in discord.uploads] == [b"PNG"]


async def test_a_persons_file_arrives_with_its_message(
    discord: FakeDiscord, connect: Connect, ann: str, room: str
) -> None:
    async with connect() as bot:
        file = discord.add_file(ann, "note.txt", b"hello", "text/plain")
        await discord.post(ann, room, "", files=[file])
        await until(lambda: bot.heard)
        assert await bot.heard[0].attachments[0].read() == b"hello"


async def test_history_can_be_read_from_an_id_on_in_the_order_written(
    discord: FakeDiscord, connect: Connect, ann: str, room: str
) -> None:
    ids = [await discord.post(ann, room, f"{number}") for number in range(130)]
    async with connect() as bot:
        after = library.Object(int(ids[9]))
        read = [
            one.content async for one in bot.room(room).history(after=after, limit=None, oldest_first=True)
        ]
        assert read == [f"{number}" for number in range(10, 130)]


# Threads


async def test_a_thread_has_its_messages_id_and_cannot_be_made_twice(
    discord: FakeDiscord, connect: Connect, room: str
) -> None:
    async with connect() as bot:
        root = await bot.room(room).send("the card")
        thread = await root.create_thread(name="case")
        assert thread.id == root.id
        assert await refusal(root.create_thread(name="case")) == 160004
        assert (await bot.guild.fetch_channel(root.id)).name == "case"


async def test_a_thread_outlives_its_root(
    discord: FakeDiscord, connect: Connect, ann: str, room: str
) -> None:
    async with connect() as bot:
        root = await bot.room(room).send("the card")
        thread = await root.create_thread(name="case")
        await discord.delete(room, str(root.id))
        await thread.send("still here")
        assert await refusal(root.edit(content="x")) == 10008
        assert [one.content for one in discord.thread(room, str(root.id))] == ["still here"]


async def test_writing_wakes_an_archived_thread_but_editing_in_it_is_refused(
    discord: FakeDiscord, connect: Connect, room: str
) -> None:
    async with connect() as bot:
        root = await bot.room(room).send("the card")
        thread = await root.create_thread(name="case")
        said = await thread.send("one")
        await discord.archive(str(thread.id))
        assert await refusal(said.edit(content="two")) == 50083
        assert await refusal(said.add_reaction("✅")) == 50083
        await thread.send("awake")
        assert not discord.channel(str(thread.id)).archived
        await said.edit(content="two")


async def test_a_locked_thread_takes_only_those_who_manage_threads(
    discord: FakeDiscord, connect: Connect, ann: str, room: str
) -> None:
    async with connect() as bot:
        root = await bot.room(room).send("the card")
        thread = await root.create_thread(name="case")
        await discord.archive(str(thread.id), locked=True)
        with pytest.raises(AssertionError, match="locked"):
            await discord.post(ann, room, "hello", str(root.id))
        await thread.send("the bot manages threads")
        discord.revoke("manage_threads")
        assert await refusal(thread.send("no more")) == 160005
        await discord.archive(str(thread.id))
        assert await refusal(thread.send("no more")) == 50083


async def test_archived_threads_are_listed_and_their_history_read(
    discord: FakeDiscord, connect: Connect, ann: str, room: str
) -> None:
    root = await discord.post(ann, room, "root")
    thread = await discord.start_thread(ann, room, root, "case")
    await discord.post(ann, thread, "hello")
    await discord.archive(thread)
    async with connect() as bot:
        (found,) = [one async for one in bot.room(room).archived_threads()]
        assert [one.content async for one in found.history() if one.content] == ["hello"]
        assert not await bot.guild.active_threads()


async def test_the_third_rename_in_ten_minutes_waits(
    discord: FakeDiscord, connect: Connect, room: str
) -> None:
    async with connect() as bot:
        bot.client.http.max_ratelimit_timeout = 30.0
        thread = await (await bot.room(room).send("card")).create_thread(name="0")
        await thread.edit(name="1")
        await thread.edit(name="2")
        with pytest.raises(library.RateLimited):
            await thread.edit(name="3")
        assert discord.channel(str(thread.id)).name == "2"


# Webhooks


async def test_a_webhook_writes_under_a_shoppers_name_into_a_thread(
    discord: FakeDiscord, connect: Connect, room: str
) -> None:
    async with connect() as bot:
        hook = await bot.room(room).create_webhook(name="Baton relay")
        thread = await (await bot.room(room).send("card")).create_thread(name="case")
        sent = await hook.send("My lamp broke", username="Sarah K.", thread=thread, wait=True)
        await until(lambda: "My lamp broke" in bot.texts)
        heard = next(one for one in bot.heard if one.content == "My lamp broke")
        assert (heard.author.name, heard.webhook_id, heard.channel.id) == ("Sarah K.", hook.id, thread.id)
        await hook.edit_message(sent.id, content="My lamps broke", thread=thread)
        (stored,) = discord.messages(str(thread.id))
        assert (stored.content, stored.username) == ("My lamps broke", "Sarah K.")
        await hook.delete_message(sent.id, thread=thread)
        assert not discord.messages(str(thread.id))
        assert [one.id for one in await bot.room(room).webhooks()] == [hook.id]


async def test_a_webhook_may_not_call_itself_discord(
    discord: FakeDiscord, connect: Connect, room: str
) -> None:
    async with connect() as bot:
        hook = await bot.room(room).create_webhook(name="Baton relay")
        for name in ("Discord Fan", "Clyde", "x" * 81):
            assert await refusal(hook.send("hello", username=name, wait=True)) == 50035
        assert await refusal(bot.room(room).create_webhook(name="My discord")) == 50035


async def test_a_webhook_that_was_deleted_is_unknown(
    discord: FakeDiscord, connect: Connect, room: str
) -> None:
    async with connect() as bot:
        hook = await bot.room(room).create_webhook(name="Baton relay")
        discord.world.webhooks.clear()
        assert await refusal(hook.send("hello", wait=True)) == 10015


async def test_a_webhooks_429_is_waited_for(discord: FakeDiscord, connect: Connect, room: str) -> None:
    async with connect() as bot:
        hook = await bot.room(room).create_webhook(name="Baton relay")
        discord.faults.add("execute_webhook", Fault.rate_limit(0.05))
        await hook.send("hello", wait=True)
        assert [call.status for call in discord.calls_to("execute_webhook")] == [429, 200]


# Interactions


async def done(doing: Awaitable[Interaction]) -> Interaction:
    return await (await doing).outcome()


async def test_commands_are_synced_and_answered_out_of_everybody_elses_sight(
    discord: FakeDiscord, connect: Connect, ann: str, room: str
) -> None:
    async with connect() as bot:
        await bot.sync()
        assert [one["name"] for one in discord.commands] == ["handoff", "Send to shopper"]
        queue = await done(discord.command(ann, room, "handoff queue", page=3))
        assert (queue.text, queue.ephemeral) == ("page 3", True)
        assert not discord.messages(room)


async def test_a_command_works_inside_a_thread(
    discord: FakeDiscord, connect: Connect, ann: str, room: str
) -> None:
    root = await discord.post(ann, room, "root")
    thread = await discord.start_thread(ann, room, root, "case")
    async with connect() as bot:
        await bot.sync()
        queue = await done(discord.command(ann, thread, "handoff queue"))
        assert queue.text == "page 1"


async def test_a_deferred_command_is_filled_and_followed_up(
    discord: FakeDiscord, connect: Connect, ann: str, room: str
) -> None:
    async with connect() as bot:
        await bot.sync()
        assigned = await done(discord.command(ann, room, "handoff assign", case="12", to=ann))
        assert assigned.deferred
        await discord.wait_for(lambda: assigned.followups)
        assert assigned.text == "12 to Ann Lee\ntold"
        assert assigned.ephemeral


async def test_the_client_asks_for_required_options_itself(
    discord: FakeDiscord, connect: Connect, ann: str, room: str
) -> None:
    async with connect() as bot:
        await bot.sync()
        with pytest.raises(AssertionError, match="'to'"):
            await discord.command(ann, room, "handoff assign", case="12")


async def test_typing_into_an_option_gives_choices(
    discord: FakeDiscord, connect: Connect, ann: str, room: str
) -> None:
    async with connect() as bot:
        await bot.sync()
        typed = await done(discord.autocomplete(ann, room, "handoff assign", "case", "1"))
        assert typed.choices is not None
        assert [one["value"] for one in typed.choices] == ["10", "11", "12"]


async def test_a_context_menu_command_gets_its_message(
    discord: FakeDiscord, connect: Connect, ann: str, room: str
) -> None:
    said = await discord.post(ann, room, "hello")
    async with connect() as bot:
        await bot.sync()
        sent = await done(discord.context_menu(ann, room, said, "Send to shopper"))
        assert sent.text == "sent hello"


async def test_a_modal_is_shown_checked_by_the_client_and_submitted(
    discord: FakeDiscord, connect: Connect, ann: str, room: str
) -> None:
    async with connect() as bot:
        await bot.sync()
        opened = await done(discord.command(ann, room, "handoff close"))
        assert opened.modal is not None
        assert opened.modal.title == "Close the case"
        with pytest.raises(AssertionError, match="required"):
            await discord.submit(ann, opened.modal, {"outcome": "refund"})
        with pytest.raises(AssertionError, match="3 to 20"):
            await discord.submit(ann, opened.modal, {"note": "ab", "outcome": "refund"})
        sent = await done(
            discord.submit(ann, opened.modal, {"note": "done", "outcome": "Refunded", "who": [ann]})
        )
        assert sent.text == "done · ['refund'] · ['Ann Lee']"
        assert opened.modal.closed
        assert discord.window(ann) is None


async def test_a_button_of_an_old_message_works_after_a_restart(
    discord: FakeDiscord, connect: Connect, ann: str, room: str
) -> None:
    async with connect() as bot:
        view = ui.View(timeout=None).add_item(Press(7))
        card = await bot.room(room).send("card", view=view)
    async with connect():
        pressed = await done(discord.click(ann, room, str(card.id), "Press 7"))
        assert pressed.text == "pressed 7"


async def test_a_click_on_a_layout_of_components_can_change_it(
    discord: FakeDiscord, connect: Connect, ann: str, room: str
) -> None:
    class Card(ui.LayoutView):
        box = ui.Container(ui.TextDisplay("## Case 12"), ui.Separator())
        row = ui.ActionRow()

        @row.button(label="Claim", custom_id="claim")
        async def claim(self, interaction: library.Interaction, button: Any) -> None:
            button.disabled = True
            self.box.add_item(ui.TextDisplay("Claimed"))
            await interaction.response.edit_message(view=self)

    async with connect() as bot:
        card = str((await bot.room(room).send(view=Card())).id)
        shown = discord.rendered(discord.message(room, card))
        assert (shown.text, shown.labels) == ("## Case 12", ["Claim"])
        claimed = await done(discord.click(ann, room, card, "claim"))
        assert claimed.updated
        after = discord.rendered(discord.message(room, card))
        assert after.text == "## Case 12\nClaimed"
        assert after.button("claim").disabled
        with pytest.raises(AssertionError, match="disabled"):
            await discord.click(ann, room, card, "claim")


async def test_a_select_gives_its_values(discord: FakeDiscord, connect: Connect, ann: str, room: str) -> None:
    class Choice(ui.View):
        @ui.select(custom_id="tag", options=[library.SelectOption(label="Late", value="late")])
        async def tag(self, interaction: library.Interaction, select: Any) -> None:
            await interaction.response.send_message(select.values[0])

    async with connect() as bot:
        card = str((await bot.room(room).send("tag", view=Choice(timeout=None))).id)
        chosen = await done(discord.choose(ann, room, card, "tag", ["Late"]))
        assert chosen.text == "late"
        assert not chosen.ephemeral


async def test_the_newer_fields_of_a_modal_arrive(
    discord: FakeDiscord, connect: Connect, ann: str, room: str
) -> None:
    async with connect() as bot:
        await bot.sync()
        await done(discord.command(ann, room, "handoff everything"))
        with pytest.raises(AssertionError, match="'way' is required"):
            await discord.submit(ann)
        file = discord.add_file(ann, "lamp.png", b"PNG")
        sent = await done(discord.submit(ann, None, {"way": "Chat", "sure": True, "proof": file}))
        assert sent.text == "chat True coupon lamp.png"


async def test_people_roles_and_channels_can_be_chosen(
    discord: FakeDiscord, connect: Connect, ann: str, room: str
) -> None:
    class Pick(ui.View):
        @ui.select(cls=ui.UserSelect, custom_id="who", max_values=2)
        async def who(self, interaction: library.Interaction, select: Any) -> None:
            await interaction.response.send_message(" ".join(one.display_name for one in select.values))

        @ui.select(cls=ui.ChannelSelect, custom_id="where")
        async def where(self, interaction: library.Interaction, select: Any) -> None:
            await interaction.response.send_message(select.values[0].name)

    async with connect() as bot:
        card = str((await bot.room(room).send("pick", view=Pick(timeout=None))).id)
        bob = discord.add_user("Bob")
        assert (await done(discord.choose(ann, room, card, "who", [bob, ann]))).text == "Bob Ann Lee"
        assert (await done(discord.choose(ann, room, card, "where", [room]))).text == "support"
        with pytest.raises(AssertionError, match="1 to 2"):
            await discord.choose(ann, room, card, "who", [])


async def test_what_only_one_person_sees_has_buttons_too(
    discord: FakeDiscord, connect: Connect, ann: str, room: str
) -> None:
    class Sure(ui.View):
        @ui.button(label="Yes", custom_id="yes")
        async def yes(self, interaction: library.Interaction, _: Any) -> None:
            await interaction.response.edit_message(content="Gone", view=None)

    class Ask(ui.View):
        @ui.button(label="Delete", custom_id="delete")
        async def delete(self, interaction: library.Interaction, _: Any) -> None:
            await interaction.response.send_message("Sure?", view=Sure(), ephemeral=True)

    async with connect() as bot:
        card = str((await bot.room(room).send("card", view=Ask(timeout=None))).id)
        asked = await done(discord.click(ann, room, card, "delete"))
        assert asked.reply is not None
        await done(discord.click(ann, room, asked.reply.id, "Yes"))
        assert (asked.reply.content, asked.reply.components) == ("Gone", [])
        assert discord.messages(room)[0].content == "card"


async def test_a_layout_may_hold_sections_pictures_and_files(
    discord: FakeDiscord, connect: Connect, room: str
) -> None:
    class Rich(ui.LayoutView):
        section = ui.Section(ui.TextDisplay("Lamp"), accessory=ui.Thumbnail("https://example.com/lamp.png"))
        gallery = ui.MediaGallery(library.MediaGalleryItem("https://example.com/lamp.png"))
        links = ui.ActionRow(ui.Button(label="Order", url="https://example.com/4521"))

    async with connect() as bot:
        sent = await bot.room(room).send(view=Rich())
        shown = discord.rendered(discord.message(room, str(sent.id)))
        assert (shown.text, shown.buttons[0].url) == ("Lamp", "https://example.com/4521")
        assert len((await bot.room(room).fetch_message(sent.id)).components) == 3


async def test_two_clients_of_one_app_both_hear_but_only_one_answers(
    discord: FakeDiscord, connect: Connect, ann: str, room: str
) -> None:
    async with connect() as bot, connect() as other:
        await discord.connected(2)
        await discord.post(ann, room, "hello")
        await until(lambda: bot.texts == other.texts == ["hello"])
        view = ui.View(timeout=None).add_item(Press(7))
        card = await bot.room(room).send("card", view=view)
        pressed = await done(discord.click(ann, room, str(card.id), "press:7"))
        await discord.wait_for(lambda: len(discord.calls_to("interaction_callback")) == 2)
        assert pressed.text == "pressed 7"
        assert pressed.refusals == [40060]


async def test_an_interaction_that_nobody_answers_fails(
    discord: FakeDiscord, connect: Connect, ann: str, room: str
) -> None:
    discord.interaction_timeout = 0.1
    async with connect() as bot:
        await bot.sync()
        slept = await done(discord.command(ann, room, "handoff sleep"))
        assert slept.failed
        assert slept.text == "This interaction failed"


async def test_an_interaction_fails_at_once_when_no_client_is_there(
    discord: FakeDiscord, connect: Connect, ann: str, room: str
) -> None:
    async with connect() as bot:
        await bot.sync()
    assert (await discord.command(ann, room, "handoff queue")).failed


# The gateway


async def test_a_dropped_connection_is_resumed_and_what_happened_meanwhile_replayed(
    discord: FakeDiscord, connect: Connect, ann: str, room: str
) -> None:
    async with connect() as bot:
        discord.drop_sockets()
        await discord.post(ann, room, "in the gap")
        await until(lambda: bot.resumes == 1)
        await until(lambda: bot.texts == ["in the gap"])
        assert bot.readies == 1


async def test_after_an_invalid_session_the_gap_is_lost(
    discord: FakeDiscord, connect: Connect, ann: str, room: str
) -> None:
    async with connect() as bot:
        discord.drop_sockets()
        discord.forget_sessions()
        await discord.post(ann, room, "in the gap")
        await until(lambda: bot.readies == 2)
        await discord.post(ann, room, "after")
        await until(lambda: bot.texts)
        assert bot.texts == ["after"]
        assert not bot.resumes


async def test_asked_to_reconnect_a_client_resumes(discord: FakeDiscord, connect: Connect) -> None:
    async with connect() as bot:
        await discord.reconnect()
        await until(lambda: bot.resumes == 1)


async def test_an_invalidated_session_that_is_resumable_is_resumed(
    discord: FakeDiscord, connect: Connect
) -> None:
    async with connect() as bot:
        await discord.invalidate(resumable=True)
        await until(lambda: bot.resumes == 1)


async def test_a_client_leaves_a_silent_connection_and_gets_what_it_missed(
    discord: FakeDiscord, ann: str, room: str
) -> None:
    discord.gateway.heartbeat_interval = 0.1
    heard: list[str] = []
    with pointed_at(discord, hurried=True):
        intents = library.Intents.all()
        client = library.Client(intents=intents, guild_ready_timeout=0.02, heartbeat_timeout=0.5)

        @client.event
        async def on_message(message: library.Message) -> None:
            heard.append(message.content)

        running = asyncio.create_task(client.start(discord.token))
        await discord.connected()
        discord.silence()
        await discord.post(ann, room, "unheard")
        await discord.wait_for(lambda: discord.gateway.connects > 1)
        discord.silence(False)
        await until(lambda: heard == ["unheard"])
        await client.close()
        await asyncio.gather(running, return_exceptions=True)


async def test_people_and_the_bot_can_write_to_each_other_alone(
    discord: FakeDiscord, connect: Connect, ann: str
) -> None:
    async with connect() as bot:
        await bot.guild.get_member(int(ann)).send("hello")
        alone = discord.dm(ann).id
        assert [one.content for one in discord.messages(alone)] == ["hello"]
        await discord.post(ann, alone, "hi")
        await until(lambda: "hi" in bot.texts)
        assert bot.heard[-1].guild is None


async def test_typing_is_told_both_ways(discord: FakeDiscord, connect: Connect, ann: str, room: str) -> None:
    typing: list[int] = []
    async with connect() as bot:

        @bot.client.event
        async def on_raw_typing(event: library.RawTypingEvent) -> None:
            typing.append(event.user_id)

        await discord.typing(ann, room)
        await until(lambda: typing == [int(ann)])
        await bot.room(room).typing()
        assert discord.typings == [(room, ann), (room, discord.bot_id)]


async def test_a_client_comes_back_when_the_gateway_does(
    discord: FakeDiscord, connect: Connect, ann: str, room: str
) -> None:
    async with connect() as bot:
        discord.gateway_down(60)
        await discord.post(ann, room, "in the gap")
        await until(lambda: discord.gateway.turned_away)
        discord.gateway_up()
        await until(lambda: bot.texts == ["in the gap"])


async def test_events_can_come_twice(discord: FakeDiscord, connect: Connect, ann: str, room: str) -> None:
    async with connect() as bot:
        discord.repeat_events()
        await discord.post(ann, room, "hello")
        await until(lambda: bot.texts == ["hello", "hello"])


async def test_events_can_come_out_of_order(
    discord: FakeDiscord, connect: Connect, ann: str, room: str
) -> None:
    async with connect() as bot:
        discord.reorder(0.1)
        for number in range(10):
            await discord.post(ann, room, f"{number}")
        await until(lambda: len(bot.texts) == 10)
        assert bot.texts != sorted(bot.texts)
        await discord.settled()


async def test_a_kicked_bot_loses_the_guild_and_its_access(
    discord: FakeDiscord, connect: Connect, room: str
) -> None:
    async with connect() as bot:
        channel = bot.room(room)
        await discord.kick_bot()
        await until(lambda: not bot.client.guilds)
        assert await refusal(channel.send("hello")) == 50001
        await discord.invite_bot()
        await until(lambda: bot.client.guilds)
        await bot.room(room).send("back")


async def test_presences_and_leaving_members_are_told(
    discord: FakeDiscord, connect: Connect, ann: str, room: str
) -> None:
    async with connect() as bot:
        member = bot.guild.get_member(int(ann))
        assert member is not None
        assert member.status is library.Status.online
        await discord.change_presence(ann, "dnd")
        await until(lambda: bot.guild.get_member(int(ann)).status is library.Status.dnd)
        await discord.leave(ann)
        await until(lambda: bot.guild.get_member(int(ann)) is None)


async def test_members_can_be_asked_for_over_the_gateway(
    discord: FakeDiscord, connect: Connect, ann: str
) -> None:
    intents = library.Intents(guilds=True)
    async with connect(intents) as bot:
        assert bot.guild.get_member(int(ann)) is None
        (found,) = await bot.guild.query_members(user_ids=[int(ann)])
        assert found.display_name == "Ann Lee"


# Trouble with calls


async def test_a_429_is_waited_for(discord: FakeDiscord, connect: Connect, room: str) -> None:
    async with connect() as bot:
        discord.faults.add("create_message", Fault.rate_limit(0.05))
        discord.faults.add("create_message", global_limit(0.05))
        await bot.room(room).send("hello")
        assert [call.status for call in discord.calls_to("create_message")] == [429, 429, 200]
        assert discord.invalid_requests == 2


async def test_a_full_bucket_makes_the_client_wait_before_it_asks(
    discord: FakeDiscord, connect: Connect, room: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(BUCKETS, "create_message", (2, 0.2))
    async with connect() as bot:
        discord.enforce_limits = True
        started = asyncio.get_running_loop().time()
        for number in range(5):
            await bot.room(room).send(f"{number}")
        assert asyncio.get_running_loop().time() - started > 0.3
        assert [call.status for call in discord.calls_to("create_message")] == [200] * 5


async def test_a_call_may_be_carried_out_although_the_connection_dropped(
    discord: FakeDiscord, connect: Connect, room: str
) -> None:
    async with connect() as bot:
        discord.faults.add("create_message", Fault.drop(commit=True))
        with pytest.raises((aiohttp.ClientError, OSError)):
            await bot.room(room).send("hello", nonce="n")
        assert (await bot.room(room).send("hello", nonce="n")).content == "hello"
        assert len(discord.messages(room)) == 1


async def test_a_call_may_be_carried_out_late(discord: FakeDiscord, connect: Connect, room: str) -> None:
    async with connect() as bot:
        discord.faults.add("create_message", Fault.late(0.1))
        with pytest.raises((aiohttp.ClientError, OSError)):
            await bot.room(room).send("hello")
        assert not discord.messages(room)
        await discord.wait_for(lambda: discord.messages(room))


async def test_lost_permissions_and_gone_places_have_their_codes(
    discord: FakeDiscord, connect: Connect, ann: str, room: str
) -> None:
    said = await discord.post(ann, room, "hello")
    async with connect() as bot:
        channel = bot.room(room)
        message = channel.get_partial_message(int(said))
        assert await refusal(message.edit(content="mine")) == 50005
        discord.revoke("send_messages", room)
        assert await refusal(channel.send("hello")) == 50013
        discord.revoke("manage_webhooks")
        assert await refusal(channel.create_webhook(name="relay")) == 50013
        discord.revoke("view_channel", room)
        assert await refusal(channel.send("hello")) == 50001
        await discord.delete_channel(room)
        assert await refusal(channel.send("hello")) == 10003


async def test_a_thread_that_was_deleted_is_an_unknown_channel(
    discord: FakeDiscord, connect: Connect, room: str
) -> None:
    async with connect() as bot:
        thread = await (await bot.room(room).send("card")).create_thread(name="case")
        await discord.delete_thread(str(thread.id))
        assert await refusal(thread.send("hello")) == 10003
