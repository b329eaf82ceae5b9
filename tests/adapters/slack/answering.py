"""The core's side of what people ask by words, forms and listings: answers as it is told to."""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from bot import texts
from bot.boards import Board, Look, View
from bot.commands import from_button
from bot.entries import Entry, Reader
from bot.errors import Refused
from bot.forms import FieldKind, Form, FormField, Option
from bot.people import Actor
from bot.ports import Changes, Subscriber
from bot.posts import Action, Answer, Button, Row

ROW = Row(
    7,
    "**#7** Sarah K. · vip — Refund",
    (Button(Action.CLAIM, "Claim", "7"), Button(Action.SHOW, "Show", "7")),
)
NOTE_FORM = Form(
    Action.NOTE,
    7,
    "Add a note to #7",
    "Add",
    (FormField("text", "Note", FieldKind.TEXT),),
    "Only the team sees it.",
)
PEOPLE_FORM = Form(
    Action.ASSIGN,
    7,
    "Assign #7",
    "Assign",
    (
        FormField(
            "to",
            "To whom",
            FieldKind.ONE,
            tuple(Option(f"U{number}", f"Person {number}", f"{number} open") for number in range(6)),
        ),
    ),
)


@dataclass
class Asked:
    """One question to the desk."""

    text: str
    actor: Actor
    number: int | None
    people: tuple[Actor, ...]
    id: str


class FakeDesk:
    """Answers `answer`, shows `rows`, gives `forms`; `failure` is raised instead, once it is set."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.submitted: list[tuple[Action, int, dict[str, str], Actor, str]] = []
        self.pressed: list[tuple[Action, str, Actor]] = []
        self.looks: list[Look] = []
        self.answer: Answer = Answer("The queue", (ROW,))
        self.result: Answer | Form = Answer("Noted.")
        self.forms: dict[Action, Form] = {Action.NOTE: NOTE_FORM, Action.ASSIGN: PEOPLE_FORM}
        self.rows: tuple[Row, ...] = (ROW,)
        self.pages, self.away, self.tags = 1, "", ("damaged",)
        self.failure: Exception | None = None
        self.failing: Collection[Action] = tuple(Action)
        self.bus: Any = None
        self.gate = asyncio.Event()
        self.gate.set()

    async def ask(
        self,
        text: str,
        actor: Actor,
        *,
        number: int | None = None,
        people: Sequence[Actor] = (),
        id: str = "",
    ) -> Answer:
        await self._pass()
        self.asked.append(Asked(text, actor, number, tuple(people), id))
        return self.answer

    async def press(self, action: Action, value: str, actor: Actor, id: str = "") -> Answer:
        await self._pass(action)
        self.pressed.append((action, value, actor))
        if self.bus is None or action in (Action.PAGE, Action.SHOW, Action.RETRY, Action.HAND_OVER):
            return self.answer
        try:
            await self.bus.submit(from_button(action, value, actor))
        except Refused as refused:
            return Answer(refused.message)
        return Answer(texts.answers.did(str(action), f"#{value}"))

    async def board(self, actor: Actor, look: Look) -> Board:
        await self._pass()
        self.looks.append(look)
        counts = dict.fromkeys(View, len(self.rows))
        look = replace(look, page=min(look.page, self.pages - 1))
        return Board(look, self.rows, counts, self.tags, self.pages, self.away)

    async def form(self, action: Action, number: int, actor: Actor) -> Form:
        await self._pass()
        return self.forms[action]

    async def submit(
        self, action: Action, number: int, values: Mapping[str, str], actor: Actor, id: str
    ) -> Answer | Form:
        await self._pass()
        self.submitted.append((action, number, dict(values), actor, id))
        return self.result

    async def _pass(self, action: Action | None = None) -> None:
        await self.gate.wait()
        if self.failure is not None and (action is None or action in self.failing):
            raise self.failure


@dataclass
class FakeChanges:
    """A commit that touched these cases."""

    touched: set[int] = field(default_factory=set)
    appended: dict[int, list[Entry]] = field(default_factory=dict)
    lanes: set[tuple[int, Reader]] = field(default_factory=set)
    typing: list[tuple[int, str, str | None]] = field(default_factory=list)


class FakeWakeup:
    """Tells subscribers what a test says was committed."""

    def __init__(self) -> None:
        self.subscribers: list[Subscriber] = []

    def subscribe(self, subscriber: Subscriber) -> Callable[[], None]:
        self.subscribers.append(subscriber)
        return lambda: self.subscribers.remove(subscriber)

    def committed(self, *numbers: int) -> None:
        changes: Changes = FakeChanges(set(numbers))
        for subscriber in self.subscribers:
            subscriber(changes)
