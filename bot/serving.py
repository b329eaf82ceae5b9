"""Starting and stopping a process, for `run` and `demo` alike."""

import asyncio
import errno
import gc
import os
import signal
import socket
from typing import Protocol

from bot.settings import Settings, SettingsError

GARBAGE = 10_000
"""New objects between two looks of the garbage collector."""


class Starts(Protocol):
    """What is started: see `bot.wiring.Baton`."""

    async def start(self) -> None: ...
    async def stop(self) -> None: ...


def stop_on_signals() -> asyncio.Event:
    """Set by Ctrl-C or SIGTERM, once; a second Ctrl-C ends the process at once."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()

    def stop() -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
        stopping.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
    return stopping


def settle() -> None:
    """What stands after the start stays: the garbage collector need not look through it again and again, nor after
    every 700 objects more (MEASURED.md: it doubles what the slowest wait under load)."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE, 20, 20)


async def start(baton: Starts, settings: Settings, variable: str, cure: str) -> None:
    """Start it, or say which variable names an address that cannot be used, and what to write instead."""
    try:
        await baton.start()
        settle()
    except OSError as error:
        await baton.stop()
        if not isinstance(error, socket.gaierror) and error.errno != errno.EADDRNOTAVAIL:
            address, reason = f"{settings.host}:{settings.port}", os.strerror(error.errno or 0)
            raise SettingsError(f"{variable}: {address} cannot be used ({reason}); {cure}.") from error
        raise SettingsError(
            f"BATON_HOST: {settings.host!r} is no address of this machine; write 127.0.0.1, or 0.0.0.0 for all of them."
        ) from error
