"""Carries files between the teams' chats and our store, piece by piece; the courier calls it.

Whether a file may pass is decided while it passes. A refusal is an answer, told to the one who sent the file, and not a
fault: nothing is tried again.
"""

from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import dataclass, field

from bot import texts
from bot.commands import FileFetched, FileHeldUp, SweepFiles
from bot.delivering import Call
from bot.errors import EntryFault, NotFound, PlaceFault
from bot.files import MIB, File, FileRefused, Inspected, too_large
from bot.lanes import Op
from bot.ports import Bus, ChatFiles, Clock, Files, TeamChat
from bot.posts import Posted
from bot.settings import Settings

PASSING = frozenset({Op.FETCH, Op.DISCARD, Op.UPLOAD, Op.SHARE, Op.UNSHARE})
SLOW = frozenset({Op.FETCH, Op.UPLOAD})
"""Calls that carry bytes. They are repeatable, so they may outlast a lease."""


@dataclass(frozen=True, slots=True)
class Passing:
    """One per process."""

    settings: Settings
    bus: Bus
    clock: Clock
    chats: Mapping[str, TeamChat] = field(default_factory=dict)
    store: Files | None = None

    async def carry_out(self, call: Call) -> Posted | None:
        """One of `PASSING`. None from an upload or a share: the platform does not take that file."""
        match call.op:
            case Op.FETCH:
                await self._fetch(call)
                return None
            case Op.DISCARD:
                for file_id in call.content["ids"]:
                    await self._files().remove(file_id)
                return None
            case Op.UPLOAD:
                return await self._upload(call)
            case Op.UNSHARE:
                await self._chat(call.place.platform).take_back(call.remote_id or "")
                return None
            case _:
                return await self._share(call)

    async def find(self, call: Call) -> Posted | None:
        """Whether a share was carried out."""
        return await self._chat(call.place.platform).find_share(call.place, call.content["remote"])

    async def sweep(self) -> None:
        """Remove the bytes of uploads that nobody used."""
        for file_id in await self.bus.submit(SweepFiles()):
            await self._files().remove(file_id)

    # --- from the chat ----------------------------------------------------------------------------------------

    async def _fetch(self, call: Call) -> None:
        found, seq = call.content["file"], int(call.content["seq"])
        remote, policy = found["remote"], self.settings.files
        try:
            chat = self._chat(remote["platform"])
            known = await chat.describe(remote)
            if int(known.get("size") or 0) > policy.max_mb * MIB:
                raise too_large(policy)
            async with aclosing(chat.fetch(known)) as pieces:
                declared = str(known.get("mimetype") or "")
                inspected = Inspected(pieces, str(known.get("name") or ""), declared, policy)
                await self._files().put(found["id"], inspected.pass_on())
        except FileRefused as refused:
            await self._held_up(call, found["id"], refused.message, final=True)
            return
        except EntryFault:
            await self._held_up(call, found["id"], texts.thread.file_is_gone(), final=True)
            return
        except PlaceFault as fault:
            if cure := texts.thread.FILE_CURES.get(fault.reason):
                await self._held_up(call, found["id"], cure, final=False)
            raise
        file = File(found["id"], call.store, inspected.name, inspected.mime, inspected.size, self.clock())
        await self.bus.submit(FileFetched(call.conversation, seq, file))

    async def _held_up(self, call: Call, file_id: str, reason: str, *, final: bool) -> None:
        seq = int(call.content["seq"])
        await self.bus.submit(FileHeldUp(call.conversation, seq, file_id, reason, final))

    # --- to the chat ------------------------------------------------------------------------------------------

    async def _upload(self, call: Call) -> Posted | None:
        file = call.content["file"]
        # Not closed here: the platform's library may still be reading it when its upload has failed.
        content = self._files().read(file["id"])
        try:
            remote = await self._chat(call.place.platform).upload(file["name"], file["size"], content)
        except (EntryFault, NotFound):
            return None
        return Posted(remote, call.place.channel)

    async def _share(self, call: Call) -> Posted | None:
        chat, content = self._chat(call.place.platform), call.content
        try:
            file = content["file"]
            return await chat.share(
                call.place, content["remote"], file["name"], lambda: self._files().read(file["id"])
            )
        except (EntryFault, NotFound):
            return None

    def _files(self) -> Files:
        if self.store is None:
            raise PlaceFault("no_file_store")
        return self.store

    def _chat(self, platform: str) -> ChatFiles:
        chat = self.chats.get(platform)
        files: ChatFiles | None = getattr(chat, "files", None)
        if files is None:  # its tokens were taken away since
            raise PlaceFault(f"{platform} takes no files")
        return files
