"""Whose a file is, and what becomes of an operator's, on the real writer and courier."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from bot import commands, files, views
from bot.commands import FileFetched, FileHeldUp, KeepFile, SaidTurn, ShopperFacts, Window
from bot.courier import Courier
from bot.entries import Entry, Reader
from bot.errors import EntryFault, NotFound, PlaceFault
from bot.files import File
from bot.posts import Place, Posted
from tests.fakes.chat import FakeChat
from tests.storage.world import ANNA, BEN, ManualClock, World, _Bus, with_team

PNG = b"\x89PNG\r\n\x1a\n" + bytes(5_000)
HEARD = {"id": "F1", "name": "label.png", "mimetype": "image/png", "size": len(PNG)}


class Shelf:
    """A file store in memory."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    async def put(self, file_id: str, content: AsyncIterable[bytes]) -> None:
        self.kept[file_id] = b"".join([piece async for piece in content])

    async def read(self, file_id: str) -> AsyncGenerator[bytes, None]:
        if file_id not in self.kept:
            raise NotFound("gone")
        yield self.kept[file_id]

    async def remove(self, file_id: str) -> None:
        self.kept.pop(file_id, None)


class Drawer:
    """A chat's files in memory; `troubles` are met by the next fetches."""

    def __init__(self, content: bytes = PNG) -> None:
        self.content = content
        self.troubles: list[Exception] = []
        self.uploaded: list[tuple[str, bytes]] = []
        self.shown: list[str] = []
        self.refuses = False
        self.open = asyncio.Event()
        self.open.set()

    async def describe(self, remote: Mapping[str, Any]) -> Mapping[str, Any]:
        await self.open.wait()
        if self.troubles:
            raise self.troubles.pop(0)
        return remote

    async def fetch(self, remote: Mapping[str, Any]) -> AsyncGenerator[bytes, None]:
        yield self.content

    async def upload(self, name: str, size: int, content: AsyncIterable[bytes]) -> str:
        if self.refuses:
            raise EntryFault("no")
        self.uploaded.append((name, b"".join([piece async for piece in content])))
        return f"R{len(self.uploaded)}"

    async def share(self, place: Place, remote_file: str, name: str, content: Any) -> Posted:
        self.shown.append(remote_file)
        return Posted(remote_file, place.channel)

    async def find_share(self, place: Place, remote_file: str) -> Posted | None:
        return Posted(remote_file, place.channel) if remote_file in self.shown else None

    async def take_back(self, remote_file: str) -> None:
        self.shown.remove(remote_file)


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
def drawer(chat: FakeChat) -> Drawer:
    drawer = Drawer()
    chat.files = drawer  # type: ignore[attr-defined]
    return drawer


@pytest.fixture
async def desk(world: World, shelf: Shelf) -> World:
    """The world with a place for files."""
    await world.courier.stop()
    world.courier = Courier(
        world.settings, _Bus(world.writer), world.reads, world.writer, world.clock,
        {world.chat.platform: world.chat}, world.webhook, files=shelf,
    )  # fmt: skip
    return world


def file(file_id: str = "a" * 32, **about: Any) -> File:
    return File(file_id, about.pop("store", "main"), "photo.png", "image/png", len(PNG), 0.0, **about)


async def keep(
    world: World, file_id: str = "a" * 32, window: Window | None = None, store: str = "main"
) -> str:
    await world.submit(KeepFile(file(file_id, store=store), window))
    return file_id


async def attaches(world: World, *ids: str, text: str = "", window: Window | None = None) -> dict[str, Any]:
    return dict(
        await world.submit(commands.ShopperWrites(window or world.window(), f"w-{ids}{text}", text, ids))
    )


async def seen_files(world: World, number: int) -> list[list[str]]:
    """The names that a fresh window is shown, message by message."""

    def look(uow: Any) -> list[list[str]]:
        shown = [views.widget_entry(uow, entry) for entry in uow.log.after(number, 0, shopper_only=True)]
        return [[one["name"] for one in entry["files"]] for entry in shown if entry and entry.get("files")]

    return await world.read(look)


async def last(world: World, number: int, kind: str = "message") -> Entry:
    return [entry for entry in await world.log(number) if entry.kind == kind][-1]


async def receipt(world: World, number: int, **tab: Any) -> str:
    await world.submit(commands.Seen(world.window(), "t", tab.pop("delivered"), 0, False))
    entry = await last(world, number)
    return str(await world.read(lambda uow: views.receipt_of(entry, uow.presence.tabs(number))))


# --- whose it is ----------------------------------------------------------------------------------------------


async def test_a_windows_upload_is_its_conversations_alone(world: World) -> None:
    file_id = await keep(world, window=world.window())
    await attaches(world, file_id)
    kept = await world.read(lambda uow: uow.files.get(file_id))
    case = await world.read(lambda uow: uow.conversations.named("main", "c-1"))
    assert kept is not None
    assert case is not None
    assert kept.conversation == case.number
    assert await seen_files(world, case.number) == [["photo.png"]]


@pytest.mark.parametrize(
    ("theirs", "mine"),
    [
        (("main", "s-2", "c-2"), ("main", "s-1", "c-1")),  # another shopper's
        (("main", "s-1", "c-2"), ("main", "s-1", "c-1")),  # their own, from another conversation
    ],
)
async def test_another_conversations_file_is_unknown(world: World, theirs: Any, mine: Any) -> None:
    file_id = await keep(world, window=Window(*theirs))
    with pytest.raises(NotFound) as refused:
        await attaches(world, file_id, window=Window(*mine))
    assert (refused.value.code, refused.value.field) == ("unknown_file", "attachments.0.file_id")


@pytest.mark.parametrize("store", ["main", "other"])
async def test_a_shopper_names_no_file_that_a_store_uploaded(world: World, store: str) -> None:
    file_id = await keep(world, store=store)
    await world.writes("hello")
    with pytest.raises(NotFound):
        await attaches(world, file_id)


async def test_another_stores_file_is_unknown_to_a_store(world: World) -> None:
    file_id = await keep(world, store="other")
    turn = SaidTurn("shopper", "", "m1", attachments=(file_id,))
    with pytest.raises(NotFound):
        await world.submit(commands.LogTurn("main", "c-1", turn))
    assert await world.read(lambda uow: uow.conversations.named("main", "c-1")) is None


async def test_a_stores_file_is_the_first_conversations_that_used_it(world: World) -> None:
    file_id = await keep(world)
    turn = SaidTurn("shopper", "", "m1", attachments=(file_id,))
    await world.submit(commands.LogTurn("main", "c-1", turn, ShopperFacts("s-1")))
    await world.submit(commands.LogTurn("main", "c-1", replace(turn, id="m2"), ShopperFacts("s-1")))
    with pytest.raises(NotFound):
        await world.submit(commands.LogTurn("main", "c-2", turn, ShopperFacts("s-2")))


async def test_a_transcripts_unknown_file_refuses_the_whole_escalation_and_names_the_turn(
    world: World,
) -> None:
    turns = (SaidTurn("shopper", "hi", "m0"), SaidTurn("shopper", "", "m1", attachments=("b" * 32,)))
    with pytest.raises(NotFound) as refused:
        await world.escalate("c-1", transcript=turns)
    assert refused.value.field == "transcript.1.attachments.0.file_id"
    assert await world.read(lambda uow: uow.conversations.named("main", "c-1")) is None


async def test_two_files_alone_without_ids_are_two_turns(world: World) -> None:
    ids = [await keep(world, letter * 32) for letter in "ab"]
    number = await world.escalate(
        "c-1", transcript=tuple(SaidTurn("shopper", "", attachments=(one,)) for one in ids)
    )
    assert await seen_files(world, number) == [["photo.png"], ["photo.png"]]


async def test_only_an_upload_that_nobody_used_within_a_day_is_swept_away(world: World) -> None:
    now = world.clock()
    used, unused, stores, fresh = (letter * 32 for letter in "abcd")
    for file_id, window, at in (
        (used, world.window(), now), (unused, world.window(), now), (stores, None, now), (fresh, None, now + 80_000),
    ):  # fmt: skip
        await world.submit(KeepFile(replace(file(file_id), created_at=at), window))
    await attaches(world, used)
    world.clock.advance(90_000)
    assert sorted(await world.submit(commands.SweepFiles())) == [unused, stores]
    kept = await world.read(lambda uow: [one for one in (used, unused, stores, fresh) if uow.files.get(one)])
    assert kept == [used, fresh]


async def test_a_picture_alone_reopens_a_resolved_case(world: World) -> None:
    number = await world.claimed()
    await world.submit(commands.Resolve(number, ANNA))
    await attaches(world, await keep(world, window=world.window()))
    assert (await world.case(number)).stage == "waiting"


# --- an operator's --------------------------------------------------------------------------------------------


async def test_a_file_is_shown_once_its_bytes_are_here_and_not_before(
    desk: World, drawer: Drawer, shelf: Shelf
) -> None:
    drawer.open.clear()
    number = await desk.claimed()
    await desk.says(number, "The label", extra={"files": [HEARD]})
    assert "The label" in await desk.to_shopper(number)
    assert await seen_files(desk, number) == []
    drawer.open.set()
    await desk.settle()
    assert await seen_files(desk, number) == [
        ["label.png"],
        ["label.png"],
    ]  # the message, and the edit that tells it
    assert list(shelf.kept.values()) == [PNG]
    assert not (await last(desk, number)).edited


async def test_the_receipt_waits_for_the_file(desk: World, drawer: Drawer) -> None:
    number = await desk.claimed()
    drawer.troubles = [PlaceFault("http_503")]
    await desk.says(number, "The label", extra={"files": [HEARD]})
    await desk.settle()
    assert await receipt(desk, number, delivered=(await desk.case(number)).head) == "pending"
    await desk.settle(10)
    assert await receipt(desk, number, delivered=(await desk.case(number)).head) == "delivered"


async def test_a_fault_of_the_place_is_met_again_until_the_file_is_here(desk: World, drawer: Drawer) -> None:
    number = await desk.claimed()
    drawer.troubles = [PlaceFault("http_503"), PlaceFault("connection_lost"), PlaceFault("http_503")]
    await desk.says(number, "", extra={"files": [HEARD]})
    for _ in range(6):
        await desk.settle(10)
    assert (await seen_files(desk, number))[0] == ["label.png"]


@pytest.mark.parametrize("content", [b"<html><script>alert(1)</script>", b"MZ" + bytes(99), b"no picture"])
async def test_a_refused_file_is_the_operators_to_know_and_nobody_elses(
    desk: World, drawer: Drawer, shelf: Shelf, content: bytes
) -> None:
    drawer.content = content
    number = await desk.claimed()
    await desk.says(number, "", extra={"files": [HEARD]})
    await desk.settle()
    assert "did not go to the shopper" in (await last(desk, number, "alerted")).data["text"]
    assert await seen_files(desk, number) == []
    assert shelf.kept == {}
    assert await receipt(desk, number, delivered=(await desk.case(number)).head) == "failed"


async def test_a_file_that_is_said_to_be_too_large_is_not_even_begun(
    desk: World, drawer: Drawer, shelf: Shelf
) -> None:
    number = await desk.claimed()
    await desk.says(number, "See", extra={"files": [{**HEARD, "size": 10**9}]})
    await desk.settle()
    assert "20 MB" in (await last(desk, number, "alerted")).data["text"]
    assert shelf.kept == {}


async def test_a_missing_scope_is_said_once_and_cured_the_file_follows(desk: World, drawer: Drawer) -> None:
    number = await desk.claimed()
    drawer.troubles = [PlaceFault("missing_scope")] * 3
    await desk.says(number, "See", extra={"files": [HEARD]})
    for _ in range(6):
        await desk.settle(10)
    alerts = [entry for entry in await desk.log(number) if entry.kind == "alerted"]
    assert len(alerts) == 1
    assert "files:read" in alerts[0].data["text"]
    assert (await seen_files(desk, number))[0] == ["label.png"]


async def test_what_was_fetched_again_changes_nothing(desk: World, drawer: Drawer) -> None:
    number = await desk.claimed()
    await desk.says(number, "", extra={"files": [HEARD]})
    await desk.settle()
    entry, head = await last(desk, number), (await desk.case(number)).head
    found = entry.data["files"][0]["id"]
    await desk.submit(FileFetched(number, entry.seq, file(found)))
    await desk.submit(FileHeldUp(number, entry.seq, found, "late", final=True))
    assert (await desk.case(number)).head == head


async def test_a_colleagues_file_is_fetched_only_when_it_is_sent(
    desk: World, drawer: Drawer, shelf: Shelf
) -> None:
    number = await desk.claimed()
    await desk.says(number, "", actor=BEN, extra={"files": [HEARD]})
    await desk.settle()
    aside = await last(desk, number, "aside")
    assert shelf.kept == {}
    await desk.submit(commands.SendAside(number, aside.seq, commands.Action.SEND_AS_ME, ANNA))
    await desk.settle()
    assert (await seen_files(desk, number))[0] == ["label.png"]


async def test_a_held_message_brings_its_file_when_it_leaves(
    settings: Any, clock: ManualClock, chat: FakeChat, drawer: Drawer, shelf: Shelf
) -> None:
    world = World(with_team(settings, hold=5.0), clock, chat)
    await world.courier.stop()
    world.courier = Courier(
        world.settings, _Bus(world.writer), world.reads, world.writer, clock, {chat.platform: chat}, world.webhook,
        files=shelf,
    )  # fmt: skip
    world.start()
    try:
        number = await world.claimed()
        await world.says(number, "The label", extra={"files": [HEARD]})
        await world.settle(1)
        assert shelf.kept == {}
        clock.advance(6)
        for kind, case, due_at in await world.read(lambda uow: uow.due.ripe(clock(), 100)):
            await world.submit(commands.RunDue(kind, case, due_at))
        await world.settle()
        await world.settle(5)
        for kind, case, due_at in await world.read(lambda uow: uow.due.ripe(clock(), 100)):
            await world.submit(commands.RunDue(kind, case, due_at))
        await world.settle()
        assert (await seen_files(world, number))[0] == ["label.png"]
    finally:
        await world.stop()


async def test_a_deleted_messages_file_is_gone_for_everybody(
    desk: World, drawer: Drawer, shelf: Shelf
) -> None:
    number = await desk.claimed()
    await desk.says(number, "The label", "m-1", extra={"files": [HEARD]})
    await desk.settle()
    found = (await last(desk, number)).data["files"][0]["id"]
    await desk.deletes(number, "m-1")
    assert await seen_files(desk, number) == []
    await desk.settle()
    assert await desk.read(lambda uow: uow.files.get(found)) is None
    assert shelf.kept == {}


# --- into the thread ------------------------------------------------------------------------------------------


async def test_a_shoppers_file_is_shown_in_the_thread_once_and_in_order(
    desk: World, drawer: Drawer, shelf: Shelf
) -> None:
    number = await desk.claimed()
    file_id = await keep(desk, window=desk.window())
    shelf.kept[file_id] = PNG
    await attaches(desk, file_id, text="Broken")
    await desk.writes("and this after it")
    await desk.settle()
    assert drawer.uploaded == [("photo.png", PNG)]
    assert drawer.shown == ["R1"]
    assert any("Broken\n📎 photo.png (5 kB)" in line for line in await desk.thread(number))


async def test_a_deleted_message_takes_its_file_out_of_the_thread(
    desk: World, drawer: Drawer, shelf: Shelf
) -> None:
    number = await desk.claimed()
    file_id = await keep(desk, window=desk.window())
    shelf.kept[file_id] = PNG
    await attaches(desk, file_id, text="Broken")
    await desk.settle()
    message = await last(desk, number)
    await desk.submit(commands.DeleteTurn("main", "c-1", str(message.external_id)))
    await desk.settle()
    assert drawer.shown == []
    assert shelf.kept == {}


@pytest.mark.parametrize("takes", [True, False])
async def test_where_a_file_cannot_be_shown_there_is_a_signed_link(
    desk: World, chat: FakeChat, shelf: Shelf, takes: bool
) -> None:
    if takes:
        chat.files = Drawer()  # type: ignore[attr-defined]
        chat.files.refuses = True  # type: ignore[attr-defined]
    number = await desk.claimed()
    file_id = await keep(desk, window=desk.window())
    shelf.kept[file_id] = PNG
    await attaches(desk, file_id, text="Broken")
    await desk.settle()
    link = (await desk.thread(number))[-1].partition("(http://127.0.0.1/")[2].partition(")")[0]
    expires, signature = link.partition("?exp=")[2].split("&sig=")
    assert files.may_open(desk.settings, file_id, expires, signature, desk.clock()) is True


async def test_an_edit_leaves_the_link_where_it_is(desk: World, shelf: Shelf) -> None:
    number = await desk.claimed()
    await attaches(desk, await keep(desk, window=desk.window()), text="Brokken")
    await desk.settle()
    before = len(await desk.thread(number))
    message = await last(desk, number)
    await desk.submit(commands.EditTurn("main", "c-1", str(message.external_id), "Broken", "1"))
    await desk.settle()
    after = await desk.thread(number)
    assert len(after) == before
    assert "📎 [photo.png]" in after[-1]


async def test_a_conversation_without_files_has_no_lane_for_them(world: World) -> None:
    number = await world.claimed()
    await world.says(number, "hello")
    assert await world.read(lambda uow: uow.lanes.lane(number, Reader.FILES)) is None
