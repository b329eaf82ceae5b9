"""Everything a handler may touch, inside one transaction, and what the batch changed."""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from bot.entries import Entry, Kind, Reader
from bot.handlers.hints import Hints
from bot.settings import Settings
from storage.conversations import Conversations
from storage.due import DueRows
from storage.files import FileRows
from storage.held import HeldMessages
from storage.inbox import Inbox
from storage.lanes import Lanes
from storage.leases import Leases
from storage.log import Log
from storage.memory import Memory
from storage.people import People
from storage.presence import Presences
from storage.rows import Rows


@dataclass(slots=True)
class Changes:
    """See `bot.ports.Changes`."""

    appended: dict[int, list[Entry]] = field(default_factory=dict)
    touched: set[int] = field(default_factory=set)
    lanes: set[tuple[int, Reader]] = field(default_factory=set)
    typing: list[tuple[int, str, str | None]] = field(default_factory=list)


class UnitOfWork:
    """See `bot.ports.UnitOfWork`. Nothing is true before COMMIT, which is the writer's to call."""

    def __init__(
        self,
        connection: Connection,
        settings: Settings,
        now: float,
        *,
        writing: bool = False,
        memory: Memory | None = None,
    ):
        self.now = now
        self.settings = settings
        self._whole: set[int] = set()
        self._woken: set[tuple[int, Reader]] = set()
        self._typing: list[tuple[int, str, str | None]] = []
        self._memory = memory
        self.conversations = Conversations(connection, memory, locking=writing)
        self.people = People(connection, memory)
        self.lanes = Lanes(connection, now, lambda number, reader: self._woken.add((number, reader)), memory)
        self.log = Log(connection, now, self._wake)
        self.inbox = Inbox(connection, now)
        self.presence = Presences(connection)
        self.due = DueRows(connection, memory)
        self.held = HeldMessages(connection)
        self.leases = Leases(connection, now)
        self.files = FileRows(connection)
        self._rows = self._all_rows()

    def prepare(self, hints: Hints) -> None:
        """Load what a batch of commands will look at, a statement per table instead of one per row."""
        numbers = hints.numbers | self.lanes.conversations_of(hints.threads)
        numbers = self.conversations.prefetch(numbers, hints.names)
        # The conversations are locked from here on: whatever belongs to them is read as it is, and stays so.
        self.lanes.prefetch_threads(hints.threads)
        if self._memory is not None:
            numbers = {number for number in numbers if number not in self._memory.whole}
            self._whole = numbers
        self.lanes.lanes.prefetch((number, reader) for number in numbers for reader in Reader)
        self.lanes.prefetch_work(hints.lanes)
        self.lanes.links.prefetch(hints.messages)
        self.due.prefetch(numbers)
        self.people.prefetch(hints.accounts)
        self.inbox.rows.prefetch((key,) for key in hints.inbox)

    def remember(self) -> None:
        """After the commit: what the next batch need not read."""
        memory = self._memory
        if memory is None:
            return
        self.conversations.rows.remember()
        self.due.rows.remember()
        self.people.remember(memory)
        self.lanes.remember(memory)
        memory.whole.update(dict.fromkeys(self._whole))
        memory.committed()

    def _wake(self, entry: Entry, reader: Reader) -> None:
        """A reply has no receipt worth showing before the shopper's window had time to confirm it, which wakes too."""
        later = reader is Reader.RECEIPTS and entry.kind is Kind.MESSAGE
        due_at = self.now + self.settings.timing.pending_receipt if later else None
        self.lanes.wake(entry.conversation, reader, due_at)

    def typed(self, number: int, author: str, name: str | None) -> None:
        self._typing.append((number, author, name))

    def flush(self) -> None:
        """Write all that is pending, in bulk."""
        self.log.flush()
        for rows in self._rows:
            rows.flush()
        self._woken = {key for key in self._woken if self._is_free(*key)}

    def _is_free(self, number: int, reader: Reader) -> bool:
        """Whether the lane may be worked on now: one that is put off is found when that is over."""
        lane = self.lanes.lane(number, reader)
        return lane is None or lane.not_before <= self.now

    @property
    def writes(self) -> int:
        """Grows with every row added or removed and every entry appended."""
        return len(self.log.appended) + sum([rows.writes for rows in self._rows])

    def changes(self) -> Changes:
        """For those who wait, after the commit."""
        appended: dict[int, list[Entry]] = defaultdict(list)
        for (number, _), entry in sorted(self.log.appended.items()):
            appended[number].append(entry)
        touched = set(appended) | {number for number, _ in self._woken}
        touched |= {conversation.number for conversation in self.conversations.rows.written}
        return Changes(dict(appended), touched, self._woken, self._typing)

    def _all_rows(self) -> tuple[Rows[Any], ...]:
        return (
            self.conversations.rows,
            self.people.shoppers,
            self.people.operators,
            self.lanes.lanes,
            self.lanes.deliveries,
            self.lanes.bound,
            self.lanes.links,
            self.inbox.rows,
            self.presence.rows,
            self.due.rows,
            self.files.rows,
            self.held.rows,
        )
