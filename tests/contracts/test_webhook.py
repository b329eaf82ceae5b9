"""What a webhook sender must do, against a real receiver on a socket."""

import base64
import hashlib
import hmac
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from aiohttp import web

from adapters.webhook.outbound import WebhookSender
from adapters.webhook.signing import sign
from bot.errors import PlaceFault
from bot.settings import StorePolicy

AT = 1_800_000_000.0
BODY = '{"type":"message.created","data":{"text":"größer 🙂"}}'.encode()


@dataclass
class Receiver:
    """A store's backend: keeps what it got, answers what it is told to."""

    url: str = ""
    status: int = 204
    headers: dict[str, str] = field(default_factory=dict)
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.Response:
        self.got.append(
            ({name.lower(): value for name, value in request.headers.items()}, await request.read())
        )
        return web.Response(status=self.status, headers=self.headers)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    told = Receiver()
    app = web.Application()
    app.router.add_post("/hook", told.take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    told.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    yield told
    await runner.cleanup()


@pytest.fixture
async def sender(receiver: Receiver) -> AsyncIterator[WebhookSender]:
    store = StorePolicy("main", "key", webhook_url=receiver.url, webhook_secret="whsec_c2VjcmV0IGtleQ==")
    made = WebhookSender({"main": store}, timeout=2)
    yield made
    await made.close()


async def test_the_body_arrives_byte_for_byte(receiver: Receiver, sender: WebhookSender) -> None:
    await sender.send("main", "d-1", BODY, AT)
    assert receiver.got[0][1] == BODY


async def test_the_signature_is_the_specifications(receiver: Receiver, sender: WebhookSender) -> None:
    await sender.send("main", "d-1", BODY, AT)
    headers, body = receiver.got[0]
    signed = b"d-1." + headers["webhook-timestamp"].encode() + b"." + body
    expected = base64.b64encode(hmac.new(b"secret key", signed, hashlib.sha256).digest()).decode()
    assert (headers["webhook-id"], headers["webhook-signature"]) == ("d-1", f"v1,{expected}")


async def test_a_repeat_carries_the_same_id_and_bytes(receiver: Receiver, sender: WebhookSender) -> None:
    for at in (AT, AT + 60):
        await sender.send("main", "d-1", BODY, at)
    assert [(headers["webhook-id"], body) for headers, body in receiver.got] == [("d-1", BODY)] * 2


@pytest.mark.parametrize("status", [301, 400, 404, 410, 500, 503])
async def test_anything_but_2xx_is_sent_again(receiver: Receiver, sender: WebhookSender, status: int) -> None:
    receiver.status, receiver.headers = status, {"Location": receiver.url}
    with pytest.raises(PlaceFault, match=str(status)):
        await sender.send("main", "d-1", BODY, AT)
    assert len(receiver.got) == 1  # a redirect is not followed: the signature is for this address


async def test_a_receiver_says_when_to_come_again(receiver: Receiver, sender: WebhookSender) -> None:
    receiver.status, receiver.headers = 429, {"Retry-After": "7"}
    with pytest.raises(PlaceFault) as caught:
        await sender.send("main", "d-1", BODY, AT)
    assert caught.value.retry_after == 7


async def test_nobody_listening_is_the_places_fault() -> None:
    made = WebhookSender(
        {"main": StorePolicy("main", "key", webhook_url="http://127.0.0.1:9/hook")}, timeout=2
    )
    with pytest.raises(PlaceFault):
        await made.send("main", "d-1", BODY, AT)
    await made.close()


def test_a_secret_that_is_cut_off_is_named() -> None:
    with pytest.raises(ValueError, match="WEBHOOK_SECRET"):
        sign("whsec_not base64!", "d-1", int(AT), BODY)
