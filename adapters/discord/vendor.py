"""discord.py, imported without its noise: a warning that is Python's to heed, and log lines that carry payloads."""

import logging
import warnings

with warnings.catch_warnings():
    warnings.filterwarnings("ignore", message="'audioop' is deprecated", category=DeprecationWarning)
    import discord
    import discord.gateway
    import discord.http
    import discord.state

logging.getLogger("discord").setLevel(logging.CRITICAL + 1)  # the adapter logs in its own words
discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False

DISCORD_API = "https://discord.com/api/v10"
DISCORD_GATEWAY = "wss://gateway.discord.gg/"


def point_at(api_url: str, gateway_url: str) -> None:
    """Where Discord is. discord.py knows one per process."""
    discord.http.Route.BASE = api_url.rstrip("/")
    socket = discord.gateway.DiscordWebSocket
    socket.DEFAULT_GATEWAY = type(socket.DEFAULT_GATEWAY)(gateway_url)


__all__ = ["DISCORD_API", "DISCORD_GATEWAY", "discord", "point_at"]
