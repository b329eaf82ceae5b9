"""Baton is killed while operators write, edit and delete in Discord, and they go on while it is dead. Discord tells it
nothing of that when it comes back: it is read back from the thread."""

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

from tests.crash.house import Zygote
from tests.crash.plans import NO_TICK, Blow, Plan
from tests.crash.story import Story
from tests.fakes.discord import FakeDiscord

BLOWS = [f"{NO_TICK}{when} commit .*{what}" for when in ("before", "after")
         for what in ("ThreadMessage", "ThreadEdit", "ThreadDelete")]  # fmt: skip
DEAD = 0.7
"""Seconds until it is started again."""
WANTED = ["r1 mended", "r3 mended", "r5", "r6", "r7 mended", "r8"]
AT_ONCE = 3


class Gap(Story):
    """One case; its operators correct themselves before Baton is killed and while it is dead."""

    async def _everybody(self) -> None:
        await self._escalate()
        async with self._page():
            await self._press(self.team.dana, "claim")
            await self.until(self.owner)
            await self._write_and_correct()
            await self.until(lambda: self.screen() == WANTED)
            await self.until(self.is_settled)

    async def _write_and_correct(self) -> None:
        first, second, third = [await self._write(f"r{number}") for number in (1, 2, 3)]
        await self.until(lambda: "r3" in self.screen() or self.house.deaths)
        await self._edit(first, "r1 mended")
        await self._delete(second)
        fourth = await self._write("r4")
        await self.until(lambda: self.house.deaths)
        for text in ("r5", "r6"):
            await self._write(text)
        await self._edit(third, "r3 mended")
        await self._delete(fourth)
        await self._edit(await self._write("r7"), "r7 mended")
        await self._delete(await self._write("taken back"))
        await self._write("r8")

    @property
    def _discord(self) -> FakeDiscord:
        discord: FakeDiscord = self.team.fake
        return discord

    async def _write(self, text: str) -> str:
        return await self.team.write(self.team.dana, text)

    async def _edit(self, message: str, text: str) -> None:
        await self._discord.edit(self.team.cards()[0].id, message, text)

    async def _delete(self, message: str) -> None:
        await self._discord.delete(self.team.cards()[0].id, message)

    def screen(self) -> list[str]:
        """What the shopper's page shows of the operators, by the entries it was given."""
        shown: dict[int, str] = {}
        for entry in self.widget.entries:
            if entry["kind"] == "message" and entry["author"] == "operator":
                shown[entry["seq"]] = entry["text"]
            elif entry["kind"] == "edited":
                shown[entry["target"]] = entry["text"]
            elif entry["kind"] == "deleted":
                shown.pop(entry["target"])
        return list(shown.values())


async def problems(story: Any) -> list[str]:
    """What is wrong once all is settled."""
    entries: list[dict[str, Any]] = story.widget.entries
    changed = Counter((one["kind"], one["target"]) for one in entries if "target" in one)
    found = [f"twice {one}" for one, count in changed.items() if count > 1]
    found += [f"{len(story.house.deaths)} kills"] if len(story.house.deaths) != 1 else []
    found += ["taken back, and shown"] if "taken back" in str(entries) else []
    late = story.rows("SELECT count(*) FROM entry WHERE late")
    found += [f"{late} are marked late"] if late != [(0,)] else []
    return [f"{story.name}: {one}" for one in (*found, *story.widget.problems, *story.house.unexpected())]


async def test_what_is_said_edited_and_deleted_while_baton_is_dead_counts_once_and_in_order(
    zygote: Zygote, tmp_path: Path
) -> None:
    few = asyncio.Semaphore(AT_ONCE)

    async def tell(number: int, at: str) -> list[str]:
        plan = Plan([[Blow(1, at, DEAD)]], chat="discord")
        async with few:
            story = Gap(zygote, tmp_path / str(number), number, plan, hooked=False)
            found: list[str] = await story.tell(problems)
            return found

    found = await asyncio.gather(*(tell(number, at) for number, at in enumerate(BLOWS)))
    assert [one for problems_of_one in found for one in problems_of_one] == []
