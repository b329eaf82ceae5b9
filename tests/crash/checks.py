"""What must be true after every story, however often Baton was killed in it: each sentence a problem if it is not."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from tests.crash.story import KEY, REPLIES, SAID, TRANSCRIPT, WORD, WORDS, Story


@dataclass
class Verdict:
    """The counts of one story, or of many added up."""

    kills: int = 0
    messages: int = 0
    lost: int = 0
    twice: int = 0
    disorder: int = 0
    problems: list[str] = field(default_factory=list)

    def __iadd__(self, other: "Verdict") -> "Verdict":
        self.kills += other.kills
        self.messages += other.messages
        self.lost += other.lost
        self.twice += other.twice
        self.disorder += other.disorder
        self.problems += other.problems
        return self

    def compare(self, where: str, wanted: Sequence[str], got: Sequence[str]) -> None:
        """Exactly these, each once, in this order."""
        counts = Counter(got)
        lost = [one for one in dict.fromkeys(wanted) if not counts[one]]
        twice = [one for one, count in counts.items() if count > 1]
        strange = [one for one in counts if one not in wanted]
        self.lost += len(lost)
        self.twice += len(twice)
        if lost or twice or strange:
            self.problems.append(f"{where}: lost {lost[:5]}, twice {twice[:5]}, strange {strange[:5]}")
        elif list(got) != list(wanted):
            self.disorder += 1
            self.problems.append(f"{where}: out of order, {list(got)[:20]}")

    def claim(self, is_so: bool, problem: str) -> None:
        """Something else that must be so."""
        if not is_so:
            self.problems.append(problem)


async def judge(story: Story, view: dict[str, list[dict[str, str]]]) -> Verdict:
    """Look at the fake Slack, the widget, the log and what `/v1` gave at the end."""
    verdict = Verdict(kills=len(story.house.deaths), messages=0)
    _thread(story, verdict)
    _shopper_side(story, view, verdict)
    _log(story, verdict)
    _receipts(story, verdict)
    _hook(story, verdict)
    return verdict
