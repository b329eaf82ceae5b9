"""What must be true after every story, however often Baton was killed in it: each sentence a problem if it is not."""

import asyncio
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot import texts
from bot.settings import Timing
from tests.crash.story import KEY, MESSAGES, REPLIES, SAID, TRANSCRIPT, WORD, Story, speech

Word = tuple[str, str]
SHOPPER_SIDE = {
    "shopper": [turn["text"] for turn in TRANSCRIPT if turn["author"] == "shopper"]
    + [speech(f"w{number}") for number in range(1, SAID + 1)],
    "assistant": [turn["text"] for turn in TRANSCRIPT if turn["author"] == "assistant"] + [speech("a2")],
    "operator": [speech(f"r{number}") for number in range(1, REPLIES + 1)],
}
TOO_SLOW = ("catch-up failed", "an event was not taken")
THREAD = [turn["text"] for turn in TRANSCRIPT] + [speech(f"w{number}") for number in range(1, SAID + 1)]


@dataclass
class Verdict:
    """The counts of one story, or of many added up. A message counts once for each place it has to be in."""

    stories: int = 0
    void: int = 0
    kills: int = 0
    pauses: int = 0
    messages: int = 0
    lost: int = 0
    twice: int = 0
    disorder: int = 0
    late: int = 0
    problems: list[str] = field(default_factory=list)

    def __iadd__(self, other: "Verdict") -> "Verdict":
        for name in self.__dataclass_fields__:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        return self

    def __str__(self) -> str:
        return (
            f"{self.kills} kills, {self.pauses} pauses, {self.messages} messages, lost {self.lost}, "
            f"twice {self.twice}, out of order {self.disorder}, marked late {self.late}"
        )

    def compare(self, where: str, wanted: Sequence[str], got: str, late: Collection[str] = ()) -> None:
        """Every word of every message, each once and in this order; those in `late` may stand later."""
        words, there = _words(" ".join(wanted)), _words(got)
        counts = Counter(there)
        lost = {name for name, index in words if not counts[name, index]}
        twice = {name for (name, _), count in counts.items() if count > 1}
        strange = {name for name, _ in there} - {name for name, _ in words}
        self.messages += len(wanted)
        self.lost += len(lost)
        self.twice += len(twice)
        self.claim(not lost and not twice and not strange,
                   f"{where}: lost {sorted(lost)}, twice {sorted(twice)}, strange {sorted(strange)}")  # fmt: skip
        in_order = _on_time(there, late) == _on_time(words, late) or bool(lost or twice or strange)
        self.disorder += not in_order
        self.claim(in_order, f"{where}: out of order, {list(dict.fromkeys(name for name, _ in there))}")

    def claim(self, is_so: bool, problem: str) -> None:
        """Something else that must be so."""
        if not is_so:
            self.problems.append(problem)


def _on_time(words: list[Word], late: Collection[str]) -> list[Word]:
    return [word for word in words if word[0] not in late]


def _words(text: str) -> list[Word]:
    return [(name, index) for name, index in WORD.findall(text)]


async def judge(story: Story) -> Verdict:
    """Look at the team's chat, the widget, the webhook's receiver, `/v1` and the log."""
    verdict = Verdict(stories=1)
    if len(story.house.replicas) > 1:
        await _everybody_serves(story, verdict)
    verdict.kills, verdict.pauses = len(story.house.deaths), len(story.house.pauses)
    _thread(story, verdict)
    _widget(story, verdict)
    _log(story, verdict)
    _webhook(story, verdict)
    answer = await story.client.ask("GET", "/v1/conversations/c-1", KEY)
    _store(answer, story, verdict)
    for line in story.house.unexpected():
        verdict.claim(False, f"log: {line}")
    verdict.problems = [f"{story.name}: {problem}" for problem in verdict.problems]
    return verdict


def is_void(story: Story) -> bool:
    """Baton believes "not there" a settling time after an attempt. Where the machine was so busy that the stand-in
    committed a post even later, or let a look-up run into its timeout,
    it broke its promise, and what came of that says nothing about Baton. Where a replica stood still in between, it
    was not the machine."""
    pauses = story.house.pauses
    if not pauses and any(sign in story.house.log() for sign in TOO_SLOW):
        return True
    attempts, settle = story.house.attempts(), Timing().settle * story.plan.scale
    for post in story.team.posts():
        tried = attempts.get(post.known_as)
        if tried is None:
            continue  # no delivery's
        began = max((at for at in tried if at <= post.came_at), default=0.0)
        stood_still = any(start <= post.came_at and began <= end for start, end in pauses)
        if post.committed_at - began > settle and not stood_still:
            return True
    return False


async def _everybody_serves(story: Story, verdict: Verdict) -> None:
    """Each replica that lives takes a command and answers; so whatever one had in hand that stood still, it has done
    by now. The team's chat has answered all its calls."""
    shopper = {"shopper": {"id": "s-1"}, "conversation_id": "c-1"}
    for replica in story.house.replicas:
        client = story.ask_at(replica)
        asking = asyncio.create_task(client.ask("POST", "/v1/widget-tokens", KEY, shopper))
        await story.until(lambda replica=replica, asking=asking: replica.is_gone or asking.done())
        if not asking.done():
            asking.cancel()
        elif asking.result():
            _store(await client.ask("GET", "/v1/conversations/c-1", KEY), story, verdict)
    await story.until(lambda: story.is_settled() and all(call.status for call in story.team.fake.calls))


def _thread(story: Story, verdict: Verdict) -> None:
    """Exactly one card, everything said above and below it, one line per event, at most one offer."""
    shown = story.team.shown()
    verdict.compare("thread", THREAD, shown)
    cards = len(story.team.cards())
    verdict.claim(cards == 1, f"thread: {cards} cards")
    verdict.claim("Resolved by" in story.team.card_text(), "thread: the card is not up to date")
    for line in ("claimed this", "resolved this"):
        verdict.claim(shown.count(line) == 1, f"thread: {shown.count(line)} times {line!r}")
    offers = [line for line in shown.splitlines() if line in texts.thread.OFFERS.values()]
    verdict.claim(len(offers) == 1, f"thread: the offers are {offers}")
    verdict.claim(story.team.boards() <= 1, f"channel: {story.team.boards()} boards")
    gone = story.team.taken_back()
    verdict.claim(not gone, f"thread: {gone} posts were taken back")
    for text, marks in story.replies():
        verdict.claim(marks == [story.team.seen], f"thread: {text} is marked {marks}")


def _widget(story: Story, verdict: Verdict) -> None:
    """The stream gave each entry once, in order, without a gap, and nothing that is the team's."""
    widget = story.widget
    verdict.problems += widget.problems
    late = {name for name, _ in _words(" ".join(_late(story)))}
    for author, wanted in SHOPPER_SIDE.items():
        verdict.compare(f"stream, {author}", wanted, " ".join(widget.texts(author)), late)
    due = [seq for (seq,) in story.rows("SELECT seq FROM entry WHERE audience = 'shopper' ORDER BY seq")]
    given = [entry["seq"] for entry in widget.entries]
    verdict.claim(given == due, f"stream: gave {given}, the log has {due}")
    verdict.claim("secret" not in str(widget.entries), "stream: a note reached the shopper")
    codes = [entry["code"] for entry in widget.entries if entry["kind"] == "notice"]
    verdict.claim(codes == ["finding", "claimed", "resolved"], f"stream: the notices are {codes}")


def _store(answer: dict[str, Any], story: Story, verdict: Verdict) -> None:
    """`/v1` tells the store the same."""
    given = [(entry["seq"], entry["text"]) for entry in answer["entries"] if entry["kind"] == "message"]
    wanted = [(entry["seq"], entry["text"]) for entry in story.widget.entries if entry["kind"] == "message"]
    verdict.claim(given == wanted, "/v1: the messages are not those of the stream")
    verdict.claim(answer["stage"] == "resolved", f"/v1: the stage is {answer['stage']}")


def _log(story: Story, verdict: Verdict) -> None:
    """Numbers without a gap, no message twice, one claim, nothing given up."""
    seqs = [seq for (seq,) in story.rows("SELECT seq FROM entry ORDER BY seq")]
    verdict.claim(seqs == list(range(1, len(seqs) + 1)), f"log: numbers {seqs}")
    kinds = Counter(kind for (kind,) in story.rows("SELECT kind FROM entry"))
    wanted = {"message": MESSAGES, "aside": 1, "escalated": 1, "claimed": 1, "resolved": 1, "notice": 3}
    verdict.claim(kinds == wanted, f"log: {dict(kinds)}")
    ids = Counter(story.rows("SELECT external_id FROM entry WHERE kind IN ('message', 'aside')"))
    verdict.claim(set(ids.values()) == {1}, f"log: twice {[one for one, count in ids.items() if count > 1]}")
    states = story.rows("SELECT DISTINCT state FROM delivery")
    verdict.claim(states == [("sent",)], f"log: deliveries are {states}")
    bindings = story.rows("SELECT state FROM binding")
    verdict.claim(bindings == [("closed",)], f"log: bindings are {bindings}")
    late = _late(story)
    verdict.late += len(late)
    unexcused = [text for text in late if len(story.house.replicas) == 1 and not story.team.came_again(text)]
    verdict.claim(not unexcused, f"log: {unexcused} are marked late")


def _late(story: Story) -> list[str]:
    """What an operator wrote and the log has too late, and says so: of two quick messages the first may come by a
    replica that dies or stands still, and the second by another."""
    marked = story.rows(
        "SELECT b.text FROM entry e JOIN body b ON b.conversation = e.conversation AND b.seq = e.seq "
        "WHERE e.late AND e.author = 'operator'"
    )
    return [str(text) for (text,) in marked]


def _webhook(story: Story, verdict: Verdict) -> None:
    """The store's backend was told every entry it may have, in order; repeats were recognisable as such."""
    if story.hook is None:
        return
    verdict.problems += story.hook.problems
    given = [entry["seq"] for entry in story.widget.entries]
    verdict.claim(story.hook.seqs() == given, f"webhook: gave {story.hook.seqs()}, the log has {given}")
