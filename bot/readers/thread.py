"""The thread reader: opens the thread, posts what is said, amends and retracts it, and closes with the handoff.

What was written in the thread itself is linked when it is appended, and skipped here. An entry whose post exists
in the current thread is never posted there again, so the lane may go back and read on from an earlier entry.

A case that moves to another place gets a thread there (`moving`), which is told everything of this handoff.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from bot import texts
from bot.conversation import Conversation
from bot.entries import Entry, Kind, Reader
from bot.lanes import Binding, BindingState, Delivery, Lane, Link, Op
from bot.ports import TeamChat, UnitOfWork
from bot.posts import Action, Card, Place, Post, Posted, PostKind, Turn
from bot.readers import moving, sharing
from bot.readers.base import Split, new_delivery
from bot.readers.card import current_card, renew
from bot.readers.saying import (
    CLOSING,
    ONCE,
    REOPENING,
    alert_of,
    is_added_later,
    line_of,
    needs_line,
    offer_of,
    turn_of,
)
from bot.relay import offer_for, sent_key

AT_ONCE = 200
CHANGING = frozenset({Kind.EDITED, Kind.DELETED})


class ThreadReader:
    """See `LaneReader`."""

    def plan(
        self, uow: UnitOfWork, lane: Lane, conversation: Conversation, chats: Mapping[str, TeamChat]
    ) -> bool:
        binding = uow.lanes.latest_binding(lane.conversation)
        if binding is None or moving.goes_on_elsewhere(binding, conversation):
            return self._open(uow, lane, conversation, binding)
        entries = uow.log.after(lane.conversation, lane.position, AT_ONCE)
        chat = chats.get(binding.platform)
        if chat is None:  # its tokens were taken away; it is read on from here once they are back
            return False
        for index, entry in enumerate(entries):
            if entry.handoff > binding.handoff:
                return self._open(uow, lane, conversation, binding)
            if binding.state is not BindingState.OPEN:
                if self._resume(uow, lane, binding, entry, chat.split):
                    return True
            elif self._show(uow, lane, conversation, binding, entries[index:], chat):
                return True
            lane.position = entry.seq
            if binding.state is BindingState.OPEN:
                binding.last_seq = max(binding.last_seq, entry.seq)
        return len(entries) == AT_ONCE

    # --- opening, closing, reopening --------------------------------------------------------------------------

    def _open(self, uow: UnitOfWork, lane: Lane, conversation: Conversation, old: Binding | None) -> bool:
        """Plan the root. The transcript follows once it stands, from where the older thread ended; what was in a
        thread that is lost, or that the case has left, is told again from its beginning."""
        begin = old.last_seq if old is not None else 0
        if old is not None and moving.goes_on_elsewhere(old, conversation):
            begin = old.first_seq
        content = current_card(uow, conversation, None).as_dict()
        new_delivery(uow, lane, Op.OPEN, (begin, begin), content=content)
        return True

    def _resume(self, uow: UnitOfWork, lane: Lane, binding: Binding, entry: Entry, split: Split) -> bool:
        """A thread whose handoff ended gets only edits, failures, what the team adds on purpose (a note, an outcome)
        and the offer to reopen, until its handoff goes on."""
        if entry.kind in CHANGING:
            return self._change(uow, lane, binding, entry, split)
        if entry.kind is Kind.DEAD_LETTER:
            return self._alert(uow, lane, binding, entry, split)
        if binding.state is BindingState.CLOSED and is_added_later(entry):
            return self._add_later(uow, lane, binding, entry, split)
        if entry.data.get("offer") == Action.REOPEN_AND_SEND and uow.lanes.links_of(binding.id, entry.seq):
            return self._offer(uow, lane, binding, entry)
        if entry.kind in REOPENING and binding.state is BindingState.CLOSED:
            binding.state = BindingState.OPEN
            lane.position = binding.last_seq  # what was said meanwhile is told now
            return True
        return False

    def _add_later(self, uow: UnitOfWork, lane: Lane, binding: Binding, entry: Entry, split: Split) -> bool:
        if entry.deleted or uow.lanes.links_of(binding.id, entry.seq):
            return False
        post = line_of(uow, binding, entry) or Post(PostKind.TURNS, turns=(turn_of(uow, entry),))
        self._post(uow, lane, binding, split(post), entry.seq)
        return True

    def refresh(self, uow: UnitOfWork, delivery: Delivery) -> bool:
        """A post that was certainly not made is made without what was taken back since, a thread not in a place that
        the case has left meanwhile; False: nothing is left to do."""
        content = delivery.content or {}
        if delivery.op is Op.OPEN:
            conversation = uow.conversations.get(delivery.conversation)
            if conversation is None:
                return True
            renew(uow, conversation, delivery, None)
            return not moving.has_moved(uow, conversation, delivery)
        if delivery.op in {Op.UPLOAD, Op.SHARE} or sharing.is_link(content):
            return sharing.still_there(uow, delivery)
        if delivery.op is not Op.POST or not content.get("turns"):
            return True
        entries = {
            one.seq: one
            for one in uow.log.after(delivery.conversation, delivery.first_seq - 1, through=delivery.last_seq)
        }
        kept = [
            turn
            for turn in content["turns"]
            if not (entries.get(turn["seq"]) and entries[turn["seq"]].deleted)
        ]
        if len(kept) != len(content["turns"]):
            delivery.content = {**content, "turns": kept}
        return bool(kept)

    def sent(self, uow: UnitOfWork, lane: Lane, delivery: Delivery, posted: Posted | None) -> None:
        if delivery.op is Op.OPEN:
            assert posted is not None, "opening a thread answers with its root"
            self._bind(uow, lane, delivery, posted)
            return
        binding = uow.lanes.binding(delivery.binding_id) if delivery.binding_id else None
        if binding is None:
            return
        if delivery.op is Op.POST and posted is not None:
            self._posted(uow, binding, delivery, posted)
        if delivery.op is Op.UPLOAD:
            sharing.uploaded(uow, delivery, posted)
        if delivery.op is Op.SHARE:
            sharing.shared(uow, lane, binding, delivery, posted)
        if delivery.op is Op.RETRACT and delivery.remote_id == binding.offer_id:
            binding.offer_id = binding.offer_seq = None
        if delivery.part == delivery.parts - 1:
            self._finish(uow, lane, binding, delivery)

    def _bind(self, uow: UnitOfWork, lane: Lane, delivery: Delivery, posted: Posted) -> None:
        conversation = uow.conversations.get(delivery.conversation)
        assert conversation is not None, "a lane belongs to a conversation"
        old = uow.lanes.latest_binding(delivery.conversation)
        left = {BindingState.GONE, BindingState.MOVED}
        again = old is not None and old.state in left and delivery.first_seq == old.first_seq
        elsewhere = moving.has_moved(uow, conversation, delivery)
        binding = uow.lanes.add_binding(
            Binding(
                id=0,
                conversation=conversation.number,
                handoff=1 if old is None else old.handoff if again else old.handoff + 1,
                platform=uow.settings.team(moving.team_of(delivery, conversation)).chat,
                channel=posted.channel,
                root=posted.remote_id,
                state=BindingState.MOVED if elsewhere else BindingState.OPEN,
                first_seq=delivery.first_seq,
                last_seq=delivery.first_seq,
                created_at=uow.now,
                permalink=posted.permalink,
            )
        )
        lane.position = delivery.first_seq
        if old is not None and not (
            again and old.state is BindingState.MOVED
        ):  # a move has a line of its own
            line = texts.thread.line_thread_lost() if again else texts.thread.line_continues(old.permalink)
            content = Post(PostKind.LINE, text=line).as_dict()
            new_delivery(uow, lane, Op.POST, (lane.position, lane.position), content=content, binding=binding)
        card = uow.lanes.open(conversation.number, Reader.CARD)
        if delivery.content and Card.from_dict(delivery.content) == current_card(uow, conversation, binding):
            card.position, card.due_at = conversation.head, None  # the root shows it already
        else:
            uow.lanes.wake(conversation.number, Reader.CARD)

    def _posted(self, uow: UnitOfWork, binding: Binding, delivery: Delivery, posted: Posted) -> None:
        content = delivery.content or {}
        if content.get("kind") == PostKind.OFFER:
            binding.offer_id, binding.offer_seq = posted.remote_id, delivery.first_seq
            return
        if sharing.is_link(content):
            return
        post = Post.from_dict(content)
        first, last = post.span if post.turns else (delivery.first_seq, delivery.last_seq)
        uow.lanes.add_link(
            Link(binding.platform, binding.channel, posted.remote_id, binding.conversation, binding.id,
                 first, last, delivery.part)
        )  # fmt: skip

    def _finish(self, uow: UnitOfWork, lane: Lane, binding: Binding, delivery: Delivery) -> None:
        lane.position = max(lane.position, delivery.last_seq)
        if binding.state is BindingState.OPEN:
            binding.last_seq = max(binding.last_seq, delivery.last_seq)
        if closes(uow, binding, delivery):
            binding.state = BindingState.CLOSED

    # --- showing entries --------------------------------------------------------------------------------------

    def _show(
        self, uow: UnitOfWork, lane: Lane, conversation: Conversation, binding: Binding, entries: Sequence[Entry],
        chat: TeamChat,
    ) -> bool:  # fmt: skip
        """Plan what the first of these entries needs; messages behind it that wait as well go into one post."""
        entry, split = entries[0], chat.split
        if entry.kind in CHANGING:
            return self._change(uow, lane, binding, entry, split)
        if entry.kind is Kind.DEAD_LETTER:
            return self._alert(uow, lane, binding, entry, split)
        if (
            entry.kind is Kind.MESSAGE
            and entry.data.get("aside")
            and entry.data["aside"] == binding.offer_seq
        ):
            return self._retract_offer(uow, lane, binding, entry)
        if uow.lanes.links_of(binding.id, entry.seq):
            return self._offer(uow, lane, binding, entry) if entry.data.get("offer") else False
        if entry.kind in (Kind.MESSAGE, Kind.ASIDE):
            return self._turns(uow, lane, binding, entries, chat)
        if entry.kind in ONCE and moving.is_told_elsewhere(uow, binding, entry):
            return False
        line = line_of(uow, binding, entry)
        if line is None:
            return False
        if binding.offer_seq is not None:
            self._offer_as_it_stands(uow, lane, conversation, binding, entry)
        if entry.kind is Kind.MOVED:
            return moving.plan(uow, lane, conversation, binding, entry)
        self._post(uow, lane, binding, split(line), entry.seq)
        return True

    def _turns(
        self, uow: UnitOfWork, lane: Lane, binding: Binding, entries: Sequence[Entry], chat: TeamChat
    ) -> bool:
        """One post for a message, a packed transcript for all that wait together; their files behind it."""
        turns: list[Turn] = []
        shown: list[Entry] = []
        last = entries[0].seq
        for entry in entries:
            if entry.kind in (Kind.MESSAGE, Kind.ASIDE):
                if turns and uow.lanes.links_of(binding.id, entry.seq):
                    break
                if not entry.deleted:
                    turns.append(turn_of(uow, entry))
                    shown.append(entry)
            elif needs_line(entry) or (entry.kind in CHANGING and not _within(entry, turns)):
                break
            last = entry.seq
        if not turns:
            return False
        parts = chat.split(Post(PostKind.TURNS, turns=tuple(turns)))
        self._post(uow, lane, binding, parts, last, sharing.steps(uow, chat, shown))
        return True

    def _post(
        self, uow: UnitOfWork, lane: Lane, binding: Binding, parts: Sequence[Post], last: int,
        files: Sequence[sharing.Step] = (),
    ) -> None:  # fmt: skip
        count = len(parts) + len(files)
        for index, part in enumerate(parts):
            first_shown, last_shown = part.span if part.turns else (last, last)
            span = (first_shown, last if index == len(parts) - 1 else last_shown)
            new_delivery(uow, lane, Op.POST, span, content=part.as_dict(), binding=binding,
                         part=index, parts=count)  # fmt: skip
        for index, (op, seq, content) in enumerate(files, len(parts)):
            span = (seq, last if index == count - 1 else seq)
            new_delivery(uow, lane, op, span, content=content, binding=binding, part=index, parts=count)

    # --- edits and deletes ------------------------------------------------------------------------------------

    def _change(self, uow: UnitOfWork, lane: Lane, current: Binding, entry: Entry, split: Split) -> bool:
        """Amend or retract every post of ours that shows the target; a correction where that is not possible."""
        target = uow.log.entry(entry.conversation, entry.target) if entry.target is not None else None
        if target is None:
            return False
        if target.seq == current.offer_seq:
            if target.deleted:
                return self._retract_offer(uow, lane, current, entry)
            self._amend_offer(uow, lane, current, target, (entry.seq, entry.seq))
            return True
        planned: list[Delivery] = []
        for binding in uow.lanes.bindings(entry.conversation):
            if binding.state is BindingState.GONE or moving.shows_already(binding, entry):
                continue
            links = [link for link in uow.lanes.links_of(binding.id, target.seq) if link.ours]
            if links:
                planned += self._amend(uow, lane, binding, links, target, split)
        planned += sharing.unshare(uow, lane, target)
        for index, delivery in enumerate(planned):
            delivery.first_seq = delivery.last_seq = entry.seq
            delivery.part, delivery.parts = index, len(planned)
        return bool(planned)

    def _amend(
        self, uow: UnitOfWork, lane: Lane, binding: Binding, links: Sequence[Link], target: Entry,
        split: Split,
    ) -> list[Delivery]:  # fmt: skip
        span = (links[0].first_seq, links[0].last_seq)
        shown = [
            turn_of(uow, one)
            for one in uow.log.after(target.conversation, span[0] - 1, through=span[1])
            if one.kind in (Kind.MESSAGE, Kind.ASIDE)
        ]
        if len(shown) == 1 and target.deleted:
            return [self._call(uow, lane, Op.RETRACT, binding, link) for link in links]
        post = Post(PostKind.TURNS, turns=tuple(shown))
        parts = list(split(post))
        whole = all((link.first_seq, link.last_seq) == span for link in links)
        if whole and len(parts) <= len(links):
            calls = [
                self._call(uow, lane, Op.AMEND, binding, link, part)
                for link, part in zip(links, parts, strict=False)
            ]
            return calls + [self._call(uow, lane, Op.RETRACT, binding, link) for link in links[len(parts) :]]
        line = texts.thread.line_withdrawn() if target.deleted else texts.thread.line_correction(target.text)
        correction = Post(PostKind.LINE, text=line)
        return [
            new_delivery(uow, lane, Op.POST, span, content=part.as_dict(), binding=binding)
            for part in split(correction)
        ]

    def _call(
        self, uow: UnitOfWork, lane: Lane, op: Op, binding: Binding, link: Link, post: Post | None = None
    ) -> Delivery:
        span = (link.first_seq, link.last_seq)
        content = post.as_dict() if post else None
        return new_delivery(uow, lane, op, span, content=content, binding=binding, remote_id=link.remote_id)

    # --- failures ---------------------------------------------------------------------------------------------

    def _alert(self, uow: UnitOfWork, lane: Lane, current: Binding, entry: Entry, split: Split) -> bool:
        """Say that a delivery was given up, if it still is; what became of it is shown by that same post."""
        if entry.target is None:
            settled = entry.data.get("state", "dead") != "dead"
            if settled or uow.lanes.links_of(current.id, entry.seq):
                return False
            self._post(uow, lane, current, split(alert_of(uow, current, entry)), entry.seq)
            return True
        alert = uow.log.entry(entry.conversation, entry.target)
        if alert is None or alert.data.get("state") != entry.data["state"]:
            return False  # it has changed again since, which is told further down
        planned = [
            self._call(uow, lane, Op.AMEND, binding, link, alert_of(uow, binding, alert))
            for binding in uow.lanes.bindings(entry.conversation)
            if binding.state not in {BindingState.GONE, BindingState.MOVED}
            for link in uow.lanes.links_of(binding.id, alert.seq)
            if link.ours
        ]
        for index, delivery in enumerate(planned):
            delivery.first_seq = delivery.last_seq = entry.seq
            delivery.part, delivery.parts = index, len(planned)
        return bool(planned)

    # --- offers -----------------------------------------------------------------------------------------------

    def _offer(self, uow: UnitOfWork, lane: Lane, binding: Binding, entry: Entry) -> bool:
        """At most one per thread: the newest aside takes over the post of the one before."""
        if entry.deleted or (binding.offer_seq is not None and binding.offer_seq >= entry.seq):
            return False
        span = (entry.seq, entry.seq)
        if binding.offer_id is None:
            new_delivery(uow, lane, Op.POST, span, content=offer_of(entry).as_dict(), binding=binding)
        else:
            self._amend_offer(uow, lane, binding, entry, span)
            binding.offer_seq = entry.seq
        return True

    def _offer_as_it_stands(
        self, uow: UnitOfWork, lane: Lane, conversation: Conversation, binding: Binding, entry: Entry
    ) -> None:
        """Somebody claimed, released or resolved: what can be offered for the same aside is something else now."""
        aside = uow.log.entry(entry.conversation, binding.offer_seq or 0)
        if aside is None or aside.operator_id is None or uow.inbox.answer(sent_key(aside)) is not None:
            return
        action = offer_for(conversation, aside.operator_id)
        self._amend_offer(uow, lane, binding, aside, (lane.position, lane.position), action, part=-1)

    def _amend_offer(
        self, uow: UnitOfWork, lane: Lane, binding: Binding, aside: Entry, span: tuple[int, int],
        action: Action | None = None, *, part: int = 0,
    ) -> None:  # fmt: skip
        content = offer_of(aside, action).as_dict()
        new_delivery(uow, lane, Op.AMEND, span, content=content, binding=binding, remote_id=binding.offer_id,
                     part=part)  # fmt: skip

    def _retract_offer(self, uow: UnitOfWork, lane: Lane, binding: Binding, entry: Entry) -> bool:
        """It was used, or its message was taken back."""
        remote_id, binding.offer_seq = binding.offer_id, None
        span = (entry.seq, entry.seq)
        new_delivery(uow, lane, Op.RETRACT, span, binding=binding, remote_id=remote_id)
        return True

    def render(
        self, uow: UnitOfWork, delivery: Delivery, conversation: Conversation, chats: Mapping[str, TeamChat]
    ) -> dict[str, Any] | None:
        binding = uow.lanes.latest_binding(delivery.conversation)
        if delivery.op is Op.OPEN or binding is None:
            return current_card(uow, conversation, None).as_dict()
        delivery.binding_id = binding.id
        first, last = delivery.first_seq, delivery.last_seq
        if delivery.op is Op.AMEND:  # its own entries are the edits; the post shows others
            link = uow.lanes.link(binding.platform, binding.channel, delivery.remote_id or "")
            if link is None:
                return None
            first, last = link.first_seq, link.last_seq
        turns = tuple(
            turn_of(uow, entry, late=True)
            for entry in uow.log.after(delivery.conversation, first - 1, through=last)
            if entry.kind in (Kind.MESSAGE, Kind.ASIDE) and not entry.deleted
            and not _shows(uow, delivery, binding, entry)
        )  # fmt: skip
        if not turns:
            entry = uow.log.entry(delivery.conversation, first)
            line = line_of(uow, binding, entry) if entry is not None and first == last else None
            return line.as_dict() if line is not None else None
        parts = chats[binding.platform].split(Post(PostKind.TURNS, turns=turns))
        return parts[delivery.part].as_dict() if delivery.part < len(parts) else None


def _shows(uow: UnitOfWork, delivery: Delivery, binding: Binding, entry: Entry) -> bool:
    """Whether the thread has that part of it already: one that was refused in an older thread was told again here."""
    if delivery.op is not Op.POST:
        return False
    return any(link.part == delivery.part for link in uow.lanes.links_of(binding.id, entry.seq))


def closes(uow: UnitOfWork, binding: Binding, delivery: Delivery) -> bool:
    """Whether it is the line that ends the thread's handoff. The line that links back stands for an older entry."""
    if delivery.op is not Op.POST or delivery.last_seq <= binding.first_seq:
        return False
    entry = uow.log.entry(delivery.conversation, delivery.last_seq)
    return entry is not None and entry.kind in CLOSING


def _within(entry: Entry, turns: Sequence[Turn]) -> bool:
    """Whether the changed message is part of this very post, which shows its newest text anyway."""
    return any(turn.seq == entry.target for turn in turns)


def place_of(binding: Binding) -> Place:
    """Where that thread is."""
    return Place(binding.platform, binding.channel, binding.root)
