"""A team's chat in memory, with the troubles real ones have. Implements `bot.ports.TeamChat`."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from bot.errors import DeliveryFault, RootGone, Unsure
from bot.people import Member
from bot.posts import Answer, Card, Heard, Place, Post, Posted, PostKind, Receipt
from bot.settings import TeamPolicy


@dataclass(frozen=True)
class Late:
    """The call is carried out `after` seconds from now, and its answer is lost."""

    after: float = 0.0


@dataclass
class Message:
    """One of our posts. `visible_from` is when the platform commits it."""

    id: str
    root: str
    delivery_id: str
    content: Card | Post
    visible_from: float
    retracted: bool = False


@dataclass
class FakeChat:
    """`troubles[op]` are met by the next calls of that kind, one each; None lets one pass."""

    clock: Callable[[], float]
    platform: str = "fake"
    shows_log: bool = False
    longest: int = 1_000_000
    messages: list[Message] = field(default_factory=list)
    calls: list[tuple[str, str]] = field(default_factory=list)
    marks: dict[str, Receipt | None] = field(default_factory=dict)
    people: list[Member] = field(default_factory=list)
    written: dict[str, list[Heard]] = field(default_factory=lambda: defaultdict(list))
    troubles: dict[str, list[DeliveryFault | Late | None]] = field(default_factory=lambda: defaultdict(list))
    during: dict[str, Callable[[], object]] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    announced: list[tuple[str, Answer]] = field(default_factory=list)
    told: list[tuple[str, str]] = field(default_factory=list)
    problems: dict[str, str] = field(default_factory=dict)
    lost: set[str] = field(default_factory=set)

    # --- the port ---------------------------------------------------------------------------------------------

    def split(self, post: Post) -> Sequence[Post]:
        """By the length of a turn's or a line's text; `longest` characters a part."""
        texts = [turn.text for turn in post.turns] if post.turns else [post.text]
        if sum(map(len, texts)) <= self.longest:
            return [post]
        parts = []
        for index, text in enumerate(texts):
            for start in range(0, max(1, len(text)), self.longest):
                piece = text[start : start + self.longest]
                if post.turns:
                    parts.append(replace(post, turns=(replace(post.turns[index], text=piece),)))
                else:
                    parts.append(replace(post, text=piece))
        return [replace(part, part=index, parts=len(parts)) for index, part in enumerate(parts)]

    async def open_thread(self, channel: str, card: Card, delivery_id: str) -> Posted:
        posted = self._commit("open", Place(self.platform, channel), delivery_id, card)
        return replace(posted, permalink=f"https://chat.example/{posted.remote_id}")

    async def update_card(self, place: Place, card: Card) -> None:
        self._meet("card", place.root, place)
        self._message(place.root).content = card

    async def post(self, place: Place, post: Post, delivery_id: str) -> Posted:
        return self._commit("post", place, delivery_id, post)

    async def amend(self, place: Place, remote_id: str, post: Post) -> None:
        self._meet("amend", remote_id, place)
        self._message(remote_id).content = post

    async def retract(self, place: Place, remote_id: str) -> None:
        self._meet("retract", remote_id, place)
        self._message(remote_id).retracted = True

    async def mark(
        self, place: Place, remote_id: str, receipt: Receipt | None, before: Receipt | None
    ) -> None:
        self._meet("mark", f"{remote_id}:{receipt or ''}", place)
        self.marks[remote_id] = receipt

    async def find(self, place: Place, delivery_id: str, since: float) -> Posted | None:
        self._meet("find", delivery_id, place)
        for message in self.messages:
            if message.delivery_id == delivery_id and message.visible_from <= self.clock():
                return Posted(message.id, place.channel)
        return None

    async def history(self, place: Place, after: str) -> Sequence[Heard]:
        self._meet("history", after, place)
        return [heard for heard in self.written[place.root] if heard.id >= after]

    async def members(self, channel: str, team: TeamPolicy | None = None) -> Sequence[Member]:
        self._meet("members", channel, None)
        return list(self.people)

    async def group(self, name: str) -> str:
        return f"S-{name}"

    async def announce(self, channel: str, post: Answer) -> None:
        self._meet("announce", channel, None)
        self.announced.append((channel, post))

    async def tell(self, account: str, text: str) -> None:
        self._meet("tell", account, None)
        self.told.append((account, text))

    async def trouble(self, channel: str, met: str = "") -> str | None:
        return self.problems.get(channel) or met or None

    async def channel_lost(self, channel: str, now: str) -> bool:
        return channel in self.lost and channel != now

    async def check(self, channel: str) -> Sequence[str]:
        return []

    # --- for tests --------------------------------------------------------------------------------------------

    def roots(self) -> list[str]:
        """Threads that stand in the channel, oldest first."""
        return [one.id for one in self.messages if one.root == one.id and one.id not in self.gone]

    def shown(self, root: str) -> list[str]:
        """What people can read in a thread below its root."""
        return [
            as_text(one.content)
            for one in self.messages
            if one.root == root and one.id != root and not one.retracted and one.visible_from <= self.clock()
            and isinstance(one.content, Post)
        ]  # fmt: skip

    def offers(self, root: str) -> list[Post]:
        """The posts with buttons that stand in a thread."""
        return [
            one.content
            for one in self.messages
            if one.root == root and not one.retracted and isinstance(one.content, Post)
            and one.content.kind is PostKind.OFFER
        ]  # fmt: skip

    def card(self, root: str) -> Card:
        content = self._message(root).content
        assert isinstance(content, Card)
        return content

    def count(self, op: str) -> int:
        """How many calls of that kind were made."""
        return sum(1 for name, _ in self.calls if name == op)

    def _message(self, remote_id: str) -> Message:
        return next(one for one in self.messages if one.id == remote_id)

    def _meet(self, op: str, what: str, place: Place | None) -> Late | None:
        self.calls.append((op, what))
        if op in self.during:
            self.during.pop(op)()
        if place is not None and place.root in self.gone:
            raise RootGone("root deleted")
        waiting = self.troubles[op]
        trouble = waiting.pop(0) if waiting else None
        if isinstance(trouble, DeliveryFault):
            raise trouble
        return trouble

    def _commit(self, op: str, place: Place, delivery_id: str, content: Card | Post) -> Posted:
        late = self._meet(op, delivery_id, place)
        remote_id = f"r{len(self.messages) + 1:04d}"
        visible_from = self.clock() + (late.after if late else 0.0)
        root = place.root or remote_id
        self.messages.append(Message(remote_id, root, delivery_id, content, visible_from))
        if late is not None:
            raise Unsure("the answer was lost")
        return Posted(remote_id, place.channel)


def as_text(post: Post) -> str:
    """A post as plain lines."""
    if post.turns:
        return "\n".join(
            f"{turn.speaker}: {turn.text}" + (f" [{turn.note}]" if turn.note else "") for turn in post.turns
        )
    return post.text
