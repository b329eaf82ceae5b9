"""A short life before all others: what Baton compiles and prepares once per process, it then has in every fork."""

import asyncio
import gc

from bot import commands
from tests import engines
from tests.fakes.chat import FakeChat
from tests.storage.world import ANNA, BEN, ManualClock, World, make_settings


def warm_up(url: str) -> None:
    """On an empty, migrated database that nobody needs afterwards."""
    engines.share_what_is_compiled()
    asyncio.run(_live(url))
    gc.collect()
    gc.freeze()


async def _live(url: str) -> None:
    """A case from the first word to the resolve, with what the stories do; nothing is looked at."""
    clock = ManualClock()
    world = World(make_settings(url, webhook="http://127.0.0.1:9/"), clock, FakeChat(clock))
    world.start()
    number = await world.claimed("My lamp broke", "in two")
    for text in ("hello", "// a note"):
        await world.says(number, text)
    await world.says(number, "not mine", actor=BEN)
    await world.writes("thanks")
    await world.submit(commands.Seen(world.window(), "t", 3, 3, False))
    await world.settle(60.0)
    for command in (commands.HoldLease("periodic jobs", "warm", 1.0), commands.Resolve(number, ANNA)):
        await world.submit(command)
    await world.settle(60.0)
    await world.stop()
