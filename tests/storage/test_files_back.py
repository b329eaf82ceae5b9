"""A file that an operator removes alone is taken back from the shopper; the message stays."""

from dataclasses import replace
from typing import Any

import pytest

from bot import commands
from bot.commands import FileDeleted, RunDue
from tests.storage.test_catchup import by, catch_up
from tests.storage.test_files import (
    HEARD,
    Drawer,
    Shelf,
    attaches,
    desk,
    drawer,
    keep,
    last,
    seen_files,
    shelf,
)
from tests.storage.world import BEN, World

__all__ = ["desk", "drawer", "shelf"]  # fixtures

OTHER = {**HEARD, "id": "F2", "name": "invoice.png"}


async def sent(world: World, text: str = "The label", *files: dict[str, Any]) -> int:
    """Anna's message with two files, both of which the shopper has."""
    number = await world.claimed()
    await world.says(number, text, "m1", extra={"files": list(files or (HEARD, OTHER))})
    await world.settle()
    return number


async def removes(
    world: World, number: int, *left: dict[str, Any], text: str = "The label", order: str = "e1"
) -> None:
    await world.edits(number, text, "m1", order, extra={"files": list(left)})
    await world.settle()


async def tick(world: World) -> None:
    for kind, number, due_at in await world.read(lambda uow: uow.due.ripe(world.clock(), 100)):
        await world.submit(RunDue(kind, number, due_at))
    await world.settle()


async def test_the_file_goes_and_the_message_stays(desk: World, drawer: Drawer, shelf: Shelf) -> None:
    number = await sent(desk)
    assert (
        await seen_files(desk, number) == [["label.png", "invoice.png"]] * 3
    )  # the message, and each that came
    await removes(desk, number, OTHER)
    assert (await seen_files(desk, number))[0] == ["invoice.png"]
    assert len(shelf.kept) == 1
    entry = await last(desk, number)
    assert (entry.text, entry.edited, entry.deleted) == ("The label", False, False)
    assert (await desk.kinds(number))[-1] == "edited"  # open windows are told


async def test_it_goes_together_with_new_words(desk: World, drawer: Drawer, shelf: Shelf) -> None:
    number = await sent(desk)
    await removes(desk, number, OTHER, text="The invoice")
    assert await desk.to_shopper(number) == ["My lamp broke", "The invoice"]
    assert (await seen_files(desk, number))[0] == ["invoice.png"]


async def test_it_goes_after_an_edit_that_the_platform_calls_the_newest_still(
    desk: World, drawer: Drawer
) -> None:
    """Discord does not say when a file was removed alone."""
    number = await sent(desk)
    await removes(desk, number, HEARD, OTHER, text="Both labels")
    await removes(desk, number, OTHER, text="Both labels")
    assert await desk.to_shopper(number) == ["My lamp broke", "Both labels"]
    assert (await seen_files(desk, number))[0] == ["invoice.png"]


async def test_the_same_edit_twice_or_an_older_one_changes_nothing_more(desk: World, drawer: Drawer) -> None:
    number = await sent(desk)
    await removes(desk, number, OTHER, order="e2")
    before = await desk.kinds(number)
    await removes(desk, number, OTHER, order="e2")
    await removes(desk, number, HEARD, OTHER, order="e1")
    assert await desk.kinds(number) == before
    assert (await seen_files(desk, number))[0] == ["invoice.png"]


async def test_a_message_of_which_nothing_is_left_is_deleted(
    desk: World, drawer: Drawer, shelf: Shelf
) -> None:
    number = await sent(desk, "", HEARD)
    await removes(desk, number, text="")
    assert (await last(desk, number)).deleted
    assert (await seen_files(desk, number), shelf.kept) == ([], {})


async def test_a_file_deleted_everywhere_is_taken_out_of_its_message(
    desk: World, drawer: Drawer, shelf: Shelf
) -> None:
    number = await sent(desk)
    for _ in range(2):
        await desk.submit(FileDeleted("fake", "F1"))
        await tick(desk)
    assert (await seen_files(desk, number))[0] == ["invoice.png"]
    assert len(shelf.kept) == 1
    head = (await desk.case(number)).head
    await desk.submit(FileDeleted("fake", "F-of-nobody"))
    await tick(desk)
    assert (await desk.case(number)).head == head


async def test_a_colleagues_file_that_was_removed_is_not_sent_with_their_message(
    desk: World, drawer: Drawer
) -> None:
    number = await desk.claimed()
    await desk.says(number, "Look", "m1", actor=BEN, extra={"files": [HEARD, OTHER]})
    aside = await last(desk, number, "aside")
    await desk.edits(number, "Look", "m1", "e1", actor=BEN, extra={"files": [OTHER]})
    await desk.submit(commands.SendAside(number, aside.seq, commands.Action.SEND_AS_ME, BEN))
    await desk.settle()
    assert (await seen_files(desk, number))[0] == ["invoice.png"]


async def test_one_removed_before_it_was_fetched_is_never_shown(
    desk: World, drawer: Drawer, shelf: Shelf
) -> None:
    number = await desk.claimed()
    await desk.says(number, "The label", "m1", extra={"files": [HEARD, OTHER]})
    await desk.edits(number, "The label", "m1", "e1", extra={"files": [OTHER]})
    await desk.settle()
    assert (await seen_files(desk, number))[0] == ["invoice.png"]
    assert len(shelf.kept) == 1


async def test_one_removed_while_nobody_listened_is_missed_in_the_history(
    desk: World, drawer: Drawer
) -> None:
    number = await sent(desk)
    root = (await desk.binding(number)).root
    for left in ([OTHER], []):
        heard = by(desk, "m1", "The label")
        desk.chat.written[root] = [replace(heard, extra={**heard.extra, "files": left})]
        run, _ = catch_up(desk)
        await run.run()
        await desk.settle()
        assert (await seen_files(desk, number))[:1] == ([["invoice.png"]] if left else [])
    assert await desk.to_shopper(number) == ["My lamp broke", "The label"]


# --- one file, two messages -----------------------------------------------------------------------------------


@pytest.mark.parametrize("first", [0, 1])
async def test_a_file_that_two_messages_show_is_kept_until_both_are_gone(
    desk: World, shelf: Shelf, first: int
) -> None:
    number = await desk.escalate()
    file_id = await keep(desk, window=desk.window())
    shelf.kept[file_id] = b"bytes"
    for text in ("one", "two"):
        await attaches(desk, file_id, text=text)
    ids = [one.external_id for one in await desk.log(number) if one.data.get("files")]
    await desk.settle()
    for message_id in (ids[first], ids[1 - first]):
        assert file_id in shelf.kept
        assert await desk.read(lambda uow: uow.files.get(file_id)) is not None
        await desk.submit(commands.DeleteTurn("main", "c-1", str(message_id)))
        await desk.settle()
    assert file_id not in shelf.kept
    assert await desk.read(lambda uow: uow.files.get(file_id)) is None
