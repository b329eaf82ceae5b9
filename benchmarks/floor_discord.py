"""Discord's floor: a bare discord.py listener that only pushes the text to the shopper's stream. Nothing is stored.

`python -m benchmarks.floor_discord PORT`: what any bot on discord.py costs, before it does anything.
"""

import asyncio
import os
import sys

from aiohttp import web

from adapters.discord.vendor import discord, point_at
from benchmarks.floor import Floor
from bot import serving


class Client(discord.Client):
    """As lean as discord.py's documentation would have it."""

    def __init__(self, floor: Floor) -> None:
        intents = discord.Intents.none()
        intents.guilds = intents.guild_messages = intents.message_content = True
        super().__init__(intents=intents, max_messages=None, guild_ready_timeout=0.1)
        self._floor = floor

    async def on_message(self, message: discord.Message) -> None:
        """discord.py's listener."""
        if not message.author.bot:
            self._floor.push(str(message.channel.id), message.content)


async def main(port: int) -> None:
    """Serve until SIGTERM."""
    point_at(os.environ["DISCORD_API_URL"], os.environ["DISCORD_GATEWAY_URL"])
    floor = Floor()
    client = Client(floor)

    async def ready(_: web.Request) -> web.Response:
        return web.Response(status=200 if client.is_ready() else 503)

    server = web.Application()
    server.add_routes([web.get("/stream", floor.stream), web.get("/readyz", ready)])
    runner = web.AppRunner(server, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    listening = asyncio.create_task(client.start(os.environ["DISCORD_TOKEN"]))
    await serving.stop_on_signals().wait()
    listening.cancel()
    await client.close()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
