"""Uploads and downloads over HTTP, as an attacker makes them."""

import asyncio
import hashlib
import io
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from prometheus_client import CollectorRegistry

from adapters.files.local import LocalFiles
from adapters.storefront import StorefrontAdapter
from adapters.storefront.files_routes import headers_of
from adapters.web_server import WebServer
from bot import files
from bot.commands import KeepFile
from bot.errors import Busy
from bot.files import MIB, File
from bot.settings import FilePolicy
from tests.adapters.storefront.stub import KEY, PAGE_ORIGIN, StubCore, settings
from tests.waiting import until

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 1_000


class Core(StubCore):
    """Keeps files' rows."""

    def __init__(self, of: Any):
        super().__init__(of)
        self.rows: dict[str, File] = {}
        self.files = self

    async def submit(self, command: Any) -> Any:
        answer = await super().submit(command)
        if isinstance(command, KeepFile):
            self.rows[command.file.id] = command.file
        return answer

    def get(self, key: Any) -> Any:
        return self.rows.get(key) if isinstance(key, str) else super().get(key)


class Shop:
    def __init__(self, folder: Path, policy: FilePolicy):
        self.settings = replace(settings(), files=policy)
        self.core, self.folder = Core(self.settings), folder
        self.store = LocalFiles(folder)
        self.adapter = StorefrontAdapter(
            self.settings, self.core, self.core.read, self.core, self.core.clock, self.store
        )
        self.server = WebServer(self.settings, CollectorRegistry())
        self.adapter.mount(self.server.app)
        self.session = aiohttp.ClientSession()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.port}"

    async def post(self, path: str, **more: Any) -> tuple[int, Any]:
        token = KEY if path.startswith("/v1") else self.adapter.tokens.issue("main", "s-1", "c-1")[0]
        headers = {"Authorization": f"Bearer {token}", **more.pop("headers", {})}
        async with self.session.post(self.url + path, headers=headers, **more) as response:
            return response.status, await response.json()

    async def upload(self, content: Any, name: str = "a.png", mime: str = "image/png") -> tuple[int, Any]:
        headers = {"Content-Type": mime}
        return await self.post(f"/widget/v1/attachments?name={name}", data=content, headers=headers)

    async def get(self, address: str) -> tuple[int, bytes, Any]:
        async with self.session.get(f"{self.url}/{address}") as response:
            return response.status, await response.read(), response.headers

    def address(self, file_id: str, seconds: float = 3600.0) -> str:
        return files.path_of(self.settings, file_id, self.core.now, seconds)

    def kept(self) -> list[Path]:
        return [path for path in self.folder.rglob("*") if path.is_file()]


@pytest.fixture
async def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Shop]:
    monkeypatch.setattr("adapters.web_server.STOP_TIMEOUT", 0.2)  # a refused upload's connection lingers
    shop = Shop(tmp_path, FilePolicy(max_mb=1))
    await shop.server.start()
    yield shop
    await shop.session.close()
    await shop.server.stop()


# --- uploads --------------------------------------------------------------------------------------------------


async def test_a_window_uploads_for_its_own_conversation(shop: Shop) -> None:
    status, answer = await shop.upload(PNG)
    assert (status, answer["name"], answer["mime"], answer["size"]) == (201, "a.png", "image/png", len(PNG))
    assert answer["sha256"] == hashlib.sha256(PNG).hexdigest()
    (command,) = shop.core.submitted
    assert (command.window.shopper_id, command.window.conversation_id, command.file.store) == (
        "s-1",
        "c-1",
        "main",
    )


@pytest.mark.parametrize("path", ["/v1/files", "/widget/v1/attachments"])
async def test_multipart_is_taken_too(shop: Shop, path: str) -> None:
    form = aiohttp.FormData(quote_fields=False)
    form.add_field("note", "first a field that is no file")
    form.add_field("file", PNG, filename="../../a.png", content_type="image/png")
    status, answer = await shop.post(path, data=form)
    assert (status, answer["name"], answer["size"]) == (201, "a.png", len(PNG))


@pytest.mark.parametrize("path", ["/v1/files", "/widget/v1/attachments"])
async def test_without_a_key_or_token_nothing_is_taken(shop: Shop, path: str) -> None:
    status, answer = await shop.post(path, data=PNG, headers={"Authorization": "Bearer x"})
    assert (status, answer["error"]["code"]) in [(401, "unauthorized"), (401, "token_invalid")]
    assert shop.kept() == []


async def test_a_page_of_another_origin_uploads_nothing(shop: Shop) -> None:
    status, _ = await shop.post(
        "/widget/v1/attachments", data=PNG, headers={"Origin": "https://evil.example"}
    )
    assert status == 403
    status, _ = await shop.post("/widget/v1/attachments", data=PNG, headers={"Origin": PAGE_ORIGIN})
    assert status == 201


@pytest.mark.parametrize(
    "content", [b"<html><script>1</script>", b"<svg onload='alert(1)'/>", b"MZ" + bytes(500), b""]
)
async def test_what_may_not_pass_is_415_with_what_may_and_nothing_is_kept(shop: Shop, content: bytes) -> None:
    status, answer = await shop.upload(content)
    if content:
        assert (status, answer["error"]["code"], answer["error"]["field"]) == (415, "file_type", "file")
        assert "images, PDF, text" in answer["error"]["message"]
    else:
        assert status in (415, 422)
    assert shop.kept() == []
    assert shop.core.submitted == []


async def test_more_than_the_limit_is_413_by_its_length_alone(shop: Shop) -> None:
    status, answer = await shop.upload(io.BytesIO(bytes(2 * MIB)))
    assert (status, answer["error"]["code"]) == (413, "file_too_large")
    assert "1 MB" in answer["error"]["message"]
    assert shop.kept() == []


async def test_more_than_the_limit_without_a_length_is_stopped_where_it_gets_so(shop: Shop) -> None:
    sent, answered = 0, False

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        yield PNG[:8]
        while not answered and sent < 200 * MIB:
            sent += 64 * 1024
            yield bytes(64 * 1024)

    try:
        status, answer = await shop.upload(endless())
        assert (status, answer["error"]["code"]) == (413, "file_too_large")
    except aiohttp.ClientConnectionError:
        pass  # we were still sending when the server hung up
    answered = True
    assert sent < 100 * MIB
    assert shop.kept() == []
    assert shop.core.submitted == []


async def test_an_upload_that_breaks_off_leaves_nothing(shop: Shop) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", shop.server.port)
    lines = (
        "POST /v1/files?name=a.png HTTP/1.1",
        "Host: x",
        f"Authorization: Bearer {KEY}",
        "Content-Length: 900000",
    )
    head = "".join(f"{line}\r\n" for line in (*lines, ""))
    writer.write(head.encode() + PNG)
    await writer.drain()
    await until(lambda: len(shop.kept()) == 1)
    writer.close()
    await writer.wait_closed()
    await until(lambda: shop.kept() == [])
    assert shop.core.submitted == []


async def test_a_row_that_cannot_be_stored_leaves_no_bytes(shop: Shop) -> None:
    shop.core.answers["KeepFile"] = Busy(1.0)
    status, _ = await shop.upload(PNG)
    assert status == 503
    assert shop.kept() == []


async def test_a_shopper_uploads_only_so_many_at_once(shop: Shop) -> None:
    statuses = [(await shop.upload(PNG[:500]))[0] for _ in range(12)]
    assert statuses[:10] == [201] * 10
    assert statuses[-1] == 429


@pytest.mark.parametrize(
    "headers", [{"Content-Type": "multipart/form-data"}, {"Content-Type": "multipart/form-data; boundary=x"}]
)
async def test_a_form_that_is_none_is_refused(shop: Shop, headers: dict[str, str]) -> None:
    status, answer = await shop.post("/v1/files", data=b"--y\r\nno form", headers=headers)
    assert (status, answer["error"]["code"]) == (422, "invalid_body")


# --- downloads ------------------------------------------------------------------------------------------------


async def test_a_picture_is_shown_and_everything_else_is_a_download(shop: Shop) -> None:
    _, picture = await shop.upload(PNG)
    _, text = await shop.upload(b"hello", "a.txt", "text/plain")
    status, content, shown = await shop.get(shop.address(picture["file_id"]))
    _, _, downloaded = await shop.get(shop.address(text["file_id"]))
    assert (status, content) == (200, PNG)
    assert shown["Content-Disposition"].startswith("inline")
    assert downloaded["Content-Disposition"].startswith("attachment")
    for headers in (shown, downloaded):
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
        assert headers["Cache-Control"].startswith("private")


async def test_a_forged_or_foreign_signature_opens_nothing(shop: Shop) -> None:
    _, mine = await shop.upload(PNG)
    _, other = await shop.upload(PNG)
    good = shop.address(mine["file_id"])
    for address in (
        good.replace("sig=", "sig=0"),
        good.replace("exp=", "exp=9"),
        good.replace(mine["file_id"], other["file_id"]),
        f"files/{mine['file_id']}",
        f"files/{mine['file_id']}?sig=&exp=",
        f"files/{mine['file_id']}?exp=9999999999&sig={'0' * 64}",
    ):
        status, content, _ = await shop.get(address)
        assert (status, PNG in content) == (403, False)


async def test_an_expired_address_opens_nothing_and_says_so(shop: Shop) -> None:
    _, mine = await shop.upload(PNG)
    address = shop.address(mine["file_id"])
    shop.core.now += 3 * 3600
    status, content, _ = await shop.get(address)
    assert status == 403
    assert b"link_expired" in content


async def test_a_file_that_was_taken_back_is_404_even_with_a_good_signature(shop: Shop) -> None:
    _, mine = await shop.upload(PNG)
    del shop.core.rows[mine["file_id"]]
    assert (await shop.get(shop.address(mine["file_id"])))[0] == 404
    assert (await shop.get(shop.address("../../etc/passwd")))[0] in (403, 404)


@pytest.mark.parametrize(
    "name", ['a"; filename="evil.html', "a\r\nSet-Cookie: x=1.txt", "größe.txt", "a\\b.txt"]
)
def test_no_name_leaves_its_header(name: str) -> None:
    made = headers_of(File("f" * 32, "main", name, "text/plain", 1, 0.0))["Content-Disposition"]
    assert made.isascii()
    assert made.isprintable()
    assert made.count('"') == 2
