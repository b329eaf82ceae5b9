"""Files in a team's thread: shown there by the platform if it takes them, by a signed link if it does not.

The bytes go first and are seen by nobody, so a repeat of that is harmless. Showing the file is a call of its own with
the platform's id of the file, by which it can be looked up: so it is shown once.
"""

from collections.abc import Sequence
from typing import Any

from bot import files, texts
from bot.entries import Entry
from bot.lanes import Binding, Delivery, Lane, Op
from bot.ports import TeamChat, UnitOfWork
from bot.posts import Post, Posted, PostKind
from bot.readers.base import new_delivery

Step = tuple[Op, int, dict[str, Any]]


def steps(uow: UnitOfWork, chat: TeamChat, entries: Sequence[Entry]) -> list[Step]:
    """What these entries' files need behind their post: (call, entry, content)."""
    found = [(entry.seq, dict(one)) for entry in entries for one in files.ready(entry.data)]
    if chat.shows_log:
        return []
    if getattr(chat, "files", None) is None:
        return [(Op.POST, seq, _link(uow, file)) for seq, file in found]
    return [(op, seq, {"file": file}) for seq, file in found for op in (Op.UPLOAD, Op.SHARE)]


def is_link(content: dict[str, Any]) -> bool:
    """Whether a post is a file's link: it goes when its file goes, and is amended by nothing."""
    return bool(content.get("file_link"))


def _link(uow: UnitOfWork, file: dict[str, Any]) -> dict[str, Any]:
    url = files.url_of(uow.settings, file["id"], uow.now)
    text = texts.thread.line_file(file["name"], files.size_in_words(file["size"]), url)
    return {**Post(PostKind.LINE, text=text).as_dict(), "file_link": True}


def uploaded(uow: UnitOfWork, delivery: Delivery, posted: Posted | None) -> None:
    """The share behind it now knows what to show; where the platform did not take the file, it is a link instead."""
    for share in uow.lanes.outstanding(delivery.conversation, delivery.reader):
        if share.op is Op.SHARE and share.part == delivery.part + 1 and share.content is not None:
            if posted is None:
                share.op, share.content = Op.POST, _link(uow, share.content["file"])
            else:
                share.content = {**share.content, "remote": posted.remote_id}
            return


def shared(uow: UnitOfWork, lane: Lane, binding: Binding, delivery: Delivery, posted: Posted | None) -> None:
    """A share that was refused becomes a link."""
    if posted is None and delivery.content is not None:
        content = _link(uow, delivery.content["file"])
        span = (delivery.first_seq, delivery.last_seq)
        new_delivery(uow, lane, Op.POST, span, binding=binding, content=content,
                     part=delivery.part, parts=delivery.parts)  # fmt: skip


def unshare(uow: UnitOfWork, lane: Lane, target: Entry) -> list[Delivery]:
    """Take a deleted message's files back from the threads that show them."""
    if not target.deleted or not target.data.get("files"):
        return []
    shown = uow.lanes.shares(target.conversation, target.seq)
    return [
        new_delivery(
            uow, lane, Op.UNSHARE, (target.seq, target.seq), content={}, remote_id=one.remote_id,
            binding=uow.lanes.binding(one.binding_id) if one.binding_id else None,
        )
        for one in shown
    ]  # fmt: skip


def still_there(uow: UnitOfWork, delivery: Delivery) -> bool:
    """Whether a file that waits to be shown is still one of its message's."""
    entry = uow.log.entry(delivery.conversation, delivery.first_seq)
    return entry is not None and not entry.deleted
