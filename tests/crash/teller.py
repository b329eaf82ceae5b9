"""Tells stories beside each other, each by its plan, and adds up what became of them."""

import asyncio
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.crash.checks import Verdict, is_void, judge
from tests.crash.databases import Database
from tests.crash.house import Zygote
from tests.crash.plans import Plan
from tests.crash.story import Story

AT_ONCE = 4
"""Stories beside each other in one process: they wait more than they work."""
TRIES = 3

Faults = Callable[[Any], None]
"""Prepares the stand-in of Slack or of Discord."""


class Teller:
    """`record` is told the counts of all that was told; `remember` makes each story's database; `at_once` are
    told beside each other."""

    def __init__(
        self,
        zygote: Zygote,
        folder: Path,
        record: Callable[[str, Any], None],
        remember: Callable[[], Database] | None = None,
        at_once: int = AT_ONCE,
    ):
        self._zygote = zygote
        self._folder = folder
        self._record = record
        self._remember = remember
        self._at_once = at_once
        self._told = 0
        self._missed = 0
        self.total = Verdict()

    async def tell(self, plans: Iterator[Plan], faults: Faults = lambda _: None) -> Verdict:
        """Until the plans end, or the blows of a few never came because their stories had no step with that number."""
        async with asyncio.TaskGroup() as group:
            for _ in range(self._at_once):
                group.create_task(self._tell_one_by_one(plans, faults))
        counts = {name: value for name, value in asdict(self.total).items() if name != "problems"}
        self._record("crash", json.dumps(counts))
        return self.total

    async def _tell_one_by_one(self, plans: Iterator[Plan], faults: Faults) -> None:
        for plan in plans:
            verdict = await self._tell(plan, faults)
            self.total += verdict
            self._missed += not verdict.kills + verdict.pauses
            if self._missed >= self._at_once:
                return

    async def _tell(self, plan: Plan, faults: Faults) -> Verdict:
        for _ in range(TRIES):
            self._told += 1
            folder = self._folder / f"{self._told}-{plan}"
            story = Story(self._zygote, folder, plan.seed, plan, faults=faults, remember=self._remember)
            try:
                verdict: Verdict = await story.tell(judge)
            except (AssertionError, ExceptionGroup):  # it hangs, or what somebody would press is not there
                if not is_void(story):
                    raise
            else:
                if not verdict.problems or not is_void(story):
                    return verdict
            self.total.void += 1
        raise AssertionError(f"{plan}: the machine was too busy {TRIES} times")
