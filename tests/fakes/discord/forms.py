"""What a message may hold: the checks of text, embeds, components, files and mentions, for every way to write one."""

from __future__ import annotations

import mimetypes
from typing import TYPE_CHECKING, Any

from .components import check_components, check_embeds
from .errors import DiscordError, Json, Problems
from .things import COMPONENTS_V2, EPHEMERAL, SILENT, File, Message

if TYPE_CHECKING:
    from .state import State

MAX_CONTENT, MAX_FILES, MAX_NONCE = 2000, 10, 25


def new_message(discord: State, args: Json, *, webhook: bool = False) -> Json:
    """The parts of a new message, checked."""
    flags = int(args.get("flags") or 0) & (COMPONENTS_V2 | EPHEMERAL | SILENT | 1 << 2)
    layout = bool(flags & COMPONENTS_V2)
    problems = Problems()
    _check(problems, args, layout)
    if args.get("nonce") is not None:
        problems.longest("nonce", args["nonce"], MAX_NONCE)
    if webhook:
        _check_username(problems, args.get("username"))
    problems.refuse()
    files = _files(discord, args)
    parts: Json = {
        "content": str(args.get("content") or ""),
        "embeds": args.get("embeds") or [],
        "components": args.get("components") or [],
        "attachments": files,
        "flags": flags,
    }
    stands = (
        parts["content"].strip() or parts["embeds"] or files or args.get("sticker_ids") or args.get("poll")
    )
    if not stands and not (layout and parts["components"]):
        raise DiscordError(50006)
    return parts


def changes(discord: State, args: Json, message: Message) -> Json:
    """What an edit changes, checked. What is left out stays."""
    flags = int(args.get("flags") or 0) & (COMPONENTS_V2 | 1 << 2) | message.flags
    layout = bool(flags & COMPONENTS_V2)
    problems = Problems()
    _check(problems, args, layout)
    left = {key: args.get(key, getattr(message, key)) for key in ("content", "embeds")}
    if layout and (left["content"] or left["embeds"]):
        _legacy(problems, "content" if left["content"] else "embeds")
    problems.refuse()
    found: Json = {"flags": flags}
    for key, empty in (("content", ""), ("embeds", []), ("components", [])):
        if key in args:
            found[key] = args[key] or empty
    kept = message.attachments
    if args.get("attachments") is not None:
        ids = {str(one.get("id")) for one in args["attachments"]}
        kept = [one for one in kept if one.id in ids]
    found["attachments"] = [*kept, *_files(discord, args)]
    merged = {
        key: found.get(key, getattr(message, key))
        for key in ("content", "embeds", "components", "attachments")
    }
    if not any(merged[key] for key in ("content", "embeds", "attachments")) and not (
        layout and merged["components"]
    ):
        raise DiscordError(50006)
    return found


def _check(problems: Problems, args: Json, layout: bool) -> None:
    problems.longest("content", args.get("content"), MAX_CONTENT)
    if args.get("embeds"):
        check_embeds(problems, args["embeds"])
    if args.get("components"):
        check_components(problems, args["components"], layout=layout)
    if layout:
        for key in ("content", "embeds", "poll"):
            if args.get(key):
                _legacy(problems, key)
    _check_mentions(problems, args.get("allowed_mentions"))


def _legacy(problems: Problems, key: str) -> None:
    problems.add(
        key,
        "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2",
        f"The '{key}' field cannot be used when using MessageFlags.IS_COMPONENTS_V2",
    )


def _check_mentions(problems: Problems, allowed: Any) -> None:
    if not allowed:
        return
    for number, kind in enumerate(allowed.get("parse") or ()):
        problems.choices(f"allowed_mentions.parse.{number}", kind, ("roles", "users", "everyone"))
    for kind in ("users", "roles"):
        if kind in (allowed.get("parse") or ()) and allowed.get(kind):
            problems.add(
                "allowed_mentions",
                "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE",
                f'parse:["{kind}"] and {kind}: [ids...] are mutually exclusive.',
            )
        problems.length(f"allowed_mentions.{kind}", allowed.get(kind) or [], 0, 100)


def _check_username(problems: Problems, name: Any) -> None:
    if name is None:
        return
    problems.length("username", name.strip(), 1, 80)
    check_name(problems, "username", name)


def check_name(problems: Problems, path: str, name: str) -> None:
    """A webhook may not pretend to be Discord itself."""
    for word in ("discord", "clyde"):
        if word in name.lower():
            problems.add(path, "USERNAME_INVALID_CONTAINS", f'Username cannot contain "{word}"')


def _files(discord: State, args: Json) -> list[File]:
    uploaded: dict[int, tuple[str, bytes]] = args.get("_files") or {}
    described = {str(one.get("id")): one for one in args.get("attachments") or ()}
    if len(uploaded) > MAX_FILES:
        raise DiscordError(30015)
    if any(len(content) > discord.upload_limit for _, content in uploaded.values()):
        raise DiscordError(40005)
    found = []
    for number, (given, content) in sorted(uploaded.items()):
        about = described.get(str(number), {})
        name = about.get("filename") or given
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        found.append(discord.new_file(name, content, kind, about.get("description")))
    discord.uploads += found
    return found
