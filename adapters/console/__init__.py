"""Baton's console: a live page for operators, and the chat of teams that have none."""

from adapters.console.api import ConsoleAdapter
from adapters.console.outbound import ConsoleChat

__all__ = ["ConsoleAdapter", "ConsoleChat"]
