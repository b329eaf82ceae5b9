"""Every sentence a person reads, in one place, so that it can be changed and translated; a file for each place.

Functions, not constants, where a sentence has a blank.
"""

from bot.texts import answers, boards, card, shopper, slash, terminal, thread, windows, words

__all__ = ["answers", "boards", "card", "shopper", "slash", "terminal", "thread", "windows", "words"]
