"""What a holder tells that has lost its lease (it stood still, or could not store) undoes nothing of the new
holder's work."""

import pytest

from bot.commands import Advance, Settled
from bot.delivering import Call
from bot.entries import Reader
from bot.posts import Posted
from tests.storage.world import World


async def taken_over(world: World) -> tuple[int, Call, Call]:
    """A made no call and stood still; B looked, found nothing, and is making the call now."""
    number = await world.claimed()
    await world.hush()
    await world.writes("hello?")
    first = await world.submit(Advance(number, Reader.THREAD, "A"))
    world.clock.advance(world.settings.timing.lease + 1)
    look = await world.submit(Advance(number, Reader.THREAD, "B"))
    missing = Settled(look.delivery_id, missing=True, looked_at=world.clock())
    call = await world.submit(Advance(number, Reader.THREAD, "B", missing))
    assert (look.find, call.find, call.delivery_id) == (True, False, first.delivery_id)
    return number, first, call


@pytest.mark.parametrize("fault", ["place", "unsure", "entry", "root"])
async def test_a_fault_told_after_the_lease_was_lost_does_not_make_the_new_holder_repeat_its_call(
    world: World, fault: str
) -> None:
    number, first, call = await taken_over(world)
    late = Settled(first.delivery_id, fault=fault, reason="timeout")
    assert await world.submit(Advance(number, Reader.THREAD, "A", late)) is None
    done = Settled(call.delivery_id, done=True, posted=Posted("p-1", call.place.channel))
    assert await world.submit(Advance(number, Reader.THREAD, "B", done)) is None
    assert await world.outstanding(number, Reader.THREAD) == []
    assert await world.dead() == []
    lane = await world.lane(number, Reader.THREAD)
    assert (lane.due_at, lane.faults) == (None, 0)
