"""A store's backend with a scripted assistant, in one file, on Baton's public API alone.

It hears what the shopper wrote by webhook, checks the signature, answers with `POST /v1/…/messages`, and is silent
while a person is in charge: Baton says so in the webhook and, to be sure, refuses its message with 409.

Run it with BATON_URL, BATON_API_KEY, WEBHOOK_SECRET and PORT; `make demo` does.
"""

import asyncio
import base64
import hashlib
import hmac
import os
import time

from aiohttp import ClientSession, web

BATON_URL = os.environ.get("BATON_URL", "http://127.0.0.1:8080")
API_KEY = os.environ.get("BATON_API_KEY", "")
SECRET = os.environ.get("WEBHOOK_SECRET", "")
PORT = int(os.environ.get("PORT", "8081"))
THINKING = float(os.environ.get("THINKING", "0.7"))

SCRIPT = (
    (("where", "track", "shipping", "delivery", "order"), "Your order is on its way and should arrive on Thursday."),
    (("return", "exchange"), "You can return anything within 30 days. Shall I e-mail you a label?"),
    (("size", "fit", "dimensions", "big", "tall", "wide"), "The *Halo* lamp is 42 cm tall and 18 cm wide."),
    (("hello", "hi", "hey"), "Hello! I'm the store's assistant. Ask me about orders, returns or our lamps."),
    (("thank", "thanks"), "You're welcome!"),
)  # fmt: skip
FALLBACK = "I'm not sure about that. I can look up orders, returns and sizes, or you can ask for a person at any time."


def answer_to(text: str) -> str:
    """The script: the first line with a word that was written."""
    words = {word.strip(".,!?").lower() for word in text.split()}
    return next((reply for keys, reply in SCRIPT if words & set(keys)), FALLBACK)


def is_signed(headers: dict[str, str], body: bytes) -> bool:
    """Standard Webhooks: HMAC-SHA256 over id, timestamp and body, not older than five minutes."""
    message_id, at = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "0")
    if not at.isdigit() or abs(time.time() - int(at)) > 300:
        return False
    key = base64.b64decode(SECRET[6:]) if SECRET.startswith("whsec_") else SECRET.encode()
    digest = hmac.new(key, f"{message_id}.{at}.".encode() + body, hashlib.sha256).digest()
    expected = "v1," + base64.b64encode(digest).decode()
    return any(hmac.compare_digest(given, expected) for given in headers.get("webhook-signature", "").split())


async def webhook(request: web.Request) -> web.Response:
    """Take the event, answer at once, and reply in the background."""
    body = await request.read()
    if not is_signed({name.lower(): value for name, value in request.headers.items()}, body):
        return web.Response(status=401)
    event = await request.json()
    entry = event["data"]["entry"]
    if (
        event["type"] == "message.created"
        and entry["author"] == "shopper"
        and event["data"]["assistant_may_reply"]
    ):
        task = asyncio.create_task(reply(request.app, event["data"]["conversation_id"], entry))
        request.app["tasks"].add(task)
        task.add_done_callback(request.app["tasks"].discard)
    return web.Response(status=204)


async def reply(app: web.Application, conversation: str, entry: dict[str, object]) -> None:
    """Its id is made from the shopper's message, so a repeated webhook never answers twice."""
    await asyncio.sleep(THINKING)
    said = {"id": f"assistant-{entry['seq']}", "author": "assistant", "text": answer_to(str(entry["text"]))}
    url = f"{BATON_URL}/v1/conversations/{conversation}/messages"
    async with app["http"].post(url, json=said, headers={"Authorization": f"Bearer {API_KEY}"}) as answer:
        if answer.status == 409:
            return  # a person took over in the meantime
        answer.raise_for_status()


async def outgoing(app: web.Application):
    """One HTTP session for the life of the server."""
    app["tasks"] = set()
    async with ClientSession() as app["http"]:
        yield


if __name__ == "__main__":
    server = web.Application()
    server.router.add_post("/webhook", webhook)
    server.cleanup_ctx.append(outgoing)
    web.run_app(server, host="127.0.0.1", port=PORT, print=None)
