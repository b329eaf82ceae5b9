"""The receipts reader: each operator message's newest state, as a reaction on it. Coalesced, never in the way."""

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cache
from typing import Any

from bot.conversation import Conversation
from bot.entries import Entry, Kind
from bot.holds import NO_ENTRY
from bot.lanes import BindingState, Delivery, Lane, Link, Op
from bot.people import Presence
from bot.ports import TeamChat, UnitOfWork
from bot.posts import Posted, Receipt
from bot.readers.base import new_delivery
from bot.views import receipt_of


class ReceiptsReader:
    """See `LaneReader`."""

    def plan(
        self, uow: UnitOfWork, lane: Lane, conversation: Conversation, chats: Mapping[str, TeamChat]
    ) -> bool:
        if lane.due_at is None or lane.due_at > uow.now:
            return False
        tabs = uow.presence.tabs(lane.conversation)
        later: float | None = None
        planned = False
        links = uow.lanes.unsettled_links(lane.conversation, str(Receipt.SEEN))
        entries = uow.log.entries(lane.conversation, {link.last_seq for link in links})
        undelivered = cache(lambda: uow.lanes.undelivered(lane.conversation))
        for link in links:
            entry = entries.get(link.last_seq)
            if entry is not None:
                wanted, ripe_at = _wanted(entry, tabs, uow, undelivered)
            elif _is_held(uow, link):
                wanted, ripe_at = Receipt.PENDING, None
            else:
                continue
            if ripe_at is not None:
                later = ripe_at if later is None else min(later, ripe_at)
            elif str(wanted or "") != (link.mark or ""):
                planned = self._plan_mark(uow, lane, link, wanted) or planned
        if planned:
            return True
        lane.position, lane.due_at = conversation.head, later
        return False

    def _plan_mark(self, uow: UnitOfWork, lane: Lane, link: Link, wanted: Receipt | None) -> bool:
        binding = uow.lanes.binding(link.binding_id)
        if binding is None or binding.state is BindingState.GONE:
            return False
        content = {"receipt": str(wanted) if wanted else None, "before": link.mark}
        span = (link.first_seq, link.last_seq)
        if link.last_seq == NO_ENTRY:
            span = (lane.position, lane.position)
        new_delivery(uow, lane, Op.MARK, span, content=content, binding=binding, remote_id=link.remote_id)
        return True

    def sent(self, uow: UnitOfWork, lane: Lane, delivery: Delivery, posted: Posted | None) -> None:
        binding = uow.lanes.binding(delivery.binding_id) if delivery.binding_id else None
        if binding is None or delivery.remote_id is None:
            return
        link = uow.lanes.link(binding.platform, binding.channel, delivery.remote_id)
        if link is not None and delivery.content is not None:
            link.mark = delivery.content["receipt"]

    def render(
        self, uow: UnitOfWork, delivery: Delivery, conversation: Conversation, chats: Mapping[str, TeamChat]
    ) -> dict[str, Any] | None:
        return None  # the next plan shows the newest state anyway


def _is_held(uow: UnitOfWork, link: Link) -> bool:
    return link.last_seq == NO_ENTRY and uow.held.get(link.platform, link.channel, link.remote_id) is not None


def _wanted(
    entry: Entry, tabs: Sequence[Presence], uow: UnitOfWork, undelivered: Callable[[], Collection[int]]
) -> tuple[Receipt | None, float | None]:
    """The receipt to show, or the time from which "pending" is worth showing."""
    if entry.deleted:
        return None, None
    receipt = receipt_of(entry, tabs)
    if receipt is Receipt.PENDING:
        receipt = receipt_of(entry, tabs, undelivered())
    if receipt is Receipt.PENDING and entry.kind is Kind.MESSAGE:
        ripe_at = entry.stored_at + uow.settings.timing.pending_receipt
        if uow.now < ripe_at:
            return None, ripe_at
    return receipt, None
