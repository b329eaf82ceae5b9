"""Which files may pass, under what name, and the signed address where one can be had. Pure.

A file's type is what its first bytes say, and what was declared must agree. Whatever a browser could run as a page
(HTML, SVG, XML) and whatever a machine could run is refused, however it is called. Nothing is ever unpacked.
"""

import hashlib
import hmac
import re
import secrets
import unicodedata
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from bot.errors import Refused
from bot.settings import FILE_TYPES, FilePolicy, Settings

HEAD = 4096
"""Bytes that are looked at before anything is kept."""
NAME_LIMIT = 100
MIB = 1024 * 1024
FILE_ID = re.compile(r"[0-9a-f]{32}")
INLINE = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
"""Raster images: the only types a browser is let show by itself."""
WINDOW_LINK, TEAM_LINK = 24 * 3600.0, 7 * 24 * 3600.0
"""How long a signed address is good: in a shopper's window (a reload gives a new one), and in a thread or webhook."""

_OFFICE = "application/vnd.openxmlformats-officedocument."
_OPEN = "application/vnd.oasis.opendocument."
EXTENSIONS: Mapping[str, tuple[str, ...]] = {
    "image/png": ("png",),
    "image/jpeg": ("jpg", "jpeg"),
    "image/gif": ("gif",),
    "image/webp": ("webp",),
    "image/heic": ("heic", "heif"),
    "application/pdf": ("pdf",),
    "text/plain": ("txt", "log", "md", "json", "text"),
    "text/csv": ("csv",),
    f"{_OFFICE}wordprocessingml.document": ("docx",),
    f"{_OFFICE}spreadsheetml.sheet": ("xlsx",),
    f"{_OFFICE}presentationml.presentation": ("pptx",),
    f"{_OPEN}text": ("odt",),
    f"{_OPEN}spreadsheet": ("ods",),
    f"{_OPEN}presentation": ("odp",),
    "application/zip": ("zip",),
    "audio/mpeg": ("mp3",),
    "audio/ogg": ("ogg", "oga"),
    "audio/wav": ("wav",),
    "audio/mp4": ("m4a",),
    "video/mp4": ("mp4", "m4v"),
    "video/quicktime": ("mov",),
    "video/webm": ("webm",),
}
"""Every type that can be let pass, with how such files are called; the first one is appended where it is missing."""

_GROUPS = {mime: mime.partition("/")[0] for mime in EXTENSIONS} | {
    mime: "office" for mime in EXTENSIONS if mime.startswith((_OFFICE, _OPEN))
} | {"application/pdf": "pdf", "application/zip": "zip"}  # fmt: skip
_SAME = {
    "image/jpg": "image/jpeg",
    "image/pjpeg": "image/jpeg",
    "image/heif": "image/heic",
    "application/x-zip-compressed": "application/zip",
    "application/json": "text/plain",
    "text/markdown": "text/plain",
    "audio/mp3": "audio/mpeg",
    "audio/x-wav": "audio/wav",
    "audio/x-m4a": "audio/mp4",
}
_SAYS_NOTHING = frozenset({"", "application/octet-stream", "binary/octet-stream"})
_MAGIC: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF87a", "image/gif"),
    (0, b"GIF89a", "image/gif"),
    (8, b"WEBP", "image/webp"),
    (8, b"WAVE", "audio/wav"),
    (0, b"%PDF-", "application/pdf"),
    (0, b"PK\x03\x04", "application/zip"),
    (0, b"ID3", "audio/mpeg"),
    (0, b"\xff\xfb", "audio/mpeg"),
    (0, b"OggS", "audio/ogg"),
    (0, b"\x1aE\xdf\xa3", "video/webm"),
)
_RUNS = (
    b"MZ", b"\x7fELF", b"#!", b"\xca\xfe\xba\xbe", b"\xfe\xed\xfa\xce", b"\xfe\xed\xfa\xcf", b"\xce\xfa\xed\xfe",
    b"\xcf\xfa\xed\xfe", b"\x00asm", b"dex\n", b"\xd0\xcf\x11\xe0",  # the last: OLE, which installers and macros use
)  # fmt: skip
_PAGE = re.compile(
    rb"<\s*(!doctype|html|head|body|script|svg|iframe|object|embed|\?php|!entity)", re.IGNORECASE
)
_MARKUP = re.compile(rb"^(\xef\xbb\xbf)?\s*<\s*[!?a-z]", re.IGNORECASE)
_CONTROL = frozenset(range(32)) - {0x09, 0x0A, 0x0C, 0x0D, 0x1B}


class FileRefused(Refused):
    """A file that may not pass, and what may. Nothing of it is kept."""

    code = "file_type"
    status = 415


class FileTooLarge(FileRefused):
    """More than the policy lets pass."""

    code = "file_too_large"
    status = 413


@dataclass(slots=True)
class File:
    """A file that was taken. Its bytes lie in the file store under `id`. `conversation` is the one that used it; before
    that None, or where only that one may use it, its number below zero."""

    id: str
    store: str
    name: str
    mime: str
    size: int
    created_at: float
    conversation: int | None = None


# --- rules ----------------------------------------------------------------------------------------------------


def new_id() -> str:
    """Random, so that nobody can guess one."""
    return secrets.token_hex(16)


def clean_name(name: str) -> str:
    """What a file is called here: no path, nothing invisible, and not too long; its ending is kept."""
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
    visible = "".join(" " if char.isspace() else char for char in last if _is_visible(char))
    plain = " ".join(visible.split()).strip(". ")
    if len(plain) <= NAME_LIMIT:
        return plain or "file"
    stem, dot, ending = plain.rpartition(".")
    if not dot or len(ending) > 10:
        return plain[:NAME_LIMIT].strip(". ")
    return f"{stem[: NAME_LIMIT - len(ending) - 1].strip('. ')}.{ending}"


def _is_visible(char: str) -> bool:
    """Not a control or formatting sign (a right-to-left mark can make "gpj.exe" read "exe.jpg"), nor a quote or bracket
    that ends what it stands in."""
    return (unicodedata.category(char)[0] != "C" or char.isspace()) and char not in '<>"|?*:[]`'


def name_for(name: str, mime: str) -> str:
    """The name with an ending that says what the file is, so that a system opens it as nothing else."""
    clean = clean_name(name)
    if _ending(clean) in EXTENSIONS[mime]:
        return clean
    ending = EXTENSIONS[mime][0]
    return f"{clean[: NAME_LIMIT - len(ending) - 1]}.{ending}"


def _ending(name: str) -> str:
    return name.rpartition(".")[2].lower() if "." in name else ""


def size_in_words(size: int) -> str:
    """Like "2.4 MB"."""
    if size < 1000:
        return f"{size} bytes"
    return f"{size / 1000:.0f} kB" if size < 1_000_000 else f"{size / 1_000_000:.1f} MB"


def too_large(policy: FilePolicy) -> FileTooLarge:
    """Named with the limit."""
    return FileTooLarge(
        f"The file is larger than {policy.max_mb:g} MB, the most that is passed on; send a smaller one.",
        field="file",
    )


def decide(head: bytes, name: str, declared: str, policy: FilePolicy) -> str:
    """The file's type, by its first `HEAD` bytes. `FileRefused` with what is taken instead."""
    if not head:
        raise _refused("The file is empty", policy)
    if head.startswith(_RUNS):
        raise _refused("Programs and scripts are never passed on", policy)
    found = sniff(head)
    if _MARKUP.match(head) or (_GROUPS.get(found or "", "") != "text" and _PAGE.search(head)):
        raise _refused("Web pages and files with markup inside (HTML, SVG, XML) are never passed on", policy)
    said = _declared(name, declared)
    if said is not None and said not in _GROUPS:
        raise _refused("This type of file is not passed on", policy)
    if found is None and said is not None and _GROUPS[said] == "text" and not _has_control(head):
        found = "text/plain"  # in an older encoding
    if found is None:
        raise _refused("This type of file is not passed on", policy)
    if found == "application/zip" and said is not None and _GROUPS[said] == "office":
        found = said if _is_office(head, said) else found
    if _GROUPS[found] == "text" and said is not None and _GROUPS[said] == "text":
        found = said
    if found == "video/mp4" and said == "audio/mp4":
        found = said
    if said is not None and _GROUPS[said] != _GROUPS[found]:
        raise _refused("The file is not what its name or type says", policy)
    if _GROUPS[found] not in policy.types:
        raise _refused("This type of file is not passed on", policy)
    return found


def sniff(head: bytes) -> str | None:
    """What the first bytes say; None if nothing that we know."""
    for offset, magic, mime in _MAGIC:
        if head[offset:].startswith(magic) and (offset == 0 or head.startswith(b"RIFF")):
            return mime
    if head[4:8] == b"ftyp":
        brand = head[8:12]
        if brand in (b"heic", b"heix", b"mif1", b"hevc"):
            return "image/heic"
        return "video/quicktime" if brand == b"qt  " else "video/mp4"
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.reason != "unexpected end of data" or len(head) < HEAD:  # cut within a character
            return None
    return None if _has_control(head) else "text/plain"


def _has_control(head: bytes) -> bool:
    return any(byte in _CONTROL for byte in head)


def _is_office(head: bytes, said: str) -> bool:
    if said.startswith(_OPEN):
        return head[30:].startswith(b"mimetype" + said.encode())
    return b"[Content_Types].xml" in head or b"_rels/" in head


def _declared(name: str, declared: str) -> str | None:
    """The type that was said, else the one its name says; None where neither says anything."""
    mime = declared.partition(";")[0].strip().lower()
    mime = _SAME.get(mime, mime)
    if mime not in _SAYS_NOTHING:
        return mime
    ending = _ending(clean_name(name))
    return next((known for known, endings in EXTENSIONS.items() if ending in endings), None)


_TAKEN = {
    "image": "images", "pdf": "PDF", "text": "text", "office": "office documents", "zip": "ZIP archives",
    "audio": "audio", "video": "video",
}  # fmt: skip


def _refused(cause: str, policy: FilePolicy) -> FileRefused:
    taken = ", ".join(_TAKEN[one] for one in FILE_TYPES if one in policy.types)
    return FileRefused(f"{cause}; send one of these: {taken or 'none'}.", field="file")


class Inspected:
    """A file on its way: let through piece by piece, stopped at the first byte too many, refused before the first one
    is passed on if its type may not pass. Afterwards `mime`, `name`, `size` and `sha256` are known."""

    def __init__(self, pieces: AsyncIterator[bytes], name: str, declared: str, policy: FilePolicy):
        self._pieces = pieces
        self._declared = declared
        self._policy = policy
        self._hash = hashlib.sha256()
        self.name = clean_name(name)
        self.mime = ""
        self.size = 0

    @property
    def sha256(self) -> str:
        """Of what has passed so far, in hex."""
        return self._hash.hexdigest()

    async def pass_on(self) -> AsyncIterator[bytes]:
        """What may pass. `FileRefused` at the first byte that may not."""
        head = bytearray()
        async for piece in self._pieces:
            self._count(piece)
            if self.mime:
                yield piece
                continue
            head += piece
            if len(head) >= HEAD:
                self._decide(bytes(head))
                yield bytes(head)
        if not self.mime:
            self._decide(bytes(head))
            yield bytes(head)

    def _count(self, piece: bytes) -> None:
        self.size += len(piece)
        if self.size > self._policy.max_mb * MIB:
            raise too_large(self._policy)
        self._hash.update(piece)

    def _decide(self, head: bytes) -> None:
        self.mime = decide(head[:HEAD], self.name, self._declared, self._policy)
        self.name = name_for(self.name, self.mime)


# --- in an entry's data ---------------------------------------------------------------------------------------

PENDING, REFUSED = "pending", "refused"


def reference(file: File) -> dict[str, Any]:
    """How an entry names a file that is there."""
    return {"id": file.id, "name": file.name, "mime": file.mime, "size": file.size}


def ready(data: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """The files of an entry that are there; one that is still being fetched, or was refused, is shown to nobody."""
    return [one for one in data.get("files", ()) if "state" not in one]


def pending(data: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """The files of an entry whose bytes are still where they were written."""
    return [one for one in data.get("files", ()) if one.get("state") == PENDING]


def names_of(files: Collection[Mapping[str, Any]]) -> str:
    """One line per file, for people."""
    return "\n".join(f"📎 {one['name']} ({size_in_words(int(one['size']))})" for one in files)


# --- signed addresses -----------------------------------------------------------------------------------------


def path_of(settings: Settings, file_id: str, now: float, seconds: float = WINDOW_LINK) -> str:
    """`files/ID?exp=…&sig=…`, relative to wherever Baton is mounted. Rounded up to the hour, so that a page that asks
    again soon gets the same address and its browser's cache serves it."""
    expires = int((now + seconds) // 3600 + 1) * 3600
    return f"files/{quote(file_id)}?exp={expires}&sig={_signature(settings.secret, file_id, expires)}"


def url_of(settings: Settings, file_id: str, now: float, seconds: float = TEAM_LINK) -> str:
    """The whole address, for those outside a page of ours."""
    return f"{settings.public_url}/{path_of(settings, file_id, now, seconds)}"


def may_open(settings: Settings, file_id: str, expires: str, signature: str, now: float) -> bool | None:
    """True: signed and in time. False: ours once, but expired. None: not ours."""
    if not (expires.isascii() and expires.isdigit() and len(expires) <= 12) or not settings.secret:
        return None
    given = signature.encode("utf-8", "surrogateescape")
    if not hmac.compare_digest(_signature(settings.secret, file_id, int(expires)).encode(), given):
        return None
    return int(expires) > now


def _signature(secret: str, file_id: str, expires: int) -> str:
    """The key is derived, so that no other signature made with the secret can pass for this one."""
    key = hmac.digest(secret.encode(), b"baton file link", hashlib.sha256)
    return hmac.new(key, f"{file_id}\n{expires}".encode(), hashlib.sha256).hexdigest()
