"""Files in a folder. Each is written beside its place and moved there whole, so a crash leaves no half of one."""

import asyncio
import contextlib
import logging
import os
import secrets
import time
from collections.abc import AsyncGenerator, AsyncIterable, Callable
from io import BufferedWriter
from pathlib import Path
from typing import ParamSpec, TypeVar

from bot.errors import NotFound, PlaceFault
from bot.files import FILE_ID
from bot.settings import SettingsError

log = logging.getLogger("baton.files")

P = ParamSpec("P")
R = TypeVar("R")

PIECE = 256 * 1024
ABANDONED = 24 * 3600.0
"""Seconds after which an unfinished file is nobody's any more."""


class LocalFiles:
    """See `bot.ports.Files`. The folder is made when it is first needed."""

    def __init__(self, folder: Path):
        self._folder = folder

    @classmethod
    def at(cls, url: str) -> "LocalFiles":
        """By a `file://` address; `SettingsError` for any other."""
        if not url.startswith("file://"):
            raise SettingsError(
                "BATON_FILES_URL: only file://FOLDER is known; write one like file://./files."
            )
        return cls(Path(url.removeprefix("file://")))

    def trouble(self) -> str | None:
        """Why nothing can be written there, with the cure. Nothing is made."""
        there = next(one for one in (self._folder, *self._folder.absolute().parents) if one.exists())
        if there.is_dir() and os.access(there, os.W_OK | os.X_OK):
            return None
        return f"BATON_FILES_URL: {there} cannot be written to; let Baton's user write there, or name another folder."

    async def put(self, file_id: str, content: AsyncIterable[bytes]) -> None:
        """Piece by piece, then all at once under its name."""
        target = self._path(file_id)
        partial = self._folder / "partial" / f"{file_id}-{secrets.token_hex(4)}"
        try:
            await self._write(partial, content)
            await _on_disk(_move, partial, target)
        finally:
            with contextlib.suppress(OSError):
                await asyncio.to_thread(partial.unlink, missing_ok=True)

    async def _write(self, partial: Path, content: AsyncIterable[bytes]) -> None:
        stream: BufferedWriter | None = None
        waiting = bytearray()
        try:
            async for piece in content:  # nothing is made before the first byte may pass
                if stream is None:
                    stream = await _on_disk(_create, partial)
                waiting += piece
                if len(waiting) >= PIECE:
                    full, waiting = bytes(waiting), bytearray()
                    await _on_disk(stream.write, full)
            if stream is None:
                stream = await _on_disk(_create, partial)
            await _on_disk(stream.write, bytes(waiting))
            await _on_disk(_sync, stream)
        finally:
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()

    async def read(self, file_id: str) -> AsyncGenerator[bytes, None]:
        """`NotFound` if there is none, or if it was removed meanwhile.

        Opened for each piece: whoever reads may be cancelled at any moment, by a library too, and nothing stays open.
        """
        path, at = self._path(file_id), 0
        while piece := await asyncio.to_thread(_piece, path, at):
            yield piece
            at += len(piece)

    async def remove(self, file_id: str) -> None:
        """One that is gone is not an error."""
        with contextlib.suppress(FileNotFoundError):
            await asyncio.to_thread(self._path(file_id).unlink)

    async def sweep(self) -> None:
        """Take away what was begun and never finished."""
        await asyncio.to_thread(_sweep, self._folder / "partial", time.time() - ABANDONED)

    def _path(self, file_id: str) -> Path:
        """By the id alone, which is checked: no name of anybody's ever becomes a path."""
        if FILE_ID.fullmatch(file_id) is None:
            raise NotFound("There is no such file.")
        return self._folder / file_id[:2] / file_id


async def _on_disk(work: Callable[P, R], *args: P.args, **more: P.kwargs) -> R:
    """Beside the event loop. The disk's errors are the place's fault; those of whoever sends the content are not."""
    try:
        return await asyncio.to_thread(work, *args, **more)
    except OSError as error:
        log.error("a file could not be written", extra={"reason": os.strerror(error.errno or 0)})
        raise PlaceFault("store_unwritable") from None


def _piece(path: Path, at: int) -> bytes:
    try:
        with path.open("rb") as stream:
            stream.seek(at)
            return stream.read(PIECE)
    except FileNotFoundError:
        raise NotFound("There is no such file.") from None


def _create(path: Path) -> BufferedWriter:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.open("xb")


def _sync(stream: BufferedWriter) -> None:
    stream.flush()
    os.fsync(stream.fileno())


def _move(partial: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    partial.replace(target)


def _sweep(folder: Path, before: float) -> None:
    for path in folder.glob("*"):
        with contextlib.suppress(OSError):
            if path.stat().st_mtime < before:
                path.unlink()
