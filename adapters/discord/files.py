"""Files to and from Discord: the `ChatFiles` port.

From Discord: addresses are signed and expire within a day, so the message is asked for a fresh one, and only Discord's
own hosts are fetched from.
To Discord: there is no upload without the message that shows it. So `upload` only gives out an id of ours, and `share`
carries the bytes. That id goes along twice: as the nonce, by which Discord answers a repeat within minutes with the
first message; and in the file's description, where `find_share` finds it later. So a crash shows nothing twice.
The bytes lie in a file without a name while they are sent, and are never whole in memory.
"""

import asyncio
import json
import secrets
import tempfile
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Iterator, Mapping
from time import time
from typing import IO, Any
from urllib.parse import parse_qs, urlsplit

import aiohttp

from adapters.discord.api import (
    ARCHIVED,
    MISSING_ACCESS,
    MISSING_PERMISSIONS,
    UNKNOWN_CHANNEL,
    UNKNOWN_MESSAGE,
    DiscordApi,
    snowflake_at,
)
from adapters.discord.directory import Directory
from bot.deadline import in_time
from bot.errors import EntryFault, PlaceFault, Unsure
from bot.posts import Place, Posted

PIECE = 64 * 1024
HOSTS = frozenset({"cdn.discordapp.com", "media.discordapp.net"})
MIB = 1024 * 1024
LIMITS = {2: 50 * MIB, 3: 100 * MIB}
"""What a server of that boost level takes; all others 10 MiB (Discord's figures of 2024, as in discord.py)."""
LEAST = 10 * MIB
MARGIN = 60.0
"""Seconds before its end at which an address is not trusted any more."""
CLOCK_MARGIN = 300.0
STALLED = 30.0
TOO_LARGE = 40005
_NEVER = frozenset({TOO_LARGE, MISSING_PERMISSIONS})
_GONE = frozenset({UNKNOWN_MESSAGE, UNKNOWN_CHANNEL})
_MOST_PAGES = 20


def kept_of(message: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The files of a person's message, as they are needed later."""
    return [
        {
            "id": str(one["id"]),
            "name": str(one.get("filename") or ""),
            "mimetype": str(one.get("content_type") or "").partition(";")[0],
            "size": int(one.get("size") or 0),
            "url": str(one.get("url") or ""),
            "channel": str(message.get("channel_id") or ""),
            "message": str(message["id"]),
        }
        for one in _attached(message)
        if one.get("id")
    ]


def _attached(message: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Its own, and those of what it forwards."""
    yield from message.get("attachments") or ()
    for one in message.get("message_snapshots") or ():
        yield from (one.get("message") or {}).get("attachments") or ()


class DiscordFiles:
    """See `bot.ports.ChatFiles`."""

    def __init__(self, api: DiscordApi, directory: Directory):
        self._api = api
        self._directory = directory
        self._own = urlsplit(api.settings.api_url)[:2]
        self._session: aiohttp.ClientSession | None = None
        self._slow: set[str] = set()

    # --- from Discord -----------------------------------------------------------------------------------------

    async def describe(self, remote: Mapping[str, Any]) -> Mapping[str, Any]:
        """A file of a message, with an address that holds."""
        known = dict(remote) if _holds(str(remote.get("url") or "")) else await self._asked(remote)
        if not self._is_discords(str(known["url"])):
            raise EntryFault("file_elsewhere")
        return known

    async def fetch(self, remote: Mapping[str, Any]) -> AsyncGenerator[bytes, None]:
        """The bytes, as they come; with a fresh address if Discord takes this one for expired."""
        in_time()
        try:
            response = await self._get(str(remote["url"]))
            if response.status in (401, 403, 404, 410):
                response.close()
                response = await self._get(str((await self._asked(remote))["url"]))
            async with response:
                _check(response)
                async for piece in response.content.iter_chunked(PIECE):
                    yield piece
        except (TimeoutError, aiohttp.ClientError, OSError):
            raise PlaceFault("connection_lost") from None

    async def _asked(self, remote: Mapping[str, Any]) -> dict[str, Any]:
        """What the message says of the file now."""
        message = await self._api.call(
            "GET", "/channels/{channel_id}/messages/{message_id}", repeatable=True,
            unless=_GONE, channel_id=str(remote["channel"]), message_id=str(remote["message"]),
        )  # fmt: skip
        found = (
            next((one for one in kept_of(message) if one["id"] == remote["id"]), None)
            if "id" in message
            else None
        )
        if found is None:
            raise EntryFault("file_not_found")
        if not self._is_discords(found["url"]):
            raise EntryFault("file_elsewhere")
        return {**remote, **found, "channel": str(remote["channel"])}

    async def _get(self, url: str) -> aiohttp.ClientResponse:
        return await self._open().get(url, allow_redirects=False)

    def _is_discords(self, url: str) -> bool:
        parts = urlsplit(url)
        if parts[:2] == self._own:
            return True
        return parts.scheme == "https" and (parts.hostname or "").lower() in HOSTS

    # --- to Discord -------------------------------------------------------------------------------------------

    async def upload(self, name: str, size: int, _: AsyncIterable[bytes]) -> str:
        """An id for a file that Discord will take; its bytes go with `share`."""
        if size > await self._most():
            raise EntryFault("too_large")
        return f"{int(time()):08x}-{secrets.token_hex(8)}"

    async def _most(self) -> int:
        guild = await self._directory.guild()
        return LIMITS.get(int(guild.get("premium_tier") or 0), LEAST)

    async def share(
        self, place: Place, remote_file: str, name: str, content: Callable[[], AsyncIterable[bytes]]
    ) -> Posted:
        """Post it in the thread. One that could not be carried in time becomes a link the second time."""
        if remote_file in self._slow:
            self._slow.discard(remote_file)
            raise EntryFault("too_slow")
        with tempfile.TemporaryFile(prefix="baton-") as spool:
            async for piece in content():
                spool.write(piece)
            spool.seek(0)
            try:
                answer = await self._post(place, remote_file, name, spool)
            except asyncio.CancelledError:  # the courier's own patience has ended
                self._slow.add(remote_file)
                raise
            except Unsure as doubt:
                if doubt.reason == "timeout":
                    self._slow.add(remote_file)
                raise
        if "id" not in answer:
            raise EntryFault(f"discord_{answer.get('code')}")
        return Posted(f"{place.root}/{answer['id']}", place.channel)

    async def _post(self, place: Place, remote_file: str, name: str, spool: IO[bytes]) -> dict[str, Any]:
        payload = {
            "content": "",
            "nonce": remote_file,
            "enforce_nonce": True,
            "allowed_mentions": {"parse": []},
            "attachments": [{"id": "0", "filename": name, "description": _description(name, remote_file)}],
        }
        form: list[dict[str, Any]] = [
            {"name": "payload_json", "value": json.dumps(payload), "content_type": "application/json"},
            {
                "name": "files[0]",
                "value": spool,
                "filename": name,
                "content_type": "application/octet-stream",
            },
        ]
        answer: dict[str, Any] = await self._api.call(
            "POST", "/channels/{channel_id}/messages", form=form, unless=_NEVER, gone={UNKNOWN_CHANNEL},
            channel_id=place.root,
        )  # fmt: skip
        return answer

    async def find_share(self, place: Place, remote_file: str) -> Posted | None:
        """By its description, among what we wrote in the thread since the id was given out."""
        ours = (await self._api.identity()).user_id
        after = snowflake_at(int(remote_file.partition("-")[0], 16) - CLOCK_MARGIN)
        for _ in range(_MOST_PAGES):
            page = await self._api.call(
                "GET", "/channels/{channel_id}/messages", repeatable=True, gone={UNKNOWN_CHANNEL},
                params={"after": after, "limit": 100}, channel_id=place.root,
            )  # fmt: skip
            if not page:
                await self._api.require_history(place.root, {UNKNOWN_CHANNEL})
            for message in page or ():
                if message["author"]["id"] == ours and _carries(message, remote_file):
                    return Posted(f"{place.root}/{message['id']}", place.channel)
            if len(page or ()) < 100:
                return None
            after = max((str(one["id"]) for one in page), key=int)
        return None

    async def take_back(self, remote_file: str) -> None:
        """Delete the message that shows it."""
        thread, _, message = remote_file.partition("/")
        answer = await self._delete(thread, message)
        if answer.get("code") == ARCHIVED:
            await self._api.call(
                "PATCH",
                "/channels/{channel_id}",
                repeatable=True,
                json={"archived": False},
                channel_id=thread,
            )
            await self._delete(thread, message)

    async def _delete(self, thread: str, message: str) -> dict[str, Any]:
        answer: dict[str, Any] = await self._api.call(
            "DELETE", "/channels/{channel_id}/messages/{message_id}", repeatable=True,
            unless={*_GONE, ARCHIVED, MISSING_ACCESS}, channel_id=thread, message_id=message,
        )  # fmt: skip
        return answer

    async def close(self) -> None:
        """Close the connections; a later call opens others."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def _open(self) -> aiohttp.ClientSession:
        """No limit on the whole: the courier has one, and large files take their time."""
        if self._session is None or self._session.closed:
            timeout = aiohttp.ClientTimeout(total=None, sock_connect=10.0, sock_read=STALLED)
            self._session = aiohttp.ClientSession(timeout=timeout, auto_decompress=False)
        return self._session


def _holds(url: str) -> bool:
    """Whether a signed address is good for a while. One that does not say is tried."""
    if not url:
        return False
    try:
        ends = parse_qs(urlsplit(url).query).get("ex", [])
        return not ends or int(ends[0], 16) > time() + MARGIN
    except ValueError:
        return False


def _check(response: aiohttp.ClientResponse) -> None:
    if response.status in (404, 410):
        raise EntryFault("file_not_found")
    if response.status != 200:
        raise PlaceFault(f"http_{response.status}")


def _description(name: str, remote_file: str) -> str:
    """What a screen reader says, and how the file is found again."""
    return f"{name[:200]} · {remote_file}"


def _carries(message: Mapping[str, Any], remote_file: str) -> bool:
    return any(
        str(one.get("description") or "").endswith(f"· {remote_file}")
        for one in message.get("attachments") or ()
    )
