"""Files that an operator removes alone: their message stays, and the shopper is shown them no more.

An edit names the files that its message still has; a platform may also say that a file is gone wherever it was shown.
What nothing names any longer is discarded by the files lane.
"""

from collections.abc import Collection, Mapping
from typing import Any

from bot.commands import FileDeleted
from bot.conversation import Conversation
from bot.entries import Draft, Entry, Kind, Reader
from bot.handlers import handoff, taking_back
from bot.handlers.intake import delete
from bot.holds import Held
from bot.lanes import Binding
from bot.ports import UnitOfWork
from bot.posts import Heard

FILES = "files"
"""The due row of a conversation of whose files one was deleted."""


def left_in(heard: Heard) -> set[str]:
    """The platform's ids of the files that a message has now."""
    return {str(one["id"]) for one in heard.extra.get("files") or () if one.get("id")}


def remote_ids(data: Mapping[str, Any]) -> set[str]:
    """The platform's ids of the files of an entry (or of a held message) that came from a chat."""
    return {str(one["remote"]["id"]) for one in data.get("files") or () if one.get("remote")}


def note(uow: UnitOfWork, binding: Binding, heard: Heard) -> None:
    """Where each file stands, should it be deleted."""
    for file_id in sorted(left_in(heard)):
        key, post = _key(binding.platform, file_id), [binding.channel, heard.id]
        known = uow.inbox.answer(key)
        if known is None:
            uow.inbox.remember(key, {"posts": [post]})
        elif post not in known["posts"]:
            uow.inbox.amend(key, {**known, "posts": [*known["posts"], post]})


def file_deleted(uow: UnitOfWork, command: FileDeleted) -> None:
    """Each conversation that has it is looked through by a due row of its own, which locks it first. One that nobody
    has heard of is of no interest: whoever fetches it later finds it gone."""
    key = _key(command.platform, command.file_id)
    known = uow.inbox.answer(key)
    if known is None or known.get("gone"):
        return
    uow.inbox.amend(key, {**known, "gone": True})
    for channel, message_id in known["posts"]:
        link = uow.lanes.link(command.platform, channel, message_id)
        if link is not None:
            uow.due.put(FILES, link.conversation, uow.now)


def look_for_deleted(uow: UnitOfWork, conversation: Conversation) -> None:
    """Take out of its messages what was deleted."""
    for held in list(uow.held.of(conversation.number)):
        gone = _deleted_of(uow, held.platform, held.data["entry"])
        if gone:
            taking_back.without_files(uow, conversation, held, gone)
    for entry in uow.log.after(conversation.number, 0, limit=conversation.head):
        if entry.kind in (Kind.MESSAGE, Kind.ASIDE) and not entry.deleted:
            take_out(uow, conversation, entry, _deleted_of(uow, entry.source, entry.data))


def removed(entry: Entry, heard: Heard) -> set[str]:
    """Those that an edit no longer names."""
    return remote_ids(entry.data) - left_in(heard)


def removed_of_held(held: Held, heard: Heard) -> set[str]:
    """The same of a message that is held."""
    return remote_ids(held.data["entry"]) - left_in(heard)


def take_out(uow: UnitOfWork, conversation: Conversation, entry: Entry, gone: Collection[str]) -> None:
    """These files are none of its message's any more; a message of which nothing is left is deleted."""
    if not gone:
        return
    kept = [one for one in entry.data["files"] if not _is_one_of(one, gone)]
    if not kept and not entry.text.strip():
        delete(uow, conversation, entry)
        return
    uow.log.annotate(entry, {**entry.data, "files": kept})
    if entry.kind is Kind.MESSAGE:
        ids = [one["id"] for one in entry.data["files"] if _is_one_of(one, gone)]
        data = {"files": True, "removed": ids}
        uow.log.append(
            conversation,
            Draft(Kind.EDITED, entry.author, text=entry.text, data=data, source=entry.source,
                  target=entry.seq, operator_id=entry.operator_id, name=entry.name),
        )  # fmt: skip
        for reader in (Reader.FILES, Reader.RECEIPTS):
            uow.lanes.wake(conversation.number, reader)
    handoff.expect_shopper(uow, conversation)


def _is_one_of(file: Mapping[str, Any], gone: Collection[str]) -> bool:
    return bool(file.get("remote")) and str(file["remote"]["id"]) in gone


def _deleted_of(uow: UnitOfWork, platform: str, data: Mapping[str, Any]) -> set[str]:
    return {one for one in remote_ids(data) if (uow.inbox.answer(_key(platform, one)) or {}).get("gone")}


def _key(platform: str, file_id: str) -> str:
    return f"{platform}:file:{file_id}"
