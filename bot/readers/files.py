"""The files reader: fetches what an operator's message brought, and discards what a deleted message had.

Its lane is opened with the first file of a conversation, so a conversation without files has none.
"""

from collections.abc import Mapping
from typing import Any

from bot.conversation import Conversation
from bot.entries import Entry, Kind
from bot.files import pending
from bot.lanes import Delivery, Lane, Op
from bot.ports import TeamChat, UnitOfWork
from bot.posts import Posted
from bot.readers.base import new_delivery

AT_ONCE = 50


class FilesReader:
    """See `LaneReader`."""

    def plan(
        self, uow: UnitOfWork, lane: Lane, conversation: Conversation, chats: Mapping[str, TeamChat]
    ) -> bool:
        entries = uow.log.after(lane.conversation, lane.position, AT_ONCE)
        for entry in entries:
            if self._fetch(uow, lane, entry) or self._discard(uow, lane, entry):
                return True
            lane.position = entry.seq
        return len(entries) == AT_ONCE

    def _fetch(self, uow: UnitOfWork, lane: Lane, entry: Entry) -> bool:
        """One at a time, so that a slow one holds up only those behind it. An aside's stay where they are."""
        waiting = pending(entry.data) if entry.kind is Kind.MESSAGE and not entry.deleted else ()
        if waiting:
            content = {"seq": entry.seq, "file": dict(waiting[0])}
            new_delivery(uow, lane, Op.FETCH, (entry.seq, entry.seq), content=content)
        return bool(waiting)

    def _discard(self, uow: UnitOfWork, lane: Lane, entry: Entry) -> bool:
        """What a deleted message had, or what was removed from one; not what another message shows."""
        ids = self._given_up(uow, entry)
        if ids:
            shown = _named_by_messages(uow, lane.conversation)
            ids = [one for one in ids if one not in shown]
        for file in filter(None, map(uow.files.get, ids)):
            uow.files.remove(file)  # nobody can open it from now on
        if ids:
            new_delivery(uow, lane, Op.DISCARD, (entry.seq, entry.seq), content={"ids": ids})
        return bool(ids)

    def _given_up(self, uow: UnitOfWork, entry: Entry) -> list[str]:
        if entry.kind is Kind.EDITED:
            return list(entry.data.get("removed", ()))
        if entry.kind is not Kind.DELETED or entry.target is None:
            return []
        target = uow.log.entry(entry.conversation, entry.target)
        return [one["id"] for one in target.data.get("files", ())] if target is not None else []

    def sent(self, uow: UnitOfWork, lane: Lane, delivery: Delivery, posted: Posted | None) -> None:
        if delivery.op is Op.DISCARD:
            lane.position = max(lane.position, delivery.last_seq)

    def render(
        self, uow: UnitOfWork, delivery: Delivery, conversation: Conversation, chats: Mapping[str, TeamChat]
    ) -> dict[str, Any] | None:
        return None


def _named_by_messages(uow: UnitOfWork, number: int) -> set[str]:
    """A file belongs to one conversation, and any of its messages may show it."""
    conversation = uow.conversations.get(number)
    log = uow.log.after(number, 0, limit=conversation.head) if conversation is not None else ()
    said = [one for one in log if one.kind is Kind.MESSAGE and not one.deleted]
    return {str(file["id"]) for one in said for file in one.data.get("files", ())}
