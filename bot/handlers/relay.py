"""What operators write: in a thread, in the console, edited, deleted, or sent after all (DESIGN §2, relay mode)."""

from collections.abc import Sequence
from typing import Any

from bot import relay, texts
from bot.commands import OperatorWrites, ReadBack, SendAside, ThreadDelete, ThreadEdit, ThreadMessage
from bot.conversation import Conversation, Move, Stage
from bot.entries import Author, Draft, Entry, Kind, Reader
from bot.errors import NotAllowed, NotFound, Refused
from bot.handlers import cases, desk, files, files_back, handoff, hold, perform, taking_back
from bot.handlers.cases import Done, done
from bot.handlers.intake import delete, edit
from bot.holds import Held
from bot.lanes import Binding, BindingState, Link
from bot.people import Actor, Operator, Role
from bot.ports import UnitOfWork
from bot.posts import Action, Heard

CONSOLE = "console"


def thread_message(uow: UnitOfWork, command: ThreadMessage) -> Done | None:
    """A person wrote in a thread. None: the thread is not ours, or it is known already."""
    key = relay.event_key(command.place, command.heard.id)
    known = uow.inbox.answer(key)
    if known is not None:
        return _tell_now(uow, key, known) if command.live and "untold" in known else None
    binding = uow.lanes.binding_at(command.place.platform, command.place.channel, command.place.root)
    if binding is None:
        return None
    if uow.inbox.answer(f"{key}:delete") is not None:
        uow.inbox.remember(key, {"tombstone": True})  # its delete overtook it
        return None
    conversation = handoff.case(uow, binding.conversation)
    operator = uow.people.operator_for(command.actor)
    draft = _draft(uow, conversation, binding, operator, command.actor.role, command.heard)
    if draft.kind is Kind.MESSAGE and uow.settings.team(conversation.team).hold > 0:
        uow.inbox.remember(key, {"held": True})
        _hold(uow, conversation, binding, draft, command.heard.order)
        files_back.note(uow, binding, command.heard)
        return done(uow, conversation)
    entry = _append(uow, conversation, binding, draft, command.heard)
    uow.inbox.remember(key, {"seq": entry.seq})
    handoff.expect_shopper(uow, conversation)
    if draft.data.get("command"):
        performed = _perform(uow, conversation, key, command)
        if not command.live:  # its author is told when the event itself comes
            untold = {"case": conversation.number, "untold": performed.whisper}
            uow.inbox.amend(key, {"seq": entry.seq, **untold})
        return performed
    return done(uow, conversation, desk.where_it_went(uow, conversation, binding))


def _tell_now(uow: UnitOfWork, key: str, known: dict[str, Any]) -> Done:
    """The thread's history was faster than the event, and there was nobody to answer."""
    uow.inbox.amend(key, {"seq": known["seq"]})
    return done(uow, handoff.case(uow, known["case"]), known["untold"])


def _append(
    uow: UnitOfWork, conversation: Conversation, binding: Binding, draft: Draft, heard: Heard
) -> Entry:
    """The message or aside, and the post that stands for it."""
    if draft.kind is Kind.MESSAGE:
        hold.let_go(uow, conversation)  # the team held its messages until a moment ago
    entry = hold.append_written(uow, conversation, binding, draft)
    if heard.edited_order:
        uow.log.rewrite(entry, entry.text, heard.edited_order)  # an older edit changes nothing
    uow.lanes.add_link(
        Link(binding.platform, binding.channel, heard.id, conversation.number, binding.id,
             entry.seq, entry.seq, ours=False)
    )  # fmt: skip
    binding.last_order = max(binding.last_order, heard.order)
    files_back.note(uow, binding, heard)
    return entry


def _perform(uow: UnitOfWork, conversation: Conversation, key: str, command: ThreadMessage) -> Done:
    """Do what a message to the bot asks. A refusal is an answer, too: the message is stored under its key, so that no
    later arrival of it asks again, when it may mean something else."""
    heard = command.heard
    words = str(heard.extra.get("command", heard.text))
    people = _people_in(uow, conversation, heard)
    return perform.perform_in_thread(uow, conversation, words, command.actor, people, key)


def _people_in(uow: UnitOfWork, conversation: Conversation, heard: Heard) -> tuple[Actor, ...]:
    """Whom the message mentions, in the order of `@1`, `@2` …, as they stand in the case's team."""
    team = uow.settings.team(conversation.team).name
    people: Sequence[Actor] = heard.extra.get("people", ())
    return tuple(one.in_team(team) for one in people)


def _draft(
    uow: UnitOfWork,
    conversation: Conversation,
    binding: Binding,
    operator: Operator,
    role: Role,
    heard: Heard,
) -> Draft:
    team, member = uow.settings.team(conversation.team), role is not Role.NONE
    verdict = relay.judge(heard.text, heard.addressed, operator.id, conversation, team.relay, member=member)
    attached = files.heard(uow, conversation, binding.platform, heard)
    if binding.state is BindingState.MOVED and verdict.fate is not relay.Fate.COMMAND:
        verdict = relay.Verdict(relay.Fate.INSIDE)  # its author is told where the case is now
    if not heard.text.strip() and not attached:
        verdict = relay.Verdict(relay.Fate.INSIDE)  # nothing that could leave
    elif verdict.fate is relay.Fate.LEAVES and team.hold > 0 and taking_back.is_stopped(uow, binding, heard):
        verdict = relay.Verdict(relay.Fate.INSIDE, relay.offer_for(conversation, operator.id))
    data = {"offer": str(verdict.offer)} if verdict.offer else {}
    return Draft(
        Kind.MESSAGE if verdict.fate is relay.Fate.LEAVES else Kind.ASIDE,
        Author.OPERATOR,
        text=heard.text,
        data={"command": True} if verdict.fate is relay.Fate.COMMAND else {**data, **attached},
        operator_id=operator.id,
        name=operator.first_name,
        source=binding.platform,
        external_id=heard.id,
        at=heard.at,
        late=heard.order < binding.last_order,
    )


# --- held messages --------------------------------------------------------------------------------------------


def _hold(
    uow: UnitOfWork, conversation: Conversation, binding: Binding | None, draft: Draft, order: str = ""
) -> None:
    """The owner has answered; while that waits nobody reminds them."""
    hold.keep(uow, conversation, binding, draft, order)
    uow.due.drop(handoff.IDLE, conversation.number)
    uow.due.drop(handoff.NUDGE, conversation.number)


def let_ripe_go(uow: UnitOfWork, conversation: Conversation) -> None:
    """The due row of held messages: those whose time has come leave."""
    if hold.let_ripe_go(uow, conversation):
        handoff.expect_shopper(uow, conversation)


def read_back(uow: UnitOfWork, command: ReadBack) -> None:
    """The thread is being caught up, or has been: then what was due by now leaves."""
    place = command.place
    binding = uow.lanes.binding_at(place.platform, place.channel, place.root)
    if binding is None:
        return
    conversation = handoff.case(uow, binding.conversation)
    if not command.done:
        hold.await_history(uow, conversation)
        return
    hold.history_read(uow, conversation)
    let_ripe_go(uow, conversation)


# --- edited, deleted ------------------------------------------------------------------------------------------


def thread_edit(uow: UnitOfWork, command: ThreadEdit) -> Done | None:
    """The newest text wins. An edit of an unknown message is that message."""
    place, heard = command.place, command.heard
    key = _edit_key(uow, command)
    if (
        uow.inbox.answer(key) is not None
        or uow.inbox.answer(f"{relay.event_key(place, heard.id)}:delete") is not None
    ):
        return None
    link = uow.lanes.link(place.platform, place.channel, heard.id)
    if link is None:
        written = thread_message(uow, ThreadMessage(place, heard, command.actor))
        if written is not None:
            uow.inbox.remember(key, {})
        return written
    held = hold.held_behind(uow, link)
    if held is not None:
        uow.inbox.remember(key, {})
        return _held_edited(uow, held, heard)
    entry = uow.log.entry(link.conversation, link.last_seq)
    if link.ours or entry is None:
        return None
    uow.inbox.remember(key, {})
    if entry.deleted:
        return None
    gone = files_back.removed(entry, heard)
    if heard.edited_order > entry.edited_order and not (gone and heard.text == entry.text):
        _edited(uow, link, entry, heard)
    if gone:
        _without_files(uow, link, gone)
    return None


def _edit_key(uow: UnitOfWork, command: ThreadEdit) -> str:
    """By when it was edited. A platform may take a file removed alone for no edit, so an edit that is known already is
    told apart by the files that are left."""
    heard = command.heard
    edit = f"{relay.event_key(command.place, heard.id)}:edit"
    key = f"{edit}:{heard.edited_order}"
    if heard.edited_order and uow.inbox.answer(key) is None:
        return key
    return f"{edit}:files:{','.join(sorted(files_back.left_in(heard)))}"


def _held_edited(uow: UnitOfWork, held: Held, heard: Heard) -> Done:
    """First what it says: the files of one that stays inside by that are nobody's but the team's."""
    conversation = handoff.case(uow, held.conversation)
    gone = files_back.removed_of_held(held, heard)
    said = taking_back.edited(uow, conversation, held, heard)
    if gone and uow.held.get(held.platform, held.channel, held.remote_id) is not None:
        taking_back.without_files(uow, conversation, held, gone)
    return done(uow, conversation, said)


def _without_files(uow: UnitOfWork, link: Link, gone: set[str]) -> None:
    """Of the entry that the post stands for now, which an edit may have changed."""
    entry = uow.log.entry(link.conversation, link.last_seq)
    if entry is not None and not entry.deleted and entry.data.get("files"):
        files_back.take_out(uow, handoff.case(uow, link.conversation), entry, gone)


def _edited(uow: UnitOfWork, link: Link, entry: Entry, heard: Heard) -> None:
    """An edit that makes a relayed message an aside is a delete for the shopper, and its text a team entry; an
    edit never turns a note outward."""
    conversation = handoff.case(uow, link.conversation)
    marked = relay.is_marked_inside(heard.text) and not entry.data.get(
        "aside"
    )  # sent with its mark, on purpose
    inside = heard.addressed is not None or marked
    if entry.kind is Kind.MESSAGE and inside:
        delete(uow, conversation, entry)
        aside = uow.log.append(
            conversation,
            Draft(Kind.ASIDE, Author.OPERATOR, text=heard.text, operator_id=entry.operator_id, name=entry.name,
                  source=entry.source, external_id=heard.id),
        )  # fmt: skip
        uow.log.rewrite(aside, aside.text, heard.edited_order)
        link.first_seq = link.last_seq = aside.seq
        return
    sent = relay.sent_key(entry)
    if entry.kind is Kind.ASIDE and heard.addressed == "bot" and uow.inbox.answer(sent) is None:
        uow.inbox.remember(sent, {"command": True})  # a command now: never sent
    text = relay.without_marker(heard.text) if entry.data.get("aside") else heard.text
    if text != entry.text:
        edit(uow, conversation, entry, text, heard.edited_order)
    else:
        uow.log.rewrite(entry, text, heard.edited_order)  # an older edit that comes now changes nothing


def thread_delete(uow: UnitOfWork, command: ThreadDelete) -> None:
    """Taken back by its author. A delete of an unknown message leaves a tombstone."""
    place = command.place
    key = f"{relay.event_key(place, command.message_id)}:delete"
    if uow.inbox.answer(key) is not None:
        return
    link = uow.lanes.link(place.platform, place.channel, command.message_id)
    if link is None and uow.lanes.binding_at(place.platform, place.channel, place.root) is None:
        return  # a thread that is not ours
    uow.inbox.remember(key, {})
    held = hold.held_behind(uow, link)
    if held is not None:
        taking_back.deleted(uow, held)
        return
    entry = uow.log.entry(link.conversation, link.last_seq) if link is not None and not link.ours else None
    if entry is not None and not entry.deleted:
        delete(uow, handoff.case(uow, entry.conversation), entry)


def operator_writes(uow: UnitOfWork, command: OperatorWrites) -> Done:
    """A reply from the console or a form, by the same rules. A form's is not held: it was read over before it was sent,
    and what was written in the case before leaves first."""
    cases.require_member(command.actor)
    conversation = handoff.case(uow, command.number)
    key = f"{CONSOLE}:{command.number}:{command.id}"
    if uow.inbox.answer(key) is not None:
        return done(uow, conversation)
    attached = files.attached(uow, conversation.store, conversation, command.files)
    operator = uow.people.operator_for(command.actor)
    team = uow.settings.team(conversation.team)
    verdict = relay.judge(command.text, None, operator.id, conversation, team.relay)
    leaves = verdict.fate is relay.Fate.LEAVES
    draft = Draft(
        Kind.MESSAGE if leaves else Kind.ASIDE,
        Author.OPERATOR,
        text=command.text,
        data=files.given(uow, conversation, attached)
        | ({"offer": str(verdict.offer)} if verdict.offer else {}),
        operator_id=operator.id,
        name=operator.first_name,
        source=CONSOLE,
        external_id=command.id,
    )
    if leaves and command.source == CONSOLE and team.hold > 0:
        uow.inbox.remember(key, {"held": True})
        _hold(uow, conversation, None, draft)
        return done(uow, conversation)
    if leaves:
        hold.let_go(uow, conversation)
    entry = uow.log.append(conversation, draft)
    uow.inbox.remember(key, {"seq": entry.seq})
    handoff.expect_shopper(uow, conversation)
    return done(uow, conversation)


def send_aside(uow: UnitOfWork, command: SendAside) -> Done:
    """A button of an offer: that aside leaves after all, under the name of who clicked."""
    cases.require_member(command.actor)
    conversation = handoff.case(uow, command.number)
    entry = uow.log.entry(command.number, command.seq)
    if entry is None or entry.kind is not Kind.ASIDE or entry.data.get("command"):
        raise NotFound(f"#{command.number} has no such message.", field="seq")
    key = relay.sent_key(entry)
    if uow.inbox.answer(key) is not None:
        return done(uow, conversation, texts.answers.sent_already())
    text = relay.without_marker(entry.text)
    attached = {"files": entry.data["files"]} if entry.data.get("files") else {}
    if entry.deleted or not (text or attached):
        raise Refused(texts.answers.nothing_to_send())
    _make_sendable(uow, conversation, command)
    hold.let_go(uow, conversation)
    operator = uow.people.operator_for(command.actor)
    message = uow.log.append(
        conversation,
        Draft(Kind.MESSAGE, Author.OPERATOR, text=text, data={"aside": entry.seq, **attached},
              operator_id=operator.id, name=operator.first_name, source=entry.source),
    )  # fmt: skip
    uow.inbox.remember(key, {"seq": message.seq})
    _relink(uow, conversation, entry, message)
    handoff.expect_shopper(uow, conversation)
    return done(uow, conversation)


def _make_sendable(uow: UnitOfWork, conversation: Conversation, command: SendAside) -> None:
    """Whoever clicks must own the case, become its owner, or say that it leaves in their name."""
    owner = cases.owner_of(uow, conversation)
    owns = conversation.stage is Stage.ACTIVE and cases.is_actor(owner, command.actor)
    if owns or (command.action is Action.SEND_AS_ME and conversation.stage is Stage.ACTIVE):
        return
    if command.action is Action.TAKE_OVER and conversation.stage is Stage.ACTIVE:
        if command.actor.role is not Role.LEAD:
            raise NotAllowed(texts.answers.only_leads_take_over(owner.name if owner else ""))
        move = Move.TAKE_OVER
    elif command.action is Action.SEND:
        raise NotAllowed(texts.answers.not_yours(owner.name if owner else texts.card.SPEAKERS["operator"]))
    else:
        cases.refuse_if_taken(uow, conversation, command.actor)
        _refuse_if_old(conversation, command.action)
        move = Move.CLAIM
    operator = uow.people.operator_for(command.actor)
    handoff.take(uow, conversation, operator, Kind.CLAIMED, operator, move)


def _refuse_if_old(conversation: Conversation, action: Action) -> None:
    """A button does what it says and no more: it may have been there since before a release, or a resolve."""
    says = {Action.REOPEN_AND_SEND}
    if conversation.stage is not Stage.RESOLVED:
        says |= {Action.CLAIM_AND_SEND, Action.TAKE_OVER}
    if action not in says:
        raise Refused(texts.answers.offer_is_old(str(conversation.stage)))


def _relink(uow: UnitOfWork, conversation: Conversation, aside: Entry, message: Entry) -> None:
    """The post in the thread now stands for the message that left, so that its edits reach the shopper."""
    for binding in uow.lanes.bindings(conversation.number):
        for link in uow.lanes.links_of(binding.id, aside.seq):
            if not link.ours:
                link.first_seq = link.last_seq = message.seq
    uow.lanes.wake(conversation.number, Reader.RECEIPTS)
