"""A lease that may be taken away: of the replicas that showed somebody their Home tab, the last one keeps it."""

from bot.commands import HoldLease
from tests.storage.world import World


async def test_who_takes_a_lease_has_it_and_the_one_before_has_not(world: World) -> None:
    first, second = (HoldLease("home:U1", holder, 600.0) for holder in ("first", "second"))
    assert await world.submit(HoldLease("home:U1", "first", 600.0, take=True))
    assert await world.submit(first)
    assert not await world.submit(second)
    assert await world.submit(HoldLease("home:U1", "second", 600.0, take=True))
    assert not await world.submit(first)
    assert await world.submit(second)
