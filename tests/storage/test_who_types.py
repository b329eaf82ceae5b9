"""The shopper is told that somebody types only if what they write would go to the shopper."""

from bot.commands import OperatorTypes, Resolve
from bot.people import Actor
from bot.posts import Place
from bot.settings import Settings
from tests.fakes.chat import FakeChat
from tests.storage.world import ANNA, BEN, ManualClock, World, with_team


def listening(world: World) -> list[tuple[int, str, str | None]]:
    told: list[tuple[int, str, str | None]] = []
    world.writer.subscribe(lambda changes: told.extend(changes.typing))
    return told


async def types(world: World, number: int, actor: Actor) -> None:
    await world.submit(OperatorTypes(await world.place(number), actor))


async def test_the_owner_who_types_is_shown_to_the_shopper(world: World) -> None:
    number = await world.claimed()
    told, head = listening(world), (await world.case(number)).head
    await types(world, number, ANNA)
    assert told == [(number, "operator", "Anna")]
    assert (await world.case(number)).head == head


async def test_nobody_else_who_types_there_is(world: World) -> None:
    number = await world.claimed()
    told = listening(world)
    await types(world, number, BEN)
    await types(world, number, Actor("fake", "U-never-seen", "Stranger"))
    await world.submit(OperatorTypes(Place("fake", "C1", "no-such-thread"), ANNA))
    assert told == []


async def test_nobody_is_before_the_claim_and_after_the_end(world: World) -> None:
    number = await world.escalate()
    await world.settle()
    told = listening(world)
    await types(world, number, ANNA)
    assert told == []


async def test_a_resolved_case_is_quiet(world: World) -> None:
    number = await world.claimed()
    await world.submit(Resolve(number, ANNA))
    await world.settle()
    told = listening(world)
    await types(world, number, ANNA)
    assert told == []


async def test_nobody_is_where_nothing_written_there_leaves(
    settings: Settings, clock: ManualClock, chat: FakeChat
) -> None:
    world = World(with_team(settings, relay="alerts"), clock, chat)
    world.start()
    number = await world.claimed()
    told = listening(world)
    await types(world, number, ANNA)
    assert told == []
    await world.stop()
