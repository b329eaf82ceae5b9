"""A listing that only one person sees, and what they press in it: shown anew afterwards, with what was done above it.

Slack does not send such a listing back with a click, so the listing carries the words that ask for it (`Answer.again`)
in the names of its blocks, and a window that one of its buttons opened carries them on.
"""

from collections.abc import Callable
from dataclasses import replace

from adapters.slack.answers import Answers, Errand
from adapters.slack.clicks import Where
from bot.errors import Busy, DeliveryFault, Refused, Unavailable
from bot.people import Actor
from bot.ports import Desk
from bot.posts import Action, Answer

OnHome = Callable[[str, str], None]


class Listings:
    """`on_home` shows a word above somebody's queue: for what was done where no message is."""

    def __init__(self, desk: Desk, answers: Answers, errand: Errand, on_home: OnHome):
        self._desk = desk
        self._answers = answers
        self._errand = errand
        self._on_home = on_home

    def tell(self, where: Where, actor: Actor, answer: Answer | None) -> None:
        """What became of a click or a window."""
        if where.again and where.ephemeral:
            self._errand(self._anew(where, actor, answer or Answer("")))
        elif where.channel or where.response_url:
            self._answers.tell(where, answer)
        elif answer is not None:
            self._on_home(where.user_id, answer.text)

    async def _anew(self, where: Where, actor: Actor, said: Answer) -> None:
        try:
            fresh = await self._desk.press(Action.PAGE, where.again, actor)
        except (Busy, DeliveryFault, Refused, Unavailable):
            self._answers.tell(where, said)  # beside the old one
        else:
            self._answers.tell(where, below(said, fresh), instead=True)


def below(said: Answer, listing: Answer) -> Answer:
    """What was done, then how things stand now."""
    text = "\n\n".join(one for one in (said.text, listing.text) if one)
    return replace(listing, text=text, buttons=(*said.buttons, *listing.buttons))
