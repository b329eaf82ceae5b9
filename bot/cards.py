"""A case's card: what an operator in a hurry must see first. Pure but for the names it looks up."""

from collections.abc import Mapping, Sequence
from typing import Any

from bot import texts
from bot.conversation import Conversation, Stage
from bot.packet import shorten
from bot.people import Operator, Shopper
from bot.posts import Action, Button, Card, Field

TITLE_LENGTH = 110
FIELD_LENGTH = 300
MOST_TRIED = 4
MOST_ORDERS = 3
_IN_HANDS = (Action.SAVED_REPLY, Action.NOTE, Action.ASSIGN, Action.SNOOZE, Action.TAG, Action.PRIORITY, Action.MOVE,
             Action.OUTCOME)  # fmt: skip
_OVER = (Action.OUTCOME, Action.NOTE, Action.TAG, Action.ASSIGN)
MENUS: dict[Stage, tuple[Action, ...]] = {
    Stage.OPEN: _OVER,
    Stage.WAITING: _IN_HANDS,
    Stage.ACTIVE: _IN_HANDS,
    Stage.RESOLVED: _OVER,
}
"""What is wanted most comes first: a platform may show four and hide the others behind one more tap."""


def card_of(
    conversation: Conversation,
    shopper: Shopper,
    owner: Operator | None,
    *,
    brand: str,
    current: bool = True,
    moved: bool = False,
    zone: str = "UTC",
    teams: int = 1,
) -> Card:
    """The card as it stands now. `current` False: the case goes on in a newer thread, so no buttons; `moved`: that is
    another team's. `zone` is the team's, `teams` how many there are to move a case to, itself included."""
    packet = conversation.packet
    stage = conversation.stage if current else Stage.OPEN
    return Card(
        number=conversation.number,
        title=shorten(packet.get("issue") or "", TITLE_LENGTH),
        status=_status(conversation, owner) if current else _status_left(conversation, moved=moved),
        stage=str(stage),
        since=_since(conversation) if current else None,
        fields=tuple(_fields(conversation, shopper, zone)),
        quote=(packet.get("sentiment") or {}).get("quote"),
        suggestion=packet.get("suggested_reply") or packet.get("suggested_action"),
        buttons=_buttons(conversation) if current else (),
        urgent=conversation.priority in {"high", "urgent"},
        footer=_footer(conversation, brand),
        menu=_menu(conversation, owner, teams) if current else (),
        team=conversation.team,
    )


def _status_left(conversation: Conversation, *, moved: bool) -> str:
    return texts.card.status_moved(conversation.team) if moved else texts.card.status_continued()


def _footer(conversation: Conversation, brand: str) -> str:
    """ "Shop · chat · billing · urgent · #damaged #vip": how it came, whose it is, what it is about."""
    priority = conversation.priority if conversation.priority != "normal" else ""
    tags = " ".join(f"#{tag}" for tag in conversation.tags)
    return " · ".join(
        part for part in (brand, conversation.channel, conversation.team, priority, tags) if part
    )


def _status(conversation: Conversation, owner: Operator | None) -> str:
    match conversation.stage:
        case Stage.WAITING:
            return texts.card.status_waiting()
        case Stage.ACTIVE:
            return texts.card.status_active(owner.name if owner else texts.card.SPEAKERS["operator"])
        case Stage.RESOLVED:
            return texts.card.status_resolved(owner.name if owner else None)
        case _:
            return texts.card.status_open()


def _since(conversation: Conversation) -> float | None:
    match conversation.stage:
        case Stage.WAITING:
            return conversation.waiting_since
        case Stage.ACTIVE:
            return conversation.owned_since
        case Stage.RESOLVED:
            return conversation.resolved_at
        case _:
            return None


def _buttons(conversation: Conversation) -> tuple[Button, ...]:
    value = str(conversation.number)
    claim = Button(Action.CLAIM, texts.card.BUTTON_CLAIM, value, "primary")
    release = Button(Action.RELEASE, texts.card.BUTTON_RELEASE, value)
    hand_back = Button(Action.HAND_BACK, texts.card.BUTTON_HAND_BACK, value)
    resolve = Button(Action.RESOLVE, texts.card.BUTTON_RESOLVE, value)
    match conversation.stage:
        case Stage.WAITING:
            return (claim, hand_back, resolve)
        case Stage.ACTIVE:
            return (resolve, release, hand_back)
        case _:
            return (claim,)


def _menu(conversation: Conversation, owner: Operator | None, teams: int) -> tuple[Button, ...]:
    """What is done less often. Without a handoff there is nothing an outcome could be of."""
    value = str(conversation.number)
    offered = [*MENUS[conversation.stage]]
    if teams < 2 and Action.MOVE in offered:
        offered.remove(Action.MOVE)
    if conversation.handoff == 0:
        offered.remove(Action.OUTCOME)
    buttons = [Button(action, texts.windows.MENU_LABELS[str(action)], value) for action in offered]
    if conversation.stage is Stage.ACTIVE:
        question = texts.boards.confirm_step_in(owner.name if owner else texts.card.SPEAKERS["operator"])
        label = texts.windows.MENU_LABELS[str(Action.STEP_IN)]
        asked = f"{value}:{owner.id}" if owner else value
        buttons.insert(0, Button(Action.STEP_IN, label, asked, confirm=question))
    return tuple(buttons)


def _state_of(conversation: Conversation, zone: str) -> list[Field]:
    """What has been decided about the case: put off until when, or ended how."""
    outcome = conversation.outcome
    if conversation.in_persons_hands and conversation.snoozed_until is not None:
        when = texts.words.on_the_clock(conversation.snoozed_until, zone)
        return [Field(texts.card.FIELD_SNOOZED, texts.card.snoozed_until(when))]
    if conversation.stage is Stage.RESOLVED and outcome is not None:
        amount, currency = outcome.get("amount"), outcome.get("currency")
        line = texts.card.outcome_line(outcome["kind"], amount, currency, outcome.get("note") or "")
        return [Field(texts.card.FIELD_OUTCOME, line)]
    return []


def _fields(conversation: Conversation, shopper: Shopper, zone: str) -> list[Field]:
    packet = conversation.packet
    found = [
        *_state_of(conversation, zone),
        Field(texts.card.FIELD_CUSTOMER, customer_line(shopper)),
        Field(texts.card.FIELD_REASON, reason_line(packet.get("reason") or {})),
        Field(texts.card.FIELD_WANTS, str(packet.get("wants") or "")),
        Field(texts.card.FIELD_MOOD, str((packet.get("sentiment") or {}).get("label") or "")),
        Field(texts.card.FIELD_ORDERS, orders_line(packet.get("orders") or [], shopper.currency)),
        Field(texts.card.FIELD_COLLECTED, collected_line(packet.get("collected") or {})),
        Field(
            texts.card.FIELD_TRIED, "; ".join(str(one) for one in (packet.get("tried") or [])[:MOST_TRIED])
        ),
        Field(texts.card.FIELD_CART, cart_line(packet.get("cart") or {}, shopper.currency)),
        Field(texts.card.FIELD_PAGE, str(packet.get("page") or "")),
        Field(texts.card.FIELD_EARLIER, earlier_line(packet.get("earlier") or [])),
        Field(texts.card.FIELD_REACHABLE, ", ".join(packet.get("reachable") or [])),
    ]
    return [Field(one.label, shorten(one.text, FIELD_LENGTH)) for one in found if one.text]


def name_of(shopper: Shopper) -> str:
    """What the team calls a shopper."""
    return shopper.name or (texts.words.anonymous() if shopper.anonymous else shopper.external_id)


def customer_line(shopper: Shopper) -> str:
    """ "Sarah K. · vip · 3 orders · 840.5 USD": who this is to the store."""
    orders = shopper.orders_count
    parts = [
        name_of(shopper),
        shopper.tier,
        f"{orders} order{'' if orders == 1 else 's'}" if orders is not None else None,
        _money(shopper.lifetime_value, shopper.currency),
        shopper.locale,
    ]
    return " · ".join(part for part in parts if part)


def _money(amount: object, currency: str | None) -> str | None:
    if not isinstance(amount, int | float):
        return None
    return f"{amount:,.2f} {currency or ''}".strip()


def reason_line(reason: Mapping[str, Any]) -> str:
    """Why a person is needed, with the words that made it so."""
    trigger = str(reason.get("trigger") or "api")
    what = texts.card.REASONS.get(trigger, trigger)
    rule, evidence = reason.get("rule"), reason.get("evidence")
    if trigger == "keyword" and rule:
        what = f"{what} “{rule}”"
    return f"{what}: {evidence}" if evidence else what


def orders_line(orders: Sequence[Any], currency: str | None = None) -> str:
    """The newest few orders, one after the other."""
    lines = []
    for order in orders[:MOST_ORDERS]:
        if isinstance(order, Mapping):
            total = _money(order.get("total"), order.get("currency") or currency)
            parts = [f"#{order['id']}" if order.get("id") else None, order.get("status"), total]
            lines.append(" ".join(str(part) for part in parts if part is not None))
    more = len(orders) - MOST_ORDERS
    return "; ".join(lines) + (f"; and {more} more" if more > 0 else "")


def collected_line(collected: Mapping[str, Sequence[str]]) -> str:
    """Facts that need not be asked again."""
    return " · ".join(f"{name.replace('_', ' ')}: {', '.join(values)}" for name, values in collected.items())


def cart_line(cart: Mapping[str, Any], currency: str | None) -> str:
    """What is in the cart, if anything is."""
    value, items = cart.get("value"), cart.get("items") or []
    if not value and not items:
        return ""
    return " · ".join(
        part for part in (_money(value, currency), f"{len(items)} items" if items else None) if part
    )


def earlier_line(earlier: Sequence[Mapping[str, Any]]) -> str:
    """The shopper's earlier cases."""
    return "; ".join(
        f"#{one['number']} {one.get('issue') or ''} ({one.get('outcome')})" for one in earlier[:3]
    )
