"""`/v1`: what a store's backend asks. The API key says which store; every handler is one command or one read."""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Sequence
from typing import Any

from aiohttp import web

from adapters.storefront import models
from adapters.storefront.refusals import InvalidBody, Unauthorized
from adapters.storefront.routes import Asked, Auth, Route
from adapters.storefront.tokens import Tokens
from bot import views
from bot.commands import DeleteTurn, HandBackByStore, ResolveByStore
from bot.conversation import Conversation
from bot.errors import NotFound
from bot.ports import Bus, Clock, Reads, UnitOfWork
from bot.settings import Settings, StorePolicy

CONVERSATION = "/v1/conversations/{id}"


def bearer(request: web.Request) -> str:
    """What the Authorization header carries; empty if it is no bearer."""
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    return value.strip() if scheme.lower() == "bearer" else ""


class StoreKeys:
    """API keys → stores. A key that several stores share says nothing about which, so it opens none of them."""

    def __init__(self, stores: Sequence[StorePolicy]):
        self._stores = [(_digest(store.api_key), store) for store in stores if store.api_key]

    def store_of(self, request: web.Request) -> StorePolicy:
        """401 unless the request carries the key of exactly one store."""
        key = bearer(request)
        if not key:
            raise Unauthorized("No API key; send Authorization: Bearer <API key>.")
        given = _digest(key)
        matching = [store for known, store in self._stores if hmac.compare_digest(known, given)]
        if len(matching) > 1:
            raise Unauthorized(
                "Several stores share this API key; set BATON_API_KEY_<STORE> for each of them."
            )
        if not matching:
            raise Unauthorized("Unknown API key; send the one in BATON_API_KEY (or BATON_API_KEY_<STORE>).")
        return matching[0]


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()


class StoreApi:
    """The handlers behind `/v1`."""

    def __init__(self, settings: Settings, bus: Bus, reads: Reads, tokens: Tokens, clock: Clock):
        self._settings = settings
        self._bus = bus
        self._reads = reads
        self._tokens = tokens
        self._clock = clock

    def table(self) -> list[Route]:
        """Every route with what it takes and answers."""
        store = Auth.STORE
        return [
            Route("POST", "/v1/escalations", "Hand a conversation over to a person now.", store, self.escalate,
                  body=models.Escalation, answer=models.ConversationView, status=202, errors=(409,)),
            Route("POST", f"{CONVERSATION}/messages", "Log one turn of the shopper or the assistant; it may "
                  "escalate by itself. 409 person_in_control: the assistant must be silent.", store, self.log_turn,
                  body=models.Message, answer=models.Logged, errors=(409,)),
            Route("PATCH", f"{CONVERSATION}/messages/{{message_id}}", "The message reads differently now.", store,
                  self.edit_turn, body=models.MessageEdit, errors=(404,)),
            Route("DELETE", f"{CONVERSATION}/messages/{{message_id}}", "The message was removed.", store,
                  self.delete_turn, errors=(404,)),
            Route("POST", f"{CONVERSATION}/resolve", "Close the conversation.", store, self.resolve,
                  errors=(404, 409)),
            Route("POST", f"{CONVERSATION}/handback", "Give the shopper back to the assistant.", store,
                  self.hand_back, errors=(404, 409)),
            Route("POST", f"{CONVERSATION}/outcomes", "Record what came of it.", store, self.record_outcome,
                  body=models.Outcome, errors=(404,)),
            Route("GET", CONVERSATION, "One conversation with its packet and entries.", store, self.conversation,
                  query=models.EntriesQuery, answer=models.ConversationView, errors=(404,)),
            Route("GET", "/v1/conversations", "Conversations, newest change first.", store, self.conversations,
                  query=models.ListQuery, answer=models.ConversationList),
            Route("POST", "/v1/widget-tokens", "A token that lets a shopper's window into one conversation.",
                  store, self.issue_token, body=models.TokenRequest, answer=models.Token, errors=(409,)),
        ]  # fmt: skip

    async def escalate(self, asked: Asked) -> Any:
        """Answers the conversation, as GET gives it."""
        return await self._bus.submit(asked.body.command(_store(asked).name))

    async def log_turn(self, asked: Asked) -> Any:
        """Answers whether it escalated and whether the assistant may reply."""
        return await self._bus.submit(asked.body.command(_store(asked).name, asked.path["id"]))

    async def edit_turn(self, asked: Asked) -> Any:
        """Without an `at` the edit is as new as its request."""
        path = asked.path
        return await self._bus.submit(
            asked.body.command(_store(asked).name, path["id"], path["message_id"], self._clock())
        )

    async def delete_turn(self, asked: Asked) -> Any:
        """The text is taken back."""
        return await self._bus.submit(
            DeleteTurn(_store(asked).name, asked.path["id"], asked.path["message_id"])
        )

    async def resolve(self, asked: Asked) -> Any:
        """The store closes it."""
        return await self._bus.submit(ResolveByStore(_store(asked).name, asked.path["id"]))

    async def hand_back(self, asked: Asked) -> Any:
        """The store gives the shopper back to the assistant."""
        return await self._bus.submit(HandBackByStore(_store(asked).name, asked.path["id"]))

    async def record_outcome(self, asked: Asked) -> Any:
        """A sale, a refund, a retention, something else."""
        return await self._bus.submit(asked.body.command(_store(asked).name, asked.path["id"]))

    async def conversation(self, asked: Asked) -> Any:
        """Entries for the shopper only, unless the store's policy says `internal`."""
        store, query, name = _store(asked), asked.query, asked.path["id"]

        def read(uow: UnitOfWork) -> dict[str, Any]:
            conversation = uow.conversations.named(store.name, name)
            if conversation is None:
                raise NotFound("There is no conversation with this id in your store.", field="id")
            return views.conversation_view(
                uow, conversation, after=query.after, limit=query.limit, internal=store.internal
            )

        return await self._reads(read)

    async def conversations(self, asked: Asked) -> Any:
        """A page and the cursor of the next one."""
        store, query = _store(asked), asked.query
        if query.team is not None and query.team not in self._settings.teams:
            raise InvalidBody(
                f"team is not one of yours; send one of {', '.join(self._settings.teams)}.", field="team"
            )
        before = _read_cursor(query.cursor) if query.cursor else None

        def read(uow: UnitOfWork) -> dict[str, Any]:
            found = self._page(uow, store.name, query, before)
            shown, more = found[: query.limit], len(found) > query.limit
            return {
                "conversations": [views.conversation_row(uow, one) for one in shown],
                "cursor": _cursor(shown[-1]) if more else None,
            }

        return await self._reads(read)

    def _page(
        self, uow: UnitOfWork, store: str, query: models.ListQuery, before: tuple[float, int] | None
    ) -> list[Conversation]:
        owners = self._owners(uow, query.owner) if query.owner is not None else [None]
        pages = [
            uow.conversations.page(
                stage=query.stage, team=query.team, owner_id=owner, store=store, before=before,
                limit=query.limit + 1,
            )
            for owner in owners
        ]  # fmt: skip
        found = [one for page in pages for one in page]
        return sorted(found, key=lambda one: (one.updated_at, one.number), reverse=True)[: query.limit + 1]

    def _owners(self, uow: UnitOfWork, name: str) -> list[int | None]:
        """Everybody of that name: a store knows its operators by name only."""
        people = {person.id: person for team in self._settings.teams for person in uow.people.team(team)}
        return [id_ for id_, person in people.items() if person.name.casefold() == name.casefold()]

    async def issue_token(self, asked: Asked) -> Any:
        """The core says for whom and for which conversation; the token carries that and nothing else."""
        store = _store(asked).name
        carried = await self._bus.submit(asked.body.command(store))
        return token_answer(self._tokens, store, carried["shopper_id"], carried["conversation_id"])


def token_answer(
    tokens: Tokens, store: str, shopper_id: str, conversation_id: str, *, guest: bool = False
) -> dict[str, Any]:
    """A new token as JSON."""
    token, expires_at = tokens.issue(store, shopper_id, conversation_id, guest=guest)
    return {"token": token, "expires_at": views.iso(expires_at), "conversation_id": conversation_id}


def _store(asked: Asked) -> StorePolicy:
    if asked.store is None:  # the route's row would have to forget its auth
        raise Unauthorized("No API key; send Authorization: Bearer <API key>.")
    return asked.store


def _cursor(last: Conversation) -> str:
    return base64.urlsafe_b64encode(json.dumps([last.updated_at, last.number]).encode()).decode().rstrip("=")


def _read_cursor(cursor: str) -> tuple[float, int]:
    try:
        changed, number = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        before = float(changed), int(number)
        if not 0 <= before[1] < 2**63:
            raise ValueError("out of range")
        return before
    except (ValueError, TypeError, OverflowError, binascii.Error):
        raise InvalidBody(
            "cursor is not one of ours; send the cursor of the page before, or none.", field="cursor"
        ) from None
