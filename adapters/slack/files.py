"""Files to and from Slack: the `ChatFiles` port.

A download answers 200 with a sign-in page where the token or its scopes are not enough, and a file that was just
shared may not be known for a moment. The token is sent to Slack and nowhere else: a "file" can be a link to anywhere.
An upload takes three calls; only the last shows anything. It takes no metadata, so it is looked up by the file's id.
"""

from collections.abc import AsyncGenerator, AsyncIterable, Mapping
from time import time
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from adapters.slack.allowance import Importance
from adapters.slack.api import SlackApi
from bot.deadline import in_time
from bot.errors import EntryFault, PlaceFault
from bot.posts import Place, Posted
from bot.settings import Slack

PIECE = 64 * 1024
JUST_SHARED = 60.0
"""Seconds for which a file that Slack does not know may be one that it does not know yet."""
STALLED = 30.0
"""Seconds without a byte after which a transfer is given up, and begun again later."""

KEPT = (
    "id", "name", "mimetype", "size", "url_private_download", "mode", "file_access", "external_type", "is_external",
)  # fmt: skip
"""What of a message's file is needed later."""

_UNKNOWN = frozenset({"file_not_found", "file_deleted"})
_NEVER = frozenset({"file_uploads_disabled", "not_allowed", "storage_limit_reached", "file_type_not_allowed",
                    "missing_scope", "no_permission", "restricted_action", "posting_to_channel_denied"})  # fmt: skip


def kept_of(message: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The files of a person's message, without those taken away already."""
    return [
        {key: file[key] for key in KEPT if key in file}
        for file in message.get("files") or ()
        if file.get("mode") != "tombstone" and file.get("id")
    ]


class SlackFiles:
    """See `bot.ports.ChatFiles`."""

    def __init__(self, api: SlackApi, settings: Slack):
        self._api = api
        self._token = settings.bot_token
        self._api_host = urlsplit(settings.api_url).netloc
        self._session: aiohttp.ClientSession | None = None

    # --- from Slack -------------------------------------------------------------------------------------------

    async def describe(self, remote: Mapping[str, Any]) -> Mapping[str, Any]:
        """A file that lies at Slack, with its address."""
        file = await self._known(remote)
        elsewhere = file.get("mode") in ("external", "tombstone") or file.get("is_external")
        if elsewhere or not self._is_slacks(str(file.get("url_private_download") or "")):
            raise EntryFault("file_elsewhere")
        return file

    async def fetch(self, remote: Mapping[str, Any]) -> AsyncGenerator[bytes, None]:
        """The bytes, as they come."""
        url, declared = str(remote["url_private_download"]), str(remote.get("mimetype") or "")
        in_time()
        try:
            async with self._open().get(
                url, headers={"Authorization": f"Bearer {self._token}"}, allow_redirects=False
            ) as response:
                _check(response, declared)
                async for piece in response.content.iter_chunked(PIECE):
                    yield piece
        except (TimeoutError, aiohttp.ClientError, OSError):
            raise PlaceFault("connection_lost") from None

    async def _known(self, remote: Mapping[str, Any]) -> Mapping[str, Any]:
        """With its address: Slack leaves that out of some events and says "check_file_info"."""
        if remote.get("url_private_download") and remote.get("file_access") != "check_file_info":
            return remote
        answer = await self._api.call(
            "files.info",
            repeatable=True,
            verb="GET",
            importance=Importance.LOOK,
            unless=_UNKNOWN,
            file=remote["id"],
        )
        file: dict[str, Any] = answer.get("file") or {}
        if file.get("url_private_download") or file.get("mode") in ("external", "tombstone"):
            return file
        if time() - float(remote.get("at") or 0.0) > JUST_SHARED:
            raise EntryFault("file_not_found")
        raise PlaceFault("file_not_yet")

    def _is_slacks(self, url: str) -> bool:
        parts = urlsplit(url)
        if parts.netloc == self._api_host:
            return True
        host = (parts.hostname or "").lower()
        return parts.scheme == "https" and (host == "slack.com" or host.endswith(".slack.com"))

    # --- to Slack ---------------------------------------------------------------------------------------------

    async def upload(self, name: str, size: int, content: AsyncIterable[bytes]) -> str:
        """Slack's id of the file; nobody sees it yet."""
        answer = await self._call("files.getUploadURLExternal", verb="GET", filename=name, length=size)
        url = str(answer.get("upload_url") or "")
        if not self._is_slacks(url):
            raise PlaceFault("upload_url")
        in_time()
        try:
            async with self._open().post(
                url, data=content, headers={"Content-Length": str(size), "Content-Type": "application/octet-stream"},
                allow_redirects=False,
            ) as response:  # fmt: skip
                if response.status != 200:
                    raise PlaceFault(f"upload_http_{response.status}")
        except (TimeoutError, aiohttp.ClientError, OSError):
            raise PlaceFault("connection_lost") from None
        return str(answer["file_id"])

    async def share(self, place: Place, remote_file: str, name: str, _: object = None) -> Posted:
        """Show it in the thread; `Unsure` if nobody knows whether it is."""
        files = [{"id": remote_file, "title": name}]
        await self._call(
            "files.completeUploadExternal", repeatable=False, files=files, channel_id=place.channel,
            thread_ts=place.root,
        )  # fmt: skip
        return Posted(remote_file, place.channel)

    async def find_share(self, place: Place, remote_file: str) -> Posted | None:
        """By the messages that Slack says show it."""
        answer = await self._api.call(
            "files.info", repeatable=True, verb="GET", unless=_UNKNOWN, file=remote_file
        )
        shares: dict[str, Any] = (answer.get("file") or {}).get("shares") or {}
        for channels in shares.values():
            if any(one.get("thread_ts") == place.root for one in channels.get(place.channel) or ()):
                return Posted(remote_file, place.channel)
        return None

    async def take_back(self, remote_file: str) -> None:
        """Delete it, with every message that shows it."""
        await self._api.call(
            "files.delete", repeatable=True, importance=Importance.AMEND, unless=_UNKNOWN, file=remote_file
        )

    async def _call(
        self, method: str, *, repeatable: bool = True, verb: str = "POST", **params: Any
    ) -> dict[str, Any]:
        """`EntryFault` where Slack will not take the file: the team gets a link instead."""
        answer = await self._api.call(method, repeatable=repeatable, verb=verb, unless=_NEVER, **params)
        if not answer.get("ok", True):
            raise EntryFault(str(answer.get("error")))
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


def _check(response: aiohttp.ClientResponse, declared: str) -> None:
    """What came instead of the file, if it is not the file."""
    if response.status in (301, 302, 303, 307, 308, 401, 403):
        raise PlaceFault("login_page")
    if response.status in (404, 410):
        raise EntryFault("file_not_found")
    if response.status != 200:
        raise PlaceFault(f"http_{response.status}")
    if response.content_type == "text/html" and not declared.startswith("text/html"):
        raise PlaceFault("login_page")
