"""The writer: one thread beside the event loop that runs waiting handlers and commits several at once.

A caller's answer arrives only after COMMIT. Handlers cannot await, so none can touch the network inside a
transaction. A refusal before a handler's first write costs nobody anything; anything worse rolls the batch back,
and it is run again one by one, so handlers must bear being run again (DESIGN §1).

While the database itself is at fault (full, locked, away), all are told so at once instead of waiting for it one
after the other, and the writer tries a write of its own every second until one goes through.
"""

import asyncio
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from bot.errors import Busy, NotStored, Refused, Unavailable
from bot.handlers.hints import Hints, hints
from bot.ports import Clock, Handler, Subscriber
from bot.settings import Settings
from storage.engine import be_impatient
from storage.faults import Fault, fault_of
from storage.leases import Leases
from storage.memory import memory_of
from storage.unit_of_work import Changes, UnitOfWork

MOST_IN_A_BATCH, LEAST_IN_A_BATCH = 50, 10
BACKGROUND_SHARE = 5
BATCH_SECONDS = 0.02
LEAST_WORK = 1e-6  # seconds a command, where the clock of our own work is too coarse to tell
PROBE_SECONDS = 1.0

logger = logging.getLogger("baton.writer")


@dataclass(slots=True)
class _Job:
    command: Any
    future: "asyncio.Future[Any]"


@dataclass(slots=True)
class _Outcome:
    job: _Job
    answer: Any = None
    error: BaseException | None = None


class _Spoiled(Exception):
    """A handler failed after its first write: the batch is rolled back and run one by one."""


class Writer:
    """Implements `Bus.submit` and `Wakeup`. `background`: commands for which nobody waits at the other end; they are
    never refused for being many, since each lane has one at a time."""

    def __init__(
        self,
        engine: Engine,
        settings: Settings,
        handlers: Mapping[type, Handler],
        clock: Clock,
        hints: Callable[[Iterable[Any]], Hints] = hints,
        background: Collection[type] = (),
    ):
        self._engine = engine
        self._settings = settings
        self._handlers = handlers
        self._clock = clock
        self._hints = hints
        self._background = frozenset(background)
        self._memory = memory_of(engine)
        self._jobs: deque[_Job] = deque()
        self._later: deque[_Job] = deque()
        self._ready = threading.Condition()
        self._stopping = False
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._subscribers: list[Subscriber] = []
        self._seconds_each = 0.001  # by the clock: so long do those wait who come now
        self._work_each = 0.001  # of our own: a machine that others use, too, makes no smaller batches
        self._began = 0.0
        self._turn = False
        self.trouble: str | None = None

    def start(self) -> None:
        """Begin taking commands; call it in the event loop that submits them."""
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._run, name="baton-writer", daemon=True)
        self._thread.start()

    async def stop(self) -> None:
        """Finish what was taken, then stop."""
        with self._ready:
            self._stopping = True
            self._ready.notify()
        if self._thread is not None:
            await asyncio.to_thread(self._thread.join)

    @property
    def waiting(self) -> int:
        """Commands that have not begun."""
        return len(self._jobs) + len(self._later)

    def subscribe(self, subscriber: Subscriber) -> Callable[[], None]:
        """See `bot.ports.Wakeup`."""
        self._subscribers.append(subscriber)
        return lambda: self._subscribers.remove(subscriber)

    async def submit(self, command: Any) -> Any:
        """See `bot.ports.Bus`."""
        return await self.enqueue(command)

    def enqueue(self, command: Any) -> "asyncio.Future[Any]":
        """The same without a coroutine: in the queue when this returns, and refused by what it raises."""
        if type(command) not in self._handlers:
            raise TypeError(f"no handler for {type(command).__name__}")
        if self.trouble is not None:
            raise Unavailable(self.trouble)
        patient = type(command) in self._background
        waiting = len(self._jobs) * self._seconds_each + self._stuck()
        if waiting > self._settings.queue_seconds and not patient:
            raise Busy(retry_after=max(1.0, waiting))
        assert self._loop is not None, "the writer was not started"
        job = _Job(command, self._loop.create_future())
        with self._ready:
            if self._stopping:
                raise Busy(retry_after=1.0)
            (self._later if patient else self._jobs).append(job)
            self._ready.notify()
        return job.future

    def _stuck(self) -> float:
        """Seconds for which the batch under way has been running."""
        return time.monotonic() - self._began if self._began else 0.0

    # --- in the thread ----------------------------------------------------------------------------------------

    def _run(self) -> None:
        while True:
            with self._ready:
                while not self.waiting and not self._stopping:
                    if not self._ready.wait(PROBE_SECONDS if self.trouble else None):
                        break
                if self._stopping and (self.trouble or not self.waiting):
                    self._refuse_waiting()
                    return
                jobs = self._take()
            if self.trouble is not None:
                self._probe()
            if jobs:
                self._serve(jobs)

    def _take(self) -> list[_Job]:
        """The next batch: first those for whom somebody waits. The others have a share of their own, in turn at the
        front, since a batch may end before its last. No more than will fit into its time: what a batch looks at is
        loaded, and locked, for all of it."""
        most = min(
            MOST_IN_A_BATCH, max(LEAST_IN_A_BATCH, int(BATCH_SECONDS / max(self._work_each, LEAST_WORK)))
        )
        share = min(len(self._later), max(BACKGROUND_SHARE, most - len(self._jobs)))
        first = [self._jobs.popleft() for _ in range(min(len(self._jobs), most - share))]
        behind = [self._later.popleft() for _ in range(share)]
        self._turn = not self._turn
        few = BACKGROUND_SHARE if self._turn else 0
        return [*behind[:few], *first, *behind[few:]]

    def _put_back(self, jobs: Sequence[_Job]) -> None:
        with self._ready:
            for job in reversed(jobs):
                queue = self._later if type(job.command) in self._background else self._jobs
                queue.appendleft(job)

    def _serve(self, jobs: Sequence[_Job]) -> None:
        self._began, worked = time.monotonic(), time.thread_time()
        served = len(jobs)
        try:
            left = self._attempt(jobs)
        except Exception as error:  # noqa: BLE001 — each is run again below, and then logged
            self._again(jobs, fault_of(error))
        else:
            self._put_back(left)
            served -= len(left)
        spent, work = time.monotonic() - self._began, time.thread_time() - worked
        self._began = 0.0
        self._seconds_each += 0.1 * (spent / max(1, served) - self._seconds_each)
        self._work_each += 0.1 * (work / max(1, served) - self._work_each)

    def _again(self, jobs: Sequence[_Job], fault: Fault | None) -> None:
        """After a batch was rolled back. Whatever broke it breaks only its own command when each runs by itself; a
        fault of the database breaks them all, and waiting for it as often as there are commands helps nobody."""
        patient = fault is None
        for index, job in enumerate(jobs):
            if fault is not None and not fault.passing and not fault.of_rows:
                self._suffer(fault, jobs[index:])
                return
            fault = self._alone(job, patient=patient)

    def _alone(self, job: _Job, *, patient: bool) -> Fault | None:
        """Run one by itself. The answer is a fault of the whole database that came up, already told to this one."""
        try:
            self._attempt([job], patient=patient)
        except Exception as error:  # noqa: BLE001 — told to the one who asked
            fault = fault_of(error)
            if fault is None:
                self._publish([_Outcome(job, error=self._told(job, error))], Changes())
            elif fault.of_rows:
                logger.warning("rows are locked elsewhere", extra={"command": type(job.command).__name__})
                self._publish([_Outcome(job, error=Unavailable(fault.cure))], Changes())
            else:
                self._suffer(fault, [job])
                return Fault(fault.cure)
        return None

    def _suffer(self, fault: Fault, jobs: Sequence[_Job]) -> None:
        """The database is at fault: it is said once, and to all who wait."""
        if self.trouble is None:
            logger.error("nothing can be stored", extra={"reason": fault.cure})
        self.trouble = fault.cure
        self._engine.dispose()  # a connection made while it was ill may stay so
        self._publish([_Outcome(job, error=Unavailable(fault.cure)) for job in jobs], Changes())
        with self._ready:
            self._refuse_waiting()

    def _refuse_waiting(self) -> None:
        error = Unavailable(self.trouble or "Baton is stopping")
        waiting = [_Outcome(job, error=error) for job in (*self._jobs, *self._later)]
        self._jobs.clear()
        self._later.clear()
        if waiting:
            self._publish(waiting, Changes())

    def _probe(self) -> None:
        """Write something, and mean it: a commit of nothing succeeds on a full disk, too."""
        try:
            with self._engine.connect() as connection:
                Leases(connection, self._clock()).hold("probe", "any", 0.0)
                connection.commit()
        except SQLAlchemyError as error:
            fault = fault_of(error)
            if fault is not None and not fault.of_rows:
                self.trouble = fault.cure
                self._engine.dispose()
                return
        logger.warning("the database takes what is written again")
        self.trouble = None

    def _told(self, job: _Job, error: Exception) -> BaseException:
        """What the caller is told. A database's own words may quote a customer, so they go nowhere."""
        if isinstance(error, _Spoiled) and error.__cause__ is not None:
            return error.__cause__
        command = type(job.command).__name__
        if isinstance(error, SQLAlchemyError):
            reason = f"{type(error).__name__} {getattr(getattr(error, 'orig', None), 'sqlstate', '') or ''}".strip()
            logger.error("the database refused a command", extra={"command": command, "reason": reason})
            return NotStored(reason)
        logger.error("handler failed", exc_info=error, extra={"command": command})
        return error

    def _attempt(self, jobs: Sequence[_Job], *, patient: bool = True) -> Sequence[_Job]:
        """Run them in one transaction; the answer is those that did not fit into its time. `patient` False: rows that
        another replica holds are not waited for."""
        outcomes: list[_Outcome] = []
        with self._engine.connect() as connection:  # leaving it without a commit rolls back
            if not patient:
                be_impatient(connection)
            elif self._memory is not None:
                connection.begin()
                self._memory.begin(connection)
            uow = UnitOfWork(
                connection,
                self._settings,
                self._clock(),
                writing=True,
                memory=self._memory if patient else None,
            )
            uow.prepare(self._hints(job.command for job in jobs))
            deadline = time.monotonic() + BATCH_SECONDS
            for job in jobs:
                outcomes.append(self._handle(uow, job))
                if time.monotonic() > deadline:
                    break
            uow.flush()
            self._commit(connection)
            self._remember(uow)
        self._publish(outcomes, uow.changes())
        return jobs[len(outcomes) :]

    def _remember(self, uow: UnitOfWork) -> None:
        """What was committed must not be run again because of what comes behind the commit."""
        try:
            uow.remember()
        except Exception:
            logger.exception("a batch cannot be remembered: everything is read again")
            if self._memory is not None:
                self._memory.forget()

    def _handle(self, uow: UnitOfWork, job: _Job) -> _Outcome:
        before = uow.writes
        try:
            return _Outcome(job, self._handlers[type(job.command)](uow, job.command))
        except Refused as refusal:
            if uow.writes != before:
                raise _Spoiled from refusal
            return _Outcome(job, error=refusal)
        except StopIteration as error:  # no future takes such an error
            raise RuntimeError("a handler ran out of an iterator") from error

    def _commit(self, connection: Connection) -> None:
        """A step of its own, so that crash tests can stand before and behind it."""
        connection.commit()

    def _publish(self, outcomes: Sequence[_Outcome], changes: Changes) -> None:
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._resolve, outcomes, changes)

    # --- back in the event loop -------------------------------------------------------------------------------

    def _resolve(self, outcomes: Sequence[_Outcome], changes: Changes) -> None:
        for outcome in outcomes:
            if outcome.job.future.done():
                continue  # the caller went away; what was committed stays
            if outcome.error is not None:
                outcome.job.future.set_exception(outcome.error)
            else:
                outcome.job.future.set_result(outcome.answer)
        self.announce(changes)

    def announce(self, changes: Changes) -> None:
        """Tell the waiting, also of what another replica has committed. One that fails keeps no other from hearing it:
        it is committed, and told once."""
        if changes.touched or changes.typing:
            for subscriber in tuple(self._subscribers):
                try:
                    subscriber(changes)
                except Exception:
                    logger.exception("somebody who was told of a commit failed")
