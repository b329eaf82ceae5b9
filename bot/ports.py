"""What the core asks of the world. Adapters and storage implement these; wiring brings them together.

Errors: every port raises the `DeliveryFault`s of `bot.errors` and nothing of its vendor's.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from bot.conversation import Conversation
from bot.entries import Draft, Entry, Reader
from bot.lanes import Binding, Delivery, Lane, Link
from bot.people import Actor, Member, Operator, Presence, Shopper
from bot.posts import Card, Heard, Place, Post, Posted, Receipt
from bot.settings import Settings


class Clock(Protocol):
    """Unix seconds (UTC). Tests hand in one that they move."""

    def __call__(self) -> float: ...


class TeamChat(Protocol):
    """A team's chat. Every call either did it, or raises one of the three faults of `bot.errors`.

    `shows_log`: the chat's window reads the log itself (the console), so a post is there as soon as it is asked
    for and `find` always finds it.
    """

    platform: str
    shows_log: bool

    def split(self, post: Post) -> Sequence[Post]:
        """The same post in as many parts as the platform's limits ask for. Pure; the same for the same post."""
        ...

    async def open_thread(self, channel: str, card: Card, delivery_id: str) -> Posted:
        """Post the card as the root of a new thread."""
        ...

    async def update_card(self, place: Place, card: Card) -> None:
        """Render the card's newest state into the root. `RootGone` if there is none."""
        ...

    async def post(self, place: Place, post: Post, delivery_id: str) -> Posted:
        """One post (already split) in the thread. `RootGone` if the root is deleted; nothing is left behind."""
        ...

    async def amend(self, place: Place, remote_id: str, post: Post) -> None:
        """Replace what one of our posts says. One that is gone is not an error."""
        ...

    async def retract(self, place: Place, remote_id: str) -> None:
        """Take one of our posts back. One that is gone is not an error."""
        ...

    async def mark(
        self, place: Place, remote_id: str, receipt: Receipt | None, before: Receipt | None
    ) -> None:
        """Show `receipt` on a person's message instead of `before`. Repeatable."""
        ...

    async def find(self, place: Place, delivery_id: str, since: float) -> Posted | None:
        """The post that carries this delivery's id, looked for from `since` (Unix seconds) on. With an empty
        `place.root`: a thread's root in the channel."""
        ...

    async def history(self, place: Place, after: str) -> Sequence[Heard]:
        """What people wrote in the thread from the message `after` (inclusive; empty: all) on, oldest first."""
        ...

    async def members(self, channel: str) -> Sequence[Member]:
        """The channel's people with role and presence; bots and guests are `Role.NONE` or left out."""
        ...

    async def check(self, channel: str) -> Sequence[str]:
        """What is missing for this channel to work, each a sentence with its cure; empty when all is well."""
        ...


class Webhook(Protocol):
    """The store's backend."""

    async def send(self, store: str, delivery_id: str, body: bytes, at: float) -> None:
        """POST the body, signed. 2xx is done; anything else is a fault."""
        ...


C = TypeVar("C")


class Bus(Protocol):
    """How adapters ask for something: a command goes in, its handler's answer comes back after COMMIT.

    Raises `Refused` (nothing was stored), `Busy` (not taken), or whatever broke the handler.
    """

    async def submit(self, command: Any) -> Any:
        """Run the command's handler on the writer."""
        ...

    async def arrive(self, lane: str, order: str, command: Any) -> Any:
        """The same for events of one source that has an order of its own: those waiting together are handled in
        that order. `lane` names the source (a thread), `order` compares as a string."""
        ...


class Reads(Protocol):
    """Reads that need no lock, on connections of their own. The function gets a unit of work that cannot commit."""

    async def __call__(self, read: Callable[["UnitOfWork"], C]) -> C:
        """Run `read` beside the event loop and give its answer."""
        ...


class Conversations(Protocol):
    """The rows behind conversations. Objects are the unit of work's own: change them, they are written."""

    def get(self, number: int) -> Conversation | None: ...
    def named(self, store: str, external_id: str) -> Conversation | None: ...
    def start(self, conversation: Conversation) -> Conversation:
        """Store a new one (its `number` is 0) and allot its number."""
        ...

    def waiting_before(self, conversation: Conversation) -> int:
        """How many of its team wait ahead of it in the queue's order."""
        ...

    def page(
        self,
        *,
        stage: str | None = None,
        team: str | None = None,
        owner_id: int | None = None,
        store: str | None = None,
        before: tuple[float, int] | None = None,
        limit: int = 50,
    ) -> Sequence[Conversation]:
        """Newest change first; `before` is the (updated_at, number) of the last one of the page before."""
        ...

    def queue(self, team: str | None = None, limit: int = 100) -> Sequence[Conversation]:
        """Waiting and active ones in the queue's order."""
        ...

    def earlier(self, shopper_id: int, than: int, limit: int = 5) -> Sequence[Conversation]:
        """The same shopper's other conversations that had a handoff, newest first."""
        ...

    def changed_since(self, since: float) -> dict[int, float]:
        """Those with a newer change, and when it was."""
        ...

    def stages(self) -> dict[str, int]:
        """How many wait and how many are engaged. The others are not counted: there may be very many."""
        ...

    def recent_waits(self, team: str, limit: int = 20) -> Sequence[float]:
        """Seconds from escalation to claim of the newest claimed cases of a team."""
        ...


class People(Protocol):
    """Shoppers and operators."""

    def shopper(self, shopper_id: int) -> Shopper | None: ...
    def shopper_named(self, store: str, external_id: str) -> Shopper | None: ...
    def add_shopper(self, shopper: Shopper) -> Shopper: ...
    def operator(self, operator_id: int) -> Operator | None: ...
    def operator_for(self, actor: Actor) -> Operator:
        """The row for that platform account, made or renamed as needed."""
        ...

    def join(self, team: str, operator_ids: Sequence[int]) -> None:
        """Make these the members of the team."""
        ...

    def team(self, team: str) -> Sequence[Operator]: ...


class Log(Protocol):
    """The entries of conversations."""

    def append(self, conversation: Conversation, draft: Draft, told: Collection[Reader] = ()) -> Entry:
        """Number and store it, advance the head, mark the lanes of its kind's readers behind, but not of those who
        are `told` already."""
        ...

    def entry(self, number: int, seq: int) -> Entry | None: ...
    def entries(self, number: int, seqs: Collection[int]) -> Mapping[int, Entry]:
        """Those of them that there are, by their numbers."""
        ...

    def after(
        self, number: int, seq: int, limit: int = 1000, through: int | None = None, shopper_only: bool = False
    ) -> Sequence[Entry]: ...
    def last(self, number: int, limit: int) -> Sequence[Entry]:
        """The newest ones, in order."""
        ...

    def by_external_id(self, number: int, external_id: str, source: str | None = None) -> Entry | None: ...
    def known_ids(self, number: int, external_ids: Sequence[str]) -> set[str]: ...
    def rewrite(self, entry: Entry, text: str, order: str, data: dict[str, Any] | None = None) -> None:
        """Make this the newest text of a message (and the newest data of its body)."""
        ...

    def blank(self, entry: Entry) -> None:
        """Take the text of a message back for good."""
        ...


class Inbox(Protocol):
    """What has happened already, by a key that names it."""

    def answer(self, key: str) -> dict[str, Any] | None:
        """What was answered when it first came; None if it is new."""
        ...

    def remember(self, key: str, answer: dict[str, Any]) -> None: ...


class Lanes(Protocol):
    """Lanes, deliveries, bindings and links."""

    def lane(self, number: int, reader: Reader) -> Lane | None: ...
    def open(self, number: int, reader: Reader, position: int = 0) -> Lane:
        """Get or make the lane; a new one begins behind `position`."""
        ...

    def wake(self, number: int, reader: Reader, due_at: float | None = None) -> None:
        """Mark a lane, if there is one, as owed something at that time (default: now)."""
        ...

    def due(self, now: float, limit: int) -> Sequence[tuple[int, Reader]]:
        """Lanes that are due, not paused and not leased."""
        ...

    def outstanding(self, number: int, reader: Reader) -> Sequence[Delivery]:
        """In the order they must be made."""
        ...

    def delivery(self, delivery_id: str) -> Delivery | None: ...
    def add_delivery(self, delivery: Delivery) -> None: ...
    def dead(self, limit: int = 100) -> Sequence[Delivery]: ...
    def latest_binding(self, number: int) -> Binding | None: ...
    def bindings(self, number: int) -> Sequence[Binding]: ...
    def binding(self, binding_id: int) -> Binding | None: ...
    def binding_at(self, platform: str, channel: str, root: str) -> Binding | None: ...
    def add_binding(self, binding: Binding) -> Binding: ...
    def open_bindings(self, platform: str) -> Sequence[Binding]: ...
    def link(self, platform: str, channel: str, remote_id: str) -> Link | None: ...
    def add_link(self, link: Link) -> None: ...
    def links_of(self, binding_id: int, seq: int) -> Sequence[Link]:
        """The posts in that thread that show this entry, in part order."""
        ...

    def last_links(self, binding_id: int, limit: int) -> Sequence[Link]:
        """Links to people's own messages in that thread, newest last."""
        ...

    def unsettled_links(self, number: int, final_mark: str) -> Sequence[Link]:
        """Links to people's messages in the conversation's threads whose mark is not final yet; of very many the
        newest, oldest first."""
        ...


class Presences(Protocol):
    """Shoppers' open tabs."""

    def tabs(self, number: int) -> Sequence[Presence]: ...
    def note(self, presence: Presence) -> None: ...
    def leave(self, number: int, tab: str) -> None: ...


class DueRows(Protocol):
    """Things that must happen at a time. One row per (kind, conversation)."""

    def put(self, kind: str, number: int, due_at: float) -> None: ...
    def drop(self, kind: str, number: int) -> None: ...
    def take(self, kind: str, number: int, due_at: float) -> bool:
        """Remove the row if it still stands with that time: whoever removes it acts on it."""
        ...

    def ripe(self, now: float, limit: int) -> Sequence[tuple[str, int, float]]: ...


class Leases(Protocol):
    """Which replica does what only one should do at a time."""

    def hold(self, name: str, holder: str, seconds: float) -> bool:
        """Take or renew it; False while somebody else has it."""
        ...


class UnitOfWork(Protocol):
    """Everything a handler may touch, inside one transaction. `now` is the time of the batch."""

    now: float
    settings: Settings

    @property
    def conversations(self) -> Conversations: ...
    @property
    def people(self) -> People: ...
    @property
    def log(self) -> Log: ...
    @property
    def inbox(self) -> Inbox: ...
    @property
    def lanes(self) -> Lanes: ...
    @property
    def presence(self) -> Presences: ...
    @property
    def due(self) -> DueRows: ...
    @property
    def leases(self) -> Leases: ...

    def typed(self, number: int, author: str, name: str | None) -> None:
        """Tell the open windows of a conversation that somebody types; nothing is stored."""
        ...


Handler = Callable[[UnitOfWork, Any], Any]
Subscriber = Callable[["Changes"], None]


class Changes(Protocol):
    """What a committed batch changed, for those who wait: streams, the console, the courier.

    `appended` holds the new entries per conversation when they were written by this process; another process's
    are told by number only.
    """

    @property
    def appended(self) -> dict[int, list[Entry]]: ...
    @property
    def touched(self) -> set[int]: ...
    @property
    def lanes(self) -> set[tuple[int, Reader]]: ...
    @property
    def typing(self) -> list[tuple[int, str, str | None]]: ...


class Wakeup(Protocol):
    """Tells the waiting after a commit."""

    def subscribe(self, subscriber: Subscriber) -> Callable[[], None]:
        """Called in the event loop after each commit; the answer unsubscribes."""
        ...


Background = Callable[[], Awaitable[None]]
