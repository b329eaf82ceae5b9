"""Files in a conversation: whose they are, and what becomes of an operator's whose bytes still lie elsewhere.

An operator's message leaves at once. Its files are fetched behind it, and shown to the shopper when they are here, by
an edit of that message that changes nothing else. One that may not pass is said in the thread only.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from bot import texts
from bot.commands import FileFetched, FileHeldUp, SweepFiles
from bot.conversation import Conversation
from bot.entries import Draft, Entry, Kind, Reader
from bot.errors import NotFound
from bot.files import PENDING, REFUSED, File, clean_name, new_id, pending, reference
from bot.handlers import handoff, notice
from bot.ports import UnitOfWork
from bot.posts import Heard

MOST = 20
"""Files of one message."""
UNUSED, AT_ONCE = 24 * 3600.0, 200
"""Seconds after which an upload that no message names is nobody's, and how many are swept away at a time."""


def attached(
    uow: UnitOfWork,
    store: str,
    conversation: Conversation | None,
    ids: Collection[str],
    *,
    own: bool = False,
    field: str = "attachments",
) -> tuple[File, ...]:
    """The files of these ids, nothing written yet. One of another store or conversation is as unknown as one that never
    was. `own`: only what was uploaded in this very conversation (a shopper's window names no file of the store's)."""
    found = []
    for index, file_id in enumerate(ids):
        file = uow.files.get(file_id)
        number = conversation.number if conversation is not None else 0
        allowed = {number, -number} if own else {number, -number, None}
        if file is None or file.store != store or file.conversation not in allowed:
            raise NotFound(
                "There is no such file; upload it first and send the file_id of the answer.",
                code="unknown_file",
                field=f"{field}.{index}.file_id",
            )
        found.append(file)
    return tuple(found)


def given(uow: UnitOfWork, conversation: Conversation, files: Sequence[File]) -> dict[str, Any]:
    """What an entry's data says of files that are here; from now on they are this conversation's."""
    if not files:
        return {}
    uow.lanes.open(conversation.number, Reader.FILES, conversation.head)
    for file in files:
        file.conversation = conversation.number
    return {"files": [reference(file) for file in files]}


def sweep(uow: UnitOfWork, command: SweepFiles) -> list[str]:
    """Uploads that nobody used: forgotten here; the answer names the bytes to remove."""
    unused = uow.files.unused(uow.now - UNUSED, AT_ONCE)
    for file in unused:
        uow.files.remove(file)
    return [file.id for file in unused]


def heard(uow: UnitOfWork, conversation: Conversation, platform: str, words: Heard) -> dict[str, Any]:
    """What a draft's data says of files in a person's message. They are fetched once that message is one to the
    shopper, however much later: whoever copies the data copies all that is needed."""
    found = list(words.extra.get("files") or ())[:MOST]
    if not found:
        return {}
    uow.lanes.open(conversation.number, Reader.FILES, conversation.head)
    return {
        "files": [
            {
                "id": new_id(),
                "name": clean_name(str(one.get("name") or "")),
                "mime": str(one.get("mimetype") or ""),
                "size": int(one.get("size") or 0),
                "state": PENDING,
                "remote": {**one, "platform": platform, "at": words.at},
            }
            for one in found
        ]
    }


def fetched(uow: UnitOfWork, command: FileFetched) -> None:
    """The bytes are here: the shopper is shown the file. Again changes nothing."""
    entry = uow.log.entry(command.number, command.seq)
    if entry is None or _waiting(entry, command.file.id) is None:
        return
    conversation = handoff.case(uow, command.number)
    uow.files.add(replace(command.file, store=conversation.store, conversation=command.number))
    if entry.deleted:
        return  # its delete, further down this lane, discards the bytes
    data = _with(entry, command.file.id, reference(command.file) | _where_it_was(entry, command.file.id))
    uow.log.annotate(entry, data)
    shown = uow.log.append(
        conversation,
        Draft(Kind.EDITED, entry.author, text=entry.text, data={"files": True}, source=entry.source,
              target=entry.seq, operator_id=entry.operator_id, name=entry.name),
    )  # fmt: skip
    uow.log.annotate(_again(uow, entry), {**data, "files_seq": shown.seq})
    uow.lanes.wake(command.number, Reader.RECEIPTS)


def held_up(uow: UnitOfWork, command: FileHeldUp) -> None:
    """The operator is told, once for each file; the shopper is not."""
    entry = uow.log.entry(command.number, command.seq)
    waiting = _waiting(entry, command.file_id) if entry is not None else None
    if entry is None or waiting is None or (waiting.get("told") and not command.final):
        return
    conversation = handoff.case(uow, command.number)
    marked = {**waiting, "told": True} | ({"state": REFUSED} if command.final else {})
    uow.log.annotate(entry, _with(entry, command.file_id, marked))
    if entry.deleted:
        return
    text = texts.thread.file_refused if command.final else texts.thread.file_waits
    mention = [entry.operator_id] if entry.operator_id is not None else []
    notice.alert(uow, conversation, "file", text(str(waiting["name"]), command.reason), mention)
    uow.lanes.wake(command.number, Reader.RECEIPTS)


def _waiting(entry: Entry, file_id: str) -> Mapping[str, Any] | None:
    return next((one for one in pending(entry.data) if one["id"] == file_id), None)


def _where_it_was(entry: Entry, file_id: str) -> dict[str, Any]:
    """Should it be removed there."""
    remote = (_waiting(entry, file_id) or {}).get("remote") or {}
    return {"remote": {key: remote[key] for key in ("platform", "id") if key in remote}} if remote else {}


def _with(entry: Entry, file_id: str, changed: Mapping[str, Any]) -> dict[str, Any]:
    files = [dict(changed) if one["id"] == file_id else one for one in entry.data["files"]]
    return {**entry.data, "files": files}


def _again(uow: UnitOfWork, entry: Entry) -> Entry:
    found = uow.log.entry(entry.conversation, entry.seq)
    assert found is not None, "entries are never removed"
    return found
