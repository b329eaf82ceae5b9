"""The console as a team's chat: the shortest example of the `TeamChat` port.

The page reads the log itself, so a post is shown as soon as its entry is in the log. What other platforms
need a call for is true here by construction: every id follows from what is posted, an edit is in the log before
anybody could be told of it, and nothing can be posted twice.
"""

from collections.abc import Callable, Sequence

from bot.people import Actor, Member
from bot.posts import Answer, Card, Heard, Place, Post, Posted, Receipt
from bot.settings import Settings, TeamPolicy

PLATFORM = "console"


class Present:
    """The operators with an open console page, counted per page. In memory: pages reconnect by themselves."""

    def __init__(self, changed: Callable[[], None] = lambda: None) -> None:
        self._pages: dict[str, tuple[Actor, int]] = {}
        self._changed = changed

    def enter(self, actor: Actor) -> None:
        """One more page of theirs is open."""
        _, pages = self._pages.get(actor.id, (actor, 0))
        self._pages[actor.id] = (actor, pages + 1)
        if pages == 0:
            self._changed()

    def leave(self, actor: Actor) -> None:
        """One page less."""
        known, pages = self._pages.get(actor.id, (actor, 0))
        if pages > 1:
            self._pages[actor.id] = (known, pages - 1)
        elif self._pages.pop(actor.id, None):
            self._changed()

    def actors(self) -> list[Actor]:
        """Everybody who is there, in the order they came."""
        return [actor for actor, _ in self._pages.values()]


class ConsoleChat:
    """`TeamChat` for the console. It raises no faults: there is nothing between it and the log."""

    platform = PLATFORM
    shows_log = True

    def __init__(self, settings: Settings, present: Present, *, open_to_all: bool = False) -> None:
        self._settings = settings
        self._present = present
        self._open_to_all = open_to_all
        self._roots: dict[str, Posted] = {}

    def split(self, post: Post) -> Sequence[Post]:
        """The page has no limit on length."""
        return [post]

    async def open_thread(self, channel: str, card: Card, delivery_id: str) -> Posted:
        """A case's page is its thread."""
        link = f"{self._settings.public_url}/console#{card.number}"
        root = f"case-{card.number}-{delivery_id}"  # a case that comes back gets a thread of its own
        self._roots[delivery_id] = Posted(root, channel, link)
        while len(self._roots) > 1000:
            del self._roots[next(iter(self._roots))]
        return self._roots[delivery_id]

    async def update_card(self, place: Place, card: Card) -> None:
        """The page shows the newest state already."""

    async def post(self, place: Place, post: Post, delivery_id: str) -> Posted:
        """The page shows the entry already."""
        return Posted(delivery_id, place.channel)

    async def amend(self, place: Place, remote_id: str, post: Post) -> None:
        """The page shows the newest text already."""

    async def retract(self, place: Place, remote_id: str) -> None:
        """The page has dropped it already."""

    async def mark(
        self, place: Place, remote_id: str, receipt: Receipt | None, before: Receipt | None
    ) -> None:
        """The page shows receipts from the shopper's presence."""

    async def find(self, place: Place, delivery_id: str, since: float) -> Posted | None:
        """What `post` would answer. A root's number is not in its delivery's id: one that another process
        opened is "not there", and opening it again gives the same root."""
        return Posted(delivery_id, place.channel) if place.root else self._roots.get(delivery_id)

    async def history(self, place: Place, after: str) -> Sequence[Heard]:
        """Nothing is missed: what is typed here is in the log before anybody else hears of it."""
        return []

    async def members(self, channel: str, team: TeamPolicy | None = None) -> Sequence[Member]:
        """Those with an open page; every console team shares them."""
        return [Member(actor, present=True) for actor in self._present.actors()]

    async def group(self, name: str) -> str:
        """There are no groups here."""
        return ""

    async def announce(self, channel: str, post: Answer) -> None:
        """The page shows the queue already."""

    async def tell(self, account: str, text: str) -> None:
        """Nothing of the page's can be out of reach, so nobody need be told."""

    async def trouble(self, channel: str, met: str = "") -> str | None:
        """Nothing stands between the console and the log."""
        return None

    async def channel_lost(self, channel: str, now: str) -> bool:
        """There is one page for all."""
        return False

    async def check(self, channel: str) -> Sequence[str]:
        """Whether anybody can sign in."""
        if self._settings.admin_token or self._open_to_all:
            return []
        return ["BATON_ADMIN_TOKEN is empty, so nobody can sign in to the console; set a long random string."]
