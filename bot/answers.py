"""What the verbs that only read are answered. Each is a function of what is stored; none writes."""

from collections.abc import Sequence

from bot import cards, metrics, moments, texts, verbs
from bot.boards import Look, View, board_of, clock_of, linked_number, rows_of, step_in, teams_of
from bot.conversation import Conversation, Stage
from bot.entries import Author, Entry, Kind
from bot.errors import NotAllowed, NotFound
from bot.hours import Hours
from bot.packet import shorten
from bot.people import Actor, Role
from bot.ports import UnitOfWork
from bot.posts import Action, Answer, Button, Row
from bot.verbs import Act, Verb

FOUND_ROWS = 10
SHOPPERS, CASES, DEEP = 100_000, 5_000, 2_000
"""How far `find` looks: newest shoppers by name, cases by their issue, cases by their messages."""
FAILED_ROWS = 10
MOST_FAILED = 200
MOST_COUNTED = 20_000
SHOWN_MESSAGES = 5
MOST_PEOPLE = 20


def answer(uow: UnitOfWork, verb: Verb, actor: Actor, number: int | None) -> Answer:
    """`number` is the case of the thread it was asked in, if it was."""
    if verb.act is Act.HELP:
        return helped(verb.words, in_thread=number is not None)
    require_staff(actor)
    match verb.act:
        case Act.QUEUE:
            return queue(uow, actor, View.UNCLAIMED, verb)
        case Act.MINE:
            return queue(uow, actor, View.MINE, verb)
        case Act.FIND:
            return find(uow, actor, verb.words, verb.page)
        case Act.STATS:
            return stats(uow, actor)
        case Act.FAILED:
            return failed(uow, actor, verb.page)
        case _:
            return show(uow, actor, verb.number or number or 0)


def require_staff(actor: Actor) -> None:
    """Guests and strangers see nothing of the cases."""
    if actor.highest is Role.NONE:
        raise NotAllowed(texts.answers.guests_may_not())


def helped(words: str, *, in_thread: bool) -> Answer:
    """All verbs, or how one is written."""
    known = {str(act) for act in Act}
    if words.lower() in known:
        example = verbs.example(Act(words.lower()), in_thread=in_thread)
        return Answer(texts.answers.verb_wrong(words.lower(), example))
    return Answer(texts.answers.HELP)


# --- listings -------------------------------------------------------------------------------------------------


def queue(uow: UnitOfWork, actor: Actor, view: View, verb: Verb) -> Answer:
    """Who waits, or one's own cases: in the queue's order, ten a page."""
    board = board_of(uow, actor, Look(view, page=verb.page))
    count = board.counts[view]
    if not count:
        return Answer(texts.boards.mine_empty() if view is View.MINE else texts.boards.queue_empty())
    head = texts.boards.listing(texts.boards.HOME_VIEWS[str(view)], count, board.look.page, board.pages)
    page = board.look.page
    return Answer(
        head, board.rows, page_buttons(verb.act, page, board.pages), verbs.page_value(verb.act, page)
    )


def page_buttons(act: Act, page: int, pages: int, words: str = "") -> tuple[Button, ...]:
    """To the page before and the page behind, where there are any. Their values are verbs themselves."""
    found = []
    if page > 0:
        found.append(Button(Action.PAGE, texts.boards.HOME_PREVIOUS, verbs.page_value(act, page - 1, words)))
    if page + 1 < pages:
        found.append(Button(Action.PAGE, texts.boards.HOME_NEXT, verbs.page_value(act, page + 1, words)))
    return tuple(found)


def find(uow: UnitOfWork, actor: Actor, words: str, page: int = 0) -> Answer:
    """By number, address, name, and words in issues and messages; resolved ones too, within what is searched."""
    most = (page + 1) * FOUND_ROWS + 1
    numbers, more = _found(uow, words, most)
    beyond = uow.conversations.newest_number() > DEEP
    limits = texts.boards.find_limits(SHOPPERS, CASES, DEEP) if beyond else ""
    if not numbers:
        return Answer(texts.boards.found_nothing(words, limits))
    shown = numbers[page * FOUND_ROWS : (page + 1) * FOUND_ROWS]
    cases = [case for case in map(uow.conversations.get, shown) if case is not None]
    pages = page + 2 if more else page + 1
    return Answer(
        texts.boards.found(words, len(numbers) - more, limits, more=more),
        rows_of(uow, cases, actor),
        page_buttons(Act.FIND, page, pages, words[:200]),
        verbs.page_value(Act.FIND, page, words[:200]),
    )


def _found(uow: UnitOfWork, words: str, most: int) -> tuple[list[int], bool]:
    """Numbers, the surest first; and whether there are more than `most` - 1."""
    found: dict[int, None] = {}
    bare = words.strip().lstrip("#")
    if bare.isdecimal() and len(bare) <= 9 and uow.conversations.get(int(bare)) is not None:
        found[int(bare)] = None
    parts = words.split()
    if (
        "@" in words and len(parts) == 1
    ):  # whoever writes an address means one shopper, however long ago that was
        found.update(dict.fromkeys(case.number for case in uow.conversations.addressed(words.strip(), most)))
    for search, window in (
        (uow.conversations.named_like, SHOPPERS),
        (uow.conversations.about, CASES),
        (uow.conversations.mentioning, DEEP),
    ):
        sure = bool(found) and "@" in words  # an address is of one shopper, and these are their cases
        if len(found) < most and not sure:
            found.update(dict.fromkeys(case.number for case in search(parts, window, most)))
    return list(found)[:most], len(found) >= most


def failed(uow: UnitOfWork, actor: Actor, page: int = 0) -> Answer:
    """What was refused and is kept, newest first, with a button each to send it again."""
    teams = set(teams_of(uow, actor))
    found = []
    for delivery in reversed(uow.lanes.dead(MOST_FAILED)):
        case = uow.conversations.get(delivery.conversation)
        if case is not None and (case.team in teams or case.team not in uow.settings.teams):
            found.append((delivery, case))
    if not found:
        return Answer(texts.boards.failed_empty())
    pages = -(-len(found) // FAILED_ROWS)
    page = min(page, pages - 1)
    rows = []
    for delivery, case in found[page * FAILED_ROWS : (page + 1) * FAILED_ROWS]:
        where = texts.boards.FAILED_WHERE.get(str(delivery.reader), str(delivery.reader))
        age = texts.words.ago(uow.now - (delivery.settled_at or delivery.created_at))
        line = texts.boards.failed_row(where, delivery.last_seq, delivery.error or "", age)
        retry = Button(Action.RETRY, texts.thread.BUTTON_RETRY, delivery.id)
        rows.append(Row(case.number, f"{linked_number(uow, case)}\n{line}", (retry,)))
    head = texts.boards.listing(texts.boards.FAILED_TITLE, len(found), page, pages)
    again = verbs.page_value(Act.FAILED, page)
    return Answer(head, tuple(rows), page_buttons(Act.FAILED, page, pages), again)


OPEN_CASES = "open cases"
"""What a `PAGE` button would carry to bring `still_open` anew."""


def still_open(uow: UnitOfWork, actor: Actor, said: str) -> Answer:
    """After somebody said that they go: their open cases, each with a button to hand it over. Nothing of it for
    somebody who is there."""
    own = uow.people.known(actor)
    if own is None or not own.is_away(uow.now):
        return Answer(said)
    cases = uow.conversations.board(View.MINE, owner_id=own.id, now=uow.now, limit=2 * FOUND_ROWS)
    rows = []
    for row in rows_of(uow, cases, actor):
        hand_over = Button(Action.HAND_OVER, texts.windows.MENU_LABELS["hand_over"], str(row.number))
        assign = Button(Action.ASSIGN, texts.windows.MENU_LABELS["assign"], str(row.number))
        rows.append(Row(row.number, row.text, (hand_over, assign)))
    return Answer(said, tuple(rows), again=OPEN_CASES)


def did(uow: UnitOfWork, action: Action, value: str) -> str:
    """What a button did, where its handler says nothing; the case's number leads to the thread, where one goes on."""
    number = value.partition(":")[0]
    case = uow.conversations.get(int(number)) if number.isdecimal() else None
    return texts.answers.did(str(action), linked_number(uow, case)) if case else texts.answers.nothing_done()


# --- one case -------------------------------------------------------------------------------------------------


def show(uow: UnitOfWork, actor: Actor, number: int) -> Answer:
    """The whole case in a few lines."""
    case = uow.conversations.get(number)
    if case is None:
        raise NotFound(texts.answers.no_such_case(number), field="number")
    hours = uow.settings.team(case.team).hours
    lines = [*_head(uow, case, hours), *_facts(uow, case), *_last_messages(uow, case)]
    (row,) = rows_of(uow, [case], actor)
    kept = tuple(button for button in row.buttons if button.action is not Action.SHOW)
    return Answer("\n".join(line for line in lines if line), buttons=kept, again=f"{Act.SHOW} {number}")


def _head(uow: UnitOfWork, case: Conversation, hours: Hours) -> list[str]:
    shopper = uow.people.shopper(case.shopper_id)
    owner = uow.people.operator(case.owner_id) if case.owner_id else None
    since = {
        Stage.WAITING: case.waiting_since,
        Stage.ACTIVE: case.owned_since,
        Stage.RESOLVED: case.resolved_at,
    }
    at = since.get(case.stage)
    when = moments.shown(at, uow.now, hours) if at is not None else ""
    footer = [case.team, case.priority, *(f"#{tag}" for tag in case.tags)]
    if case.snoozed_until is not None and case.snoozed_until > uow.now:
        footer.append(texts.boards.row_snoozed(moments.shown(case.snoozed_until, uow.now, hours)))
    return [
        f"{linked_number(uow, case)} · {texts.words.plainly(cards.customer_line(shopper) if shopper else '')}",
        f"**{texts.words.plainly(shorten(str(case.packet.get('issue') or ''), 200))}**"
        if case.packet.get("issue")
        else "",
        texts.answers.case_line_stage(str(case.stage), owner.name if owner else None, when),
        " · ".join(texts.words.plainly(part) for part in footer),
    ]


def _facts(uow: UnitOfWork, case: Conversation) -> list[str]:
    """As the card says them, but for who it is."""
    shopper = uow.people.shopper(case.shopper_id)
    packet = case.packet
    currency = shopper.currency if shopper else None
    facts = [
        (texts.card.FIELD_REASON, cards.reason_line(packet.get("reason") or {}) if packet else ""),
        (texts.card.FIELD_WANTS, str(packet.get("wants") or "")),
        (texts.card.FIELD_ORDERS, cards.orders_line(packet.get("orders") or [], currency)),
        (texts.card.FIELD_COLLECTED, cards.collected_line(packet.get("collected") or {})),
        (
            texts.card.FIELD_TRIED,
            "; ".join(str(one) for one in (packet.get("tried") or [])[: cards.MOST_TRIED]),
        ),
        (texts.card.FIELD_EARLIER, cards.earlier_line(packet.get("earlier") or [])),
    ]
    if case.outcome:
        amount, currency = case.outcome.get("amount"), case.outcome.get("currency")
        facts.append(
            (texts.card.FIELD_OUTCOME, texts.card.outcome_line(case.outcome["kind"], amount, currency, ""))
        )
    return [f"{label}: {texts.words.plainly(shorten(fact, 300))}" for label, fact in facts if fact]


def _last_messages(uow: UnitOfWork, case: Conversation) -> list[str]:
    entries = [one for one in uow.log.last(case.number, 60) if one.kind is Kind.MESSAGE and not one.deleted]
    return [_quote(uow, case, entry) for entry in entries[-SHOWN_MESSAGES:]]


def _quote(uow: UnitOfWork, case: Conversation, entry: Entry) -> str:
    shopper = uow.people.shopper(case.shopper_id) if entry.author is Author.SHOPPER else None
    name = cards.name_of(shopper) if shopper else entry.name or texts.card.SPEAKERS[str(entry.author)]
    return f"> **{texts.words.plainly(shorten(name, 40))}**: {texts.words.plainly(shorten(entry.text, 200))}"


def taken(uow: UnitOfWork, number: int, actor: Actor, said: str) -> Answer:
    """A claim that lost: a lead may take the case over all the same."""
    case = uow.conversations.get(number)
    if case is None or actor.in_team(case.team).role is not Role.LEAD:
        return Answer(said)
    owner = uow.people.operator(case.owner_id) if case.owner_id else None
    return Answer(said, buttons=(step_in(number, owner),))


# --- numbers --------------------------------------------------------------------------------------------------


def stats(uow: UnitOfWork, actor: Actor) -> Answer:
    """Today's, in the team's time zone, of the teams that somebody sees."""
    teams = teams_of(uow, actor)
    since = moments.midnight(uow.now, clock_of(uow, actor.platform))
    waiting, first = uow.conversations.waits(teams)
    day = metrics.today(
        uow.conversations.times(teams, since, MOST_COUNTED), since, uow.conversations.loads(teams)
    )
    longest = uow.now - first if first is not None else None
    title = texts.boards.STATS_TITLE + (
        f" ({', '.join(map(texts.words.plainly, teams))})" if len(uow.settings.teams) > 1 else ""
    )
    lines = [
        f"**{title}**",
        *texts.boards.stats_lines(day.new, waiting, longest, day.resolved, day.first_reply),
    ]
    return Answer("\n".join([*lines, *_people(uow, day.people)]))


def _people(uow: UnitOfWork, people: Sequence[metrics.PersonToday]) -> list[str]:
    lines = []
    for one in people[:MOST_PEOPLE]:
        operator = uow.people.operator(one.operator_id)
        if operator is not None:
            lines.append(texts.boards.stats_person(operator.name, one.open, one.replies, one.first_reply))
    return lines or [texts.boards.STATS_NOBODY]
