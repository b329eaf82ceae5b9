"""Files over HTTP: taken from a store's backend and from shoppers' windows, and given out by signed address.

A body is never in memory as a whole, and one that is too large is stopped where it gets so. What is given out can run
nowhere: it is a download, or a picture of a kind that holds no script, and its type is the one its bytes have.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any
from urllib.parse import quote

from aiohttp import BodyPartReader, hdrs, web

from adapters.storefront import models
from adapters.storefront.limits import Limit
from adapters.storefront.refusals import InvalidBody
from adapters.storefront.routes import Asked, Auth, Route
from adapters.storefront.widget_routes import address_of
from bot import files
from bot.commands import KeepFile, Window
from bot.errors import NotAllowed, NotFound, PlaceFault, Unavailable
from bot.files import File, FileRefused, Inspected
from bot.ports import Bus, Clock, Files, Reads
from bot.settings import Settings

PIECE = 64 * 1024
PATIENCE = 300.0
"""Seconds one upload may take."""
NO_NAME = "No file; send multipart/form-data with a file, or the bytes as the body and its name as ?name=."


class FileRoutes:
    """The handlers behind the three routes."""

    def __init__(self, settings: Settings, bus: Bus, reads: Reads, store: Files, clock: Clock):
        self._settings = settings
        self._bus = bus
        self._reads = reads
        self._store = store
        self._clock = clock
        self._uploads = Limit("files", 10, 0.1, clock)
        self._by_address = Limit("files from this address", 40, 0.2, clock)

    def table(self) -> list[Route]:
        """Every route with what it answers."""
        how = "The file as multipart/form-data, or as the body with its name as ?name= and its type as Content-Type."
        return [
            Route("POST", "/v1/files", f"Upload a file for a message's attachments. {how}", Auth.STORE,
                  self.from_store, answer=models.Uploaded, status=201, errors=(413, 415, 422)),
            Route("POST", "/widget/v1/attachments", f"The shopper attaches a file. {how}", Auth.WINDOW,
                  self.from_window, answer=models.Uploaded, status=201, errors=(403, 413, 415, 422, 429)),
            Route("GET", "/files/{id}", "A file, by the signed address that messages carry.", Auth.NONE, self.give,
                  errors=(403, 404)),
        ]  # fmt: skip

    async def from_store(self, asked: Asked) -> Any:
        """For any of the store's conversations, until it is used in one."""
        assert asked.store is not None, "the route's row says so"
        return await self._take(asked.request, asked.store.name, None)

    async def from_window(self, asked: Asked) -> Any:
        """For this window's conversation only."""
        window = asked.window
        assert window is not None, "the route's row says so"
        self._uploads.take((window.store, window.shopper_id))
        self._by_address.take(address_of(asked.request))  # guests are easily many
        return await self._take(asked.request, window.store, window)

    async def _take(self, request: web.Request, store: str, window: Window | None) -> dict[str, Any]:
        policy = self._settings.files
        if (request.content_length or 0) > policy.max_mb * files.MIB + PIECE:
            raise files.too_large(policy)
        file_id = files.new_id()
        try:
            async with asyncio.timeout(PATIENCE):
                pieces, name, declared = await _sent(request)
                inspected = Inspected(pieces, name, declared, policy)
                await self._store.put(file_id, inspected.pass_on())
        except TimeoutError:
            raise FileRefused("The upload took too long; try again, or send a smaller file.") from None
        except PlaceFault:
            raise Unavailable("Look at BATON_FILES_URL and the disk's free space.", 30.0) from None
        file = File(file_id, store, inspected.name, inspected.mime, inspected.size, self._clock())
        try:
            await self._bus.submit(KeepFile(file, window))
        except BaseException:
            await self._store.remove(file_id)
            raise
        shown = {"name": file.name, "mime": file.mime, "size": file.size, "sha256": inspected.sha256}
        return {"file_id": file_id, **shown}

    async def give(self, asked: Asked) -> web.StreamResponse:
        """403 for an address that is not ours or too old, 404 for a file that was taken back."""
        file_id, query = asked.path["id"], asked.request.query
        signed = files.may_open(
            self._settings, file_id, query.get("exp", ""), query.get("sig", ""), self._clock()
        )
        if signed is None:
            raise NotAllowed(
                "This address was not signed by Baton; open the message again.", code="link_invalid"
            )
        if not signed:
            raise NotAllowed(
                "This address has expired; reload the conversation for a new one.", code="link_expired"
            )
        file = await self._reads(lambda uow: uow.files.get(file_id))
        if file is None:
            raise NotFound("This file was taken back.")
        async with aclosing(self._store.read(file_id)) as content:
            first = await anext(content, b"")  # what is missing is said before anything is sent
            response = web.StreamResponse(headers=headers_of(file))
            await response.prepare(asked.request)
            await response.write(first)
            async for piece in content:
                await response.write(piece)
            await response.write_eof()
        return response


def headers_of(file: File) -> dict[str, str]:
    """Nothing in a file may run, be taken for another type, or be kept by anybody between."""
    kind = "inline" if file.mime in files.INLINE else "attachment"
    plain = "".join(
        char if char.isascii() and char.isprintable() and char not in '"\\' else "_" for char in file.name
    )
    named = f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(file.name, safe='')}"
    return {
        hdrs.CONTENT_TYPE: file.mime + ("; charset=utf-8" if file.mime.startswith("text/") else ""),
        hdrs.CONTENT_LENGTH: str(file.size),
        hdrs.CONTENT_DISPOSITION: named,
        hdrs.X_CONTENT_TYPE_OPTIONS: "nosniff",
        "Content-Security-Policy": "sandbox; default-src 'none'",
        hdrs.CACHE_CONTROL: "private, max-age=3600",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Resource-Policy": "cross-origin",  # the shop's page shows it
    }


async def _sent(request: web.Request) -> tuple[AsyncIterator[bytes], str, str]:
    """The bytes as they come, the name, the declared type."""
    if request.content_type != "multipart/form-data":
        if not request.body_exists:
            raise InvalidBody(NO_NAME, field="file")
        declared = request.headers.get(hdrs.CONTENT_TYPE, "")
        return request.content.iter_chunked(PIECE), request.query.get("name", ""), declared
    try:
        reader = await request.multipart()
        async for part in reader:
            if isinstance(part, BodyPartReader) and part.filename is not None:
                return _pieces(part), part.filename, part.headers.get(hdrs.CONTENT_TYPE, "")
    except (ValueError, AssertionError):
        raise InvalidBody("The body is not multipart/form-data as its header says.", field="file") from None
    raise InvalidBody(NO_NAME, field="file")


async def _pieces(part: BodyPartReader) -> AsyncIterator[bytes]:
    while piece := await part.read_chunk(PIECE):
        yield bytes(piece)
