"""The webhook reader: each entry to the store's backend, in order, under an id that a repeat carries again."""

import json
from collections.abc import Mapping
from typing import Any

from bot.conversation import Conversation
from bot.entries import Entry
from bot.lanes import Delivery, Lane, Op
from bot.ports import TeamChat, UnitOfWork
from bot.posts import Posted
from bot.readers.base import new_delivery
from bot.views import iso, store_entry

AT_ONCE = 50
TYPES = {"message": "message.created", "edited": "message.edited", "deleted": "message.deleted"}


class WebhookReader:
    """See `LaneReader`."""

    def plan(
        self, uow: UnitOfWork, lane: Lane, conversation: Conversation, chats: Mapping[str, TeamChat]
    ) -> bool:
        entries = uow.log.after(lane.conversation, lane.position, AT_ONCE)
        for entry in entries:
            content = self._content(uow, conversation, entry)
            if content is not None:
                new_delivery(uow, lane, Op.WEBHOOK, (entry.seq, entry.seq), content=content)
                return True
            lane.position = entry.seq
        return len(entries) == AT_ONCE

    def _content(self, uow: UnitOfWork, conversation: Conversation, entry: Entry) -> dict[str, Any] | None:
        internal = uow.settings.stores[conversation.store].internal
        shown = store_entry(uow, entry, internal=internal)
        if shown is None:
            return None
        body = {
            "type": TYPES.get(str(entry.kind), f"{entry.kind}.created"),
            "timestamp": iso(entry.stored_at),
            "data": {
                "conversation_id": conversation.external_id,
                "number": conversation.number,
                "store": conversation.store,
                "stage": str(conversation.stage),
                "assistant_may_reply": not conversation.in_persons_hands
                and entry.seq > conversation.ended_seq,
                "entry": shown,
            },
        }
        return {"body": json.dumps(body, ensure_ascii=False, separators=(",", ":"))}

    def sent(self, uow: UnitOfWork, lane: Lane, delivery: Delivery, posted: Posted | None) -> None:
        lane.position = max(lane.position, delivery.last_seq)

    def render(
        self, uow: UnitOfWork, delivery: Delivery, conversation: Conversation, chats: Mapping[str, TeamChat]
    ) -> dict[str, Any] | None:
        entry = uow.log.entry(delivery.conversation, delivery.first_seq)
        return self._content(uow, conversation, entry) if entry else None
