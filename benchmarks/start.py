"""How long Baton takes from its spawning until `/readyz` says 200, and what it holds when nobody asks for anything."""

import asyncio
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.house import house

IDLE_SECONDS = 3.0


@dataclass
class Starts:
    """Seconds to ready, with a fresh database and with one that is up to date; MB of resident memory at rest."""

    fresh_s: list[float] = field(default_factory=list)
    ready_s: list[float] = field(default_factory=list)
    idle_mb: list[float] = field(default_factory=list)


async def measure(folder: Path, rounds: int) -> Starts:
    """Slack is configured and connects; SQLite."""
    found = Starts()
    for index in range(rounds):
        async with house(folder, f"start-fresh-{index}", channels=1) as fresh:
            found.fresh_s.append(fresh.ready_after)
        migrated = folder / f"start-{index}.db"
        shutil.copy(fresh.folder / "baton.db", migrated)
        async with house(
            folder, f"start-again-{index}", channels=1, database=f"sqlite:///{migrated}"
        ) as again:
            found.ready_s.append(again.ready_after)
            await asyncio.sleep(IDLE_SECONDS)
            found.idle_mb.append(again.baton.resident_kb() / 1024)
            again.require_alive()
    return found
