"""Starting and stopping a process, for `run` and `demo` alike."""

import asyncio
import os
import signal
from typing import Protocol

from bot.settings import Settings, SettingsError


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


async def start(baton: Starts, settings: Settings, variable: str, cure: str) -> None:
    """Start it, or say which variable names an address that cannot be used, and what to write instead."""
    try:
        await baton.start()
    except OSError as error:
        await baton.stop()
        address, reason = f"{settings.host}:{settings.port}", os.strerror(error.errno or 0)
        raise SettingsError(f"{variable}: {address} cannot be used ({reason}); {cure}.") from error
