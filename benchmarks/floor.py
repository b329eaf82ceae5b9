"""The floor: a bare Bolt listener that only pushes the text to the shopper's stream. Nothing is stored.

`python -m benchmarks.floor socket|http PORT`: what any bot on Bolt costs, before it does anything.
"""

import asyncio
import json
import os
import sys
from collections import defaultdict
from typing import Any

from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot import serving

Queue = asyncio.Queue[tuple[int, str]]


class Floor:
    """Streams by thread."""

    def __init__(self) -> None:
        self._queues: dict[str, list[Queue]] = defaultdict(list)
        self._count = 0

    async def message(self, event: dict[str, Any]) -> None:
        """Bolt's listener."""
        self.push(event.get("thread_ts", ""), event["text"])

    def push(self, thread: str, text: str) -> None:
        """To whoever has that thread's stream open."""
        self._count += 1
        for queue in self._queues[thread]:
            queue.put_nowait((self._count, text))

    async def stream(self, request: web.Request) -> web.StreamResponse:
        """`GET /stream?thread=…`: server-sent events."""
        queue: Queue = asyncio.Queue()
        self._queues[request.query["thread"]].append(queue)
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream; charset=utf-8"})
        await response.prepare(request)
        await response.write(b": open\n\n")
        while True:
            number, text = await queue.get()
            shown = json.dumps({"seq": number, "text": text})
            await response.write(f"event: entry\nid: {number}\ndata: {shown}\n\n".encode())


async def main(mode: str, port: int) -> None:
    """Serve until SIGTERM."""
    floor = Floor()
    client = AsyncWebClient(token=os.environ["SLACK_BOT_TOKEN"], base_url=os.environ["SLACK_API_URL"])
    app = AsyncApp(
        client=client,
        token=os.environ["SLACK_BOT_TOKEN"],
        signing_secret=os.environ["SLACK_SIGNING_SECRET"],
        process_before_response=True,
    )
    app.event("message")(floor.message)

    async def events(request: web.Request) -> web.Response:
        return await to_aiohttp_response(await app.async_dispatch(await to_bolt_request(request)))

    async def ready(_: web.Request) -> web.Response:
        return web.Response()

    server = web.Application()
    server.add_routes(
        [web.get("/stream", floor.stream), web.post("/slack/events", events), web.get("/readyz", ready)]
    )
    if mode == "socket":
        await AsyncSocketModeHandler(app, os.environ["SLACK_APP_TOKEN"]).connect_async()  # type: ignore[no-untyped-call]
    runner = web.AppRunner(server, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    await serving.stop_on_signals().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
