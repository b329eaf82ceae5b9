"""Baton in a process of its own that kills or stops itself at a chosen step; forked from a zygote, so that a start is
cheap.

The zygote (`python -m tests.crash.child`) imports everything once and then only forks: a restart costs a tenth of a
second, and hundreds of kills fit into a test run. Product code has no hooks; the steps are taken from outside, around
the writer's commit and around each call that leaves the house. A step is written to a file before it is passed, so
that the file tells how far a killed process came.
"""

import asyncio
import ctypes
import json
import logging
import os
import random
import re
import signal
import sys
import threading
import traceback
from contextvars import ContextVar
from dataclasses import replace
from functools import partial
from typing import Any

import jwt  # noqa: F401 - warms the import
import sqlalchemy.dialects.postgresql.psycopg
import sqlalchemy.dialects.sqlite  # noqa: F401

import storage.bell
import storage.engine
import storage.writer
from adapters.discord import api as discord_api
from adapters.discord import app as discord_app  # noqa: F401 - imported before the forks
from adapters.discord import limits
from adapters.slack import api, app  # noqa: F401 - imported before the forks
from adapters.webhook import outbound
from bot import logs, wiring
from bot.courier import Courier
from bot.settings import Settings, Timing, load
from tests.crash.known import key_of
from tests.crash.warm import warm_up

LOOKED_UP = frozenset({"auth.test", "users.info", "users.getPresence", "conversations.list",
                       "conversations.members", "apps.connections.open"})  # fmt: skip
DURING = 0.006
"""Seconds into a call at which "during" strikes: the request has left, the fake has not answered (it takes longer)."""

PATIENCE = 5.0
"""How long a live event waits for its thread's catch-up. Not scaled: it bounds what a busy machine may take."""

PR_SET_PDEATHSIG = 1
attempted_at: ContextVar[float] = ContextVar("attempted_at", default=0.0)
"""Of the delivery under way."""


class Steps:
    """Counts steps over both threads, and kills or stops this process at its own."""

    def __init__(self, path: str, attempts: str, blow: dict[str, Any] | None):
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self._attempts = os.open(attempts, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self._blow = blow
        self._count = 0
        self._lock = threading.Lock()

    def note(self, attempt: str) -> None:
        """An attempt at a delivery begins."""
        os.write(self._attempts, f"{attempt}\n".encode())

    def reach(self, label: str) -> None:
        """One step further; possibly the last."""
        if self._is_mine(label):
            self._strike()

    def soon(self, label: str) -> None:
        """The same, but a moment later: in the middle of what comes now."""
        if self._is_mine(label):
            asyncio.get_running_loop().call_later(DURING, self._strike)

    def _is_mine(self, label: str) -> bool:
        with self._lock:
            os.write(self._file, f"{label}\n".encode())
            if self._blow is None or not re.match(self._blow["at"], label):
                return False
            self._count += 1
            return bool(self._count == self._blow["step"])

    def _strike(self) -> None:
        """To this very thread, so that it comes no further; the whole process goes with it."""
        assert self._blow is not None
        if self._blow["pause"]:
            signal.pthread_kill(threading.get_ident(), signal.SIGSTOP)
            return
        os.kill(os.getpid(), signal.SIGKILL)
        threading.Event().wait()


def watch_commits(steps: Steps) -> None:
    """A step before and one behind every COMMIT, named by the commands of its batch."""
    writer: Any = storage.writer.Writer
    attempt, commit = writer._attempt, writer._commit

    def watched_attempt(self: Any, jobs: Any, **options: Any) -> Any:
        self.commands = "+".join(sorted({type(job.command).__name__ for job in jobs}))
        return attempt(self, jobs, **options)

    def watched_commit(self: Any, connection: Any) -> None:
        steps.reach(f"before commit {self.commands}")
        commit(self, connection)
        steps.reach(f"after commit {self.commands}")

    writer._attempt, writer._commit = watched_attempt, watched_commit


def watch_calls(steps: Steps) -> None:
    """A step before, in the middle of and behind every call to Slack or Discord that posts, changes or looks for a
    post."""
    slack: Any = api.SlackApi
    respond = slack.respond

    async def watched(self: Any, method: str, **options: Any) -> Any:
        if method in LOOKED_UP:
            return await respond(self, method, **options)
        return await _stepped(steps, method, partial(respond, self, method, **options))

    slack.respond = watched
    _watch_discord(steps)
    _watch_attempts(steps)
    sender: Any = outbound.WebhookSender
    send = sender.send

    async def watched_send(self: Any, *given: Any) -> None:
        await _stepped(steps, "webhook", partial(send, self, *given))

    sender.send = watched_send


def _watch_attempts(steps: Steps) -> None:
    """Note when each attempt was stored, by Baton's own clock: from then on the settling time runs."""
    courier: Any = Courier
    carry_out = courier._carry_out

    async def watched(self: Any, call: Any) -> Any:
        steps.note(f"{call.delivery_id} {call.attempted_at}")
        attempted_at.set(call.attempted_at)
        return await carry_out(self, call)

    courier._carry_out = watched


def _watch_discord(steps: Steps) -> None:
    """What is posted there does not bear its delivery's id: it is noted once more, by what it can be known by."""
    discord: Any = discord_api.DiscordApi
    call = discord.call

    async def watched(self: Any, verb: str, path: str, **options: Any) -> Any:
        if verb == "GET" and not path.endswith("/messages"):
            return await call(self, verb, path, **options)
        known_as = key_of(options.get("json") or {}) if verb == "POST" else ""
        if known_as and attempted_at.get():
            steps.note(f"{known_as} {attempted_at.get()}")
        return await _stepped(steps, f"{verb} {path}", partial(call, self, verb, path, **options))

    discord.call = watched


async def _stepped(steps: Steps, name: str, call: Any) -> Any:
    steps.reach(f"before {name}")
    steps.soon(f"during {name}")
    try:
        answer = await call()
    except Exception:
        steps.reach(f"after {name}, failed")
        raise
    steps.reach(f"after {name}")
    return answer


def settings_of(spec: dict[str, Any]) -> Settings:
    """The environment's settings at the test's pace."""
    settings = load(spec["environment"])
    timing = replace(Timing().scaled(spec["scale"]), catch_up_wait=PATIENCE)
    return replace(settings, timing=timing)


async def serve(settings: Settings) -> None:
    """Run until killed."""
    baton = wiring.Baton(settings)
    await baton.start()
    await asyncio.Event().wait()


def child(spec: dict[str, Any]) -> None:
    """In the forked process: cut the ties to the zygote, then be Baton."""
    die_with_parent()
    null = os.open(os.devnull, os.O_RDWR)
    log = os.open(spec["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for descriptor, instead in ((0, null), (1, log), (2, log)):
        os.dup2(instead, descriptor)
    random.seed()
    logs.configure("text")
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
    steps = Steps(spec["steps"], spec["attempts"], spec["blow"])
    for limit in ("LOCK_MS", "IDLE_MS"):
        vars(storage.engine)[limit] = int(vars(storage.engine)[limit] * spec["impatience"])
    vars(limits)["MOST_A_SECOND"] = 10_000  # a story's second is twenty of Discord's
    watch_commits(steps)
    watch_calls(steps)
    asyncio.run(serve(settings_of(spec)))


def die_with_parent() -> None:
    """No orphan outlives the test run, however that ends."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def zygote() -> None:
    """Orders come as JSON lines: fork one (answered with its pid), wait for one (answered with its status), or warm up
    on a database."""
    die_with_parent()
    for line in sys.stdin:
        order = json.loads(line)
        if "warm" in order:
            warm_up(order["warm"])
            print(0, flush=True)  # noqa: T201
            continue
        if "wait" in order:
            _, status = os.waitpid(order["wait"], 0)
            print(status, flush=True)  # noqa: T201
            continue
        pid = os.fork()
        if pid == 0:
            try:
                child(order)
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(1)
        print(pid, flush=True)  # noqa: T201


if __name__ == "__main__":
    zygote()
