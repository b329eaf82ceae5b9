"""What the core asks of the world. Adapters and storage implement these; wiring brings them together.

Errors: every port raises the `DeliveryFault`s of `bot.errors` and nothing of its vendor's.
"""

from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Collection, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from bot.boards import Board, Look, View
from bot.conversation import Conversation
from bot.entries import Draft, Entry, Reader
from bot.files import File
from bot.forms import Form, Option
from bot.holds import Held
from bot.lanes import Binding, Delivery, Lane, Link
from bot.metrics import CaseTimes
from bot.people import Actor, Member, Operator, Presence, Shopper
from bot.posts import Action, Answer, Card, Heard, Place, Post, Posted, Receipt
from bot.settings import Settings, TeamPolicy
from bot.suggestions import Sought


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

    async def members(self, channel: str, team: TeamPolicy | None = None) -> Sequence[Member]:
        """The channel's people with role and presence; bots and guests are `Role.NONE` or left out. With a team: its
        people as the policy has them, wherever they are."""
        ...

    async def group(self, name: str) -> str:
        """What to mention to call a user group; empty if there is none by that name."""
        ...

    async def announce(self, channel: str, post: Answer) -> None:
        """Something for the whole team, outside any thread."""
        ...

    async def tell(self, account: str, text: str) -> None:
        """A private word to somebody who has not asked: only when their team's channel cannot be used."""
        ...

    async def trouble(self, channel: str, met: str = "") -> str | None:
        """What keeps that channel from being used now, with its cure; by very few calls. `met` is why calls have
        failed lately, if they have. A fault that is raised: it cannot be told now."""
        ...

    async def channel_lost(self, channel: str, now: str) -> bool:
        """Whether threads in `channel` can be used no more, since the team's is `now` and the other is gone."""
        ...

    async def check(self, channel: str) -> Sequence[str]:
        """What is missing for this channel to work, each a sentence with its cure; empty when all is well."""
        ...


class RecognisesPosts(Protocol):
    """A team's chat that keeps no ids of ours with what we post (a `TeamChat` may be one): what was said is found by
    its words, so that another process finds it, too."""

    async def recognise(
        self, place: Place, said: Card | Post, since: float, known: Collection[str]
    ) -> Posted | None:
        """The first post of ours there, looked for from `since` (Unix seconds) on, that says this and is none of
        `known`, which are other deliveries'. See `TeamChat.find`."""
        ...


class TellsOfPlaces(Protocol):
    """A team's chat that hears at once when something happens to a channel (a `TeamChat` may be one; else it is found
    by the look each minute)."""

    def when_places_change(self, listener: Callable[[str, str], None]) -> None:
        """Call `listener` whenever a place may have changed, in the event loop. Nearly always its arguments are empty;
        else they are a team's channel as the policy writes it, and a word for its leads about what works on but should
        be seen to."""
        ...


class ChatFiles(Protocol):
    """A team's chat that takes and gives files (a `TeamChat` may have one as `files`; else people get links).

    Uploading shows nothing to anybody, so doing it twice is harmless; sharing shows the file, and can be looked up. A
    platform that takes bytes only with the message that shows them gives out an id of ours and takes them in `share`.
    """

    async def describe(self, remote: Mapping[str, Any]) -> Mapping[str, Any]:
        """What `Heard.extra["files"]` named, with `name`, `mimetype` and `size`. `EntryFault` if it is gone."""
        ...

    def fetch(self, remote: Mapping[str, Any]) -> AsyncGenerator[bytes, None]:
        """The bytes of a file that `describe` gave."""
        ...

    async def upload(self, name: str, size: int, content: AsyncIterable[bytes]) -> str:
        """The platform's id of the file."""
        ...

    async def share(
        self, place: Place, remote_file: str, name: str, content: Callable[[], AsyncIterable[bytes]]
    ) -> Posted:
        """Show it in the thread; its answer's id is what `take_back` takes. `content` gives the bytes once more."""
        ...

    async def find_share(self, place: Place, remote_file: str) -> Posted | None:
        """Whether it is shown there."""
        ...

    async def take_back(self, remote_file: str) -> None:
        """Delete it everywhere, by what `share` or `find_share` answered. One that is gone is not an error."""
        ...


class Files(Protocol):
    """Where files' bytes are kept. Everything is streamed: no file is ever whole in memory."""

    async def put(self, file_id: str, content: AsyncIterable[bytes]) -> None:
        """Keep what comes; whatever `content` raises passes through, and nothing is left then."""
        ...

    def read(self, file_id: str) -> AsyncGenerator[bytes, None]:
        """Piece by piece. `NotFound` if there is none."""
        ...

    async def remove(self, file_id: str) -> None:
        """One that is gone is not an error."""
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

    def arrive(self, lane: str, order: str, command: Any, *, patience: float = 0.0) -> Awaitable[Any]:
        """The same for events of one source that has an order of its own: those waiting together are handled in
        that order. `lane` names the source (a thread), `order` compares as a string. It waits in its place from this
        call on, not only once it is awaited. `patience`: for a source that says everything once; for so many seconds
        `Busy` is no answer, and what comes behind it waits, too."""
        ...


class Desk(Protocol):
    """What a person of the team asks for by words, forms and listings (see `bot.desk`). Answers are for them only.

    Raises `Refused`; its `field` names what of a form to change.
    """

    async def ask(
        self,
        text: str,
        actor: Actor,
        *,
        number: int | None = None,
        people: Sequence[Actor] = (),
        id: str = "",  # noqa: A002
    ) -> Answer:
        """A verb as somebody wrote it; see `bot.commands.Perform` for the arguments."""
        ...

    async def press(self, action: Action, value: str, actor: Actor, id: str = "") -> Answer:  # noqa: A002
        """A button of an answer that asks nothing first."""
        ...

    async def case_at(self, place: Place) -> int | None:
        """The case whose thread that is, if it is one."""
        ...

    async def thread_of(self, number: int, platform: str) -> Place | None:
        """Where a case's thread is, if it goes on on that platform."""
        ...

    async def suggest(
        self, sought: Sought, typed: str, actor: Actor, number: int | None = None
    ) -> Sequence[Option]:
        """What may be meant by what is typed so far, about the case `number` if it is known. Few, the likeliest first;
        nothing that they may not see."""
        ...

    async def board(self, actor: Actor, look: Look) -> Board:
        """One page of the queue as that person sees it."""
        ...

    async def form(self, action: Action, number: int, actor: Actor) -> Form:
        """What that button has to ask first."""
        ...

    async def submit(
        self,
        action: Action,
        number: int,
        values: Mapping[str, str],
        actor: Actor,
        id: str,  # noqa: A002
    ) -> Answer | Form:
        """A form filled in. A `Form` is its next step: a saved reply's text, to read over before it leaves."""
        ...


class Reads(Protocol):
    """Reads that need no lock, on connections of their own. The function gets a unit of work that cannot commit."""

    async def __call__(self, read: Callable[["UnitOfWork"], C]) -> C:
        """Run `read` beside the event loop and give its answer."""
        ...


class Conversations(Protocol):
    """The rows behind conversations. Objects are the unit of work's own: change them, they are written."""

    def get(self, number: int) -> Conversation | None: ...
    def some(self, numbers: Collection[int]) -> Sequence[Conversation]:
        """Those of them that there are, in one read."""
        ...

    def named(self, store: str, external_id: str) -> Conversation | None: ...
    def start(self, conversation: Conversation) -> Conversation:
        """Store a new one (its `number` is 0) and allot its number."""
        ...

    def waiting_before(self, conversation: Conversation) -> int:
        """How many of its team wait ahead of it in the queue's order: by priority, then by age, which is the order of
        the target left as well (one target counts for all)."""
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

    def board(
        self,
        view: View,
        *,
        owner_id: int = 0,
        teams: Sequence[str] = (),
        tag: str = "",
        priority: str = "",
        awaiting: str = "",
        now: float = 0.0,
        limit: int = 10,
        offset: int = 0,
    ) -> Sequence[Conversation]:
        """A page of somebody's queue: their own cases (`owner_id`), or those of `teams`. What sleeps comes last, then
        priority, an answer due before none, and age. Empty filters filter nothing."""
        ...

    def board_size(
        self,
        view: View,
        *,
        owner_id: int = 0,
        teams: Sequence[str] = (),
        tag: str = "",
        priority: str = "",
        awaiting: str = "",
    ) -> int:
        """How many are on all its pages."""
        ...

    def tags_in_use(self, teams: Sequence[str], limit: int = 100) -> Sequence[str]:
        """Tags of waiting and active cases, those of most cases first."""
        ...

    def unread(self, numbers: Collection[int]) -> Mapping[int, int]:
        """Shopper messages since the last answer; those without any are left out."""
        ...

    def loads(self, teams: Sequence[str]) -> Mapping[int, int]:
        """Active cases of those teams by owner."""
        ...

    def named_like(self, words: Sequence[str], window: int, limit: int) -> Sequence[Conversation]:
        """Newest first: the cases of those of the newest `window` shoppers whose name holds all words."""
        ...

    def addressed(self, address: str, limit: int) -> Sequence[Conversation]:
        """Newest first: the cases of every shopper with that address, whatever of it is written in capitals."""
        ...

    def about(self, words: Sequence[str], window: int, limit: int) -> Sequence[Conversation]:
        """Of the `window` cases that changed last those whose issue, category and tags hold all words."""
        ...

    def mentioning(self, words: Sequence[str], window: int, limit: int) -> Sequence[Conversation]:
        """Of the `window` cases that changed last those with a message that holds all words."""
        ...

    def newest_number(self) -> int:
        """How many there have ever been; 0 without any."""
        ...

    def times(self, teams: Sequence[str], since: float, limit: int) -> Sequence[CaseTimes]:
        """When what happened, for the cases that changed since then; newest first."""
        ...

    def waits(self, teams: Sequence[str]) -> tuple[int, float | None]:
        """How many wait, and since when the first of them."""
        ...

    def earlier(self, shopper_id: int, than: int, limit: int = 5) -> Sequence[Conversation]:
        """The same shopper's other conversations that had a handoff, newest first."""
        ...

    def changed_since(self, since: float) -> dict[int, int]:
        """Those that bear a later time than that, with their heads."""
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
    def load_shoppers(self, shopper_ids: Collection[int]) -> None:
        """In one read, so that `shopper` finds them."""
        ...

    def shopper_named(self, store: str, external_id: str) -> Shopper | None: ...
    def add_shopper(self, shopper: Shopper) -> Shopper: ...
    def operator(self, operator_id: int) -> Operator | None: ...
    def known(self, actor: Actor) -> Operator | None:
        """The row for that platform account, if there is one: a read makes none."""
        ...

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
    def at(self, positions: Collection[tuple[int, int]]) -> Sequence[Entry]:
        """Those of several conversations, by number and seq, in one read; in their order."""
        ...

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

    def annotate(self, entry: Entry, data: dict[str, Any]) -> None:
        """Make this the data of its body. Its text stays as it is, and it does not count as edited."""
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
    def amend(self, key: str, answer: dict[str, Any]) -> None:
        """Remember another answer under a key that is known."""
        ...


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
    def shares(self, number: int, seq: int) -> Sequence[Delivery]:
        """The files of that entry that were shown in threads."""
        ...

    def posted(self, number: int, since: float) -> Collection[str]:
        """Our posts in a conversation's threads that were asked for since then, by the platform's ids."""
        ...

    def undelivered(self, number: int) -> Collection[int]:
        """The entries that were given up on their way to the shopper: by webhook or by mail."""
        ...

    def latest_binding(self, number: int) -> Binding | None: ...
    def bindings(self, number: int) -> Sequence[Binding]: ...
    def binding(self, binding_id: int) -> Binding | None: ...
    def binding_at(self, platform: str, channel: str, root: str) -> Binding | None: ...
    def add_binding(self, binding: Binding) -> Binding: ...
    def open_bindings(self, platform: str) -> Sequence[Binding]: ...
    def ended_bindings(self, platform: str, since: float, limit: int) -> Sequence[Binding]:
        """Threads that get edits only, or that a case has left: of the cases that changed since then, newest change
        first."""
        ...

    def link(self, platform: str, channel: str, remote_id: str) -> Link | None: ...
    def add_link(self, link: Link) -> None: ...
    def links_of(self, binding_id: int, seq: int) -> Sequence[Link]:
        """The posts in that thread that show this entry, in part order."""
        ...

    def resume(self, team: str) -> None:
        """Try again now what was put off in a team's lanes after a fault."""
        ...

    def fault_of(self, team: str, since: float) -> str | None:
        """Why a team's thread lanes have failed since then or before, if one still does."""
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
    def at(self, kind: str, number: int) -> float | None:
        """When that row is due; None if there is none."""
        ...

    def drop(self, kind: str, number: int) -> None: ...
    def take(self, kind: str, number: int, due_at: float) -> bool:
        """Remove the row if it still stands with that time: whoever removes it acts on it."""
        ...

    def ripe(self, now: float, limit: int) -> Sequence[tuple[str, int, float]]: ...


class HeldMessages(Protocol):
    """What operators wrote and has not left yet."""

    def get(self, platform: str, channel: str, remote_id: str) -> Held | None: ...
    def of(self, number: int) -> Sequence[Held]:
        """A conversation's, in the order they were written."""
        ...

    def on(self, platform: str) -> Sequence[Held]:
        """All that stand in that platform's threads."""
        ...

    def add(self, held: Held) -> None: ...
    def remove(self, held: Held) -> None: ...


class FileRows(Protocol):
    """The files that were taken. Their bytes lie in `Files`."""

    def get(self, file_id: str) -> File | None: ...
    def add(self, file: File) -> None:
        """Again is once."""
        ...

    def remove(self, file: File) -> None: ...
    def unused(self, before: float, limit: int) -> Sequence[File]:
        """Taken before that time, and named by no message."""
        ...


class Leases(Protocol):
    """Which replica does what only one should do at a time."""

    def hold(self, name: str, holder: str, seconds: float) -> bool:
        """Take or renew it; False while somebody else has it."""
        ...

    def take(self, name: str, holder: str, seconds: float) -> None:
        """Have it from now on, whoever had it."""
        ...

    def release(self, name: str, holder: str) -> None:
        """Give it back, if it is still theirs."""
        ...

    def count(self, prefix: str) -> int:
        """How many leases whose names begin so are held; those that have ended are forgotten."""
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
    def held(self) -> HeldMessages: ...
    @property
    def leases(self) -> Leases: ...
    @property
    def files(self) -> FileRows: ...

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
