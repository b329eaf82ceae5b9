"""A lean HTTP/1.1 client: aiohttp's costs more than what is measured with it, and both share two cores."""

import asyncio
import json
from typing import Any, Self


class Wire(asyncio.Protocol):
    """One connection that is kept open, with one request at a time."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._buffer = b""
        self._answer: asyncio.Future[tuple[int, bytes]] | None = None
        self.is_closed = False

    @classmethod
    async def connect(cls, port: int) -> Self:
        """To 127.0.0.1."""
        _, wire = await asyncio.get_running_loop().create_connection(cls, "127.0.0.1", port)
        return wire

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def send(self, request: bytes) -> "asyncio.Future[tuple[int, bytes]]":
        """A whole request as bytes; the answer is its status and body."""
        assert self._transport is not None, "not connected"
        assert self._answer is None, "one request at a time"
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return self._answer

    def get(self, path: str, token: str = "") -> "asyncio.Future[tuple[int, bytes]]":
        """GET, with a bearer token if there is one."""
        return self.send(request("GET", path, b"", token))

    def post(self, path: str, body: Any, token: str = "") -> "asyncio.Future[tuple[int, bytes]]":
        """POST of JSON."""
        return self.send(request("POST", path, json.dumps(body).encode(), token))

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, rest = self._buffer.partition(b"\r\n\r\n")
        if not found:
            return
        length = _length_of(head)
        if len(rest) < length:
            return
        self._buffer = rest[length:]
        answer, self._answer = self._answer, None
        if answer is not None and not answer.done():
            answer.set_result((int(head[9:12]), rest[:length]))

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_closed = True
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(ConnectionResetError("the server closed the connection"))

    def close(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._transport.close()


def request(method: str, path: str, body: bytes, token: str = "", **headers: str) -> bytes:
    """A request as bytes; `headers` with underscores for dashes."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1"]
    if token:
        lines.append(f"Authorization: Bearer {token}")
    if body:
        headers = {"Content_Type": "application/json", **headers, "Content_Length": str(len(body))}
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


def _length_of(head: bytes) -> int:
    lower = head.lower()
    start = lower.find(b"\r\ncontent-length:")
    if start < 0:
        return 0
    end = lower.find(b"\r\n", start + 2)
    return int(lower[start + 17 : end if end >= 0 else None])
