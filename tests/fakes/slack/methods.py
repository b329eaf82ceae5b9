"""The Web API methods, each with the checks and error codes that Slack documents for it."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable
from typing import Any

from .blocks import MAX_CHARACTERS, problems, texts, view_problems
from .state import State
from .world import Channel, Json, Message, SlackError, User

MAX_TEXT, MAX_UPDATE_TEXT, MAX_METADATA = 40_000, 4_000, 8_000
_JSON_ARGS = ("blocks", "attachments", "metadata", "view", "files")

Method = Callable[[State, Json], Json]
METHODS: dict[str, Method] = {}


def method(name: str) -> Callable[[Method], Method]:
    def register(function: Method) -> Method:
        METHODS[name] = function
        return function

    return register


def call(slack: State, name: str, args: Json, token: str | None) -> Json:
    """Carry a call out; raises SlackError."""
    if token is None:
        raise SlackError("not_authed")
    if token not in (slack.bot_token, slack.app_token):
        raise SlackError("invalid_auth")
    if name not in METHODS:
        raise SlackError("unknown_method", req_method=name)
    if (token == slack.app_token) != (name == "apps.connections.open"):
        raise SlackError("not_allowed_token_type")
    return METHODS[name](slack, args)


def parsed(args: Json) -> Json:
    """Arguments with their JSON strings decoded, as they come in form-encoded calls."""
    out = dict(args)
    for key in _JSON_ARGS:
        if isinstance(out.get(key), str):
            try:
                out[key] = json.loads(out[key])
            except ValueError:
                out[key] = {"unparsable": out[key]}
    return out


# Arguments


def _need(args: Json, *keys: str) -> list[str]:
    missing = [key for key in keys if not args.get(key)]
    if missing:
        messages = [f"[ERROR] missing required field: {key}" for key in missing]
        raise SlackError("invalid_arguments", response_metadata={"messages": messages})
    return [str(args[key]) for key in keys]


def _flag(args: Json, key: str) -> bool:
    return str(args.get(key, "")).lower() in ("1", "true")


def _channel(slack: State, args: Json, *, writing: bool = False) -> Channel:
    """The channel a call names, if the bot may read it (or write to it)."""
    (channel_id,) = _need(args, "channel")
    channel = slack.world.channel(channel_id)
    if slack.bot_user_id not in channel.members:
        raise SlackError("channel_not_found" if channel.private else "not_in_channel")
    if writing and channel.archived:
        raise SlackError("is_archived")
    return channel


def _page(args: Json, items: list[Any], default: int) -> tuple[list[Any], Json, int]:
    """One page, its `response_metadata`, and where it starts."""
    limit = min(int(args.get("limit") or default), 1000)
    start = 0
    if args.get("cursor"):
        try:
            start = int(base64.b64decode(str(args["cursor"])).decode().removeprefix("next:"))
        except ValueError:
            raise SlackError("invalid_cursor") from None
    end = start + limit
    cursor = base64.b64encode(f"next:{end}".encode()).decode() if end < len(items) else ""
    return items[start:end], {"next_cursor": cursor}, start


def _check_blocks(blocks: Any) -> None:
    found = problems(blocks)
    if found:
        metadata = {"messages": [f"[ERROR] {each}" for each in found]}
        raise SlackError("invalid_blocks", errors=found, response_metadata=metadata)
    if sum(len(piece) for piece in texts(blocks)) > MAX_CHARACTERS:
        raise SlackError("msg_blocks_too_long")


def _check_content(args: Json, *, longest: int = MAX_TEXT) -> None:
    text = args.get("text") or ""
    if not (text or args.get("blocks") or args.get("attachments")):
        raise SlackError("no_text")
    if len(text) > longest:
        raise SlackError("msg_too_long")
    if args.get("blocks"):
        _check_blocks(args["blocks"])


def _check_metadata(metadata: Any) -> None:
    if not metadata:
        return
    if not isinstance(metadata, dict) or "unparsable" in metadata:
        raise SlackError("invalid_metadata_format")
    kind, payload = metadata.get("event_type"), metadata.get("event_payload")
    if not (isinstance(kind, str) and kind and isinstance(payload, dict)) or len(metadata) != 2:
        raise SlackError("invalid_metadata_schema")
    if len(json.dumps(metadata)) > MAX_METADATA:
        raise SlackError("metadata_too_large")


# Workspace


@method("auth.test")
def _auth_test(slack: State, args: Json) -> Json:
    team = {"team": "Baton", "team_id": slack.team_id, "url": "https://baton-fake.slack.com/"}
    return team | {
        "user": "baton",
        "user_id": slack.bot_user_id,
        "bot_id": slack.bot_id,
        "is_enterprise_install": False,
    }


@method("apps.connections.open")
def _connections_open(slack: State, args: Json) -> Json:
    return {"url": slack.base_url.replace("http", "ws", 1) + f"link/?ticket={slack.gateway.ticket()}"}


@method("team.info")
def _team_info(slack: State, args: Json) -> Json:
    return {
        "team": {"id": slack.team_id, "name": "Baton", "domain": "baton-fake", "email_domain": "example.com"}
    }


@method("bots.info")
def _bots_info(slack: State, args: Json) -> Json:
    if args.get("bot", slack.bot_id) != slack.bot_id:
        raise SlackError("bot_not_found")
    names = {"id": slack.bot_id, "user_id": slack.bot_user_id, "app_id": slack.app_id, "name": "baton"}
    return {"bot": names | {"deleted": False}}


def user_json(slack: State, user: User) -> Json:
    profile = {"real_name": user.name.title(), "display_name": user.display or user.name}
    if not user.bot:
        profile["email"] = user.email
    flags = {"is_admin": user.admin, "is_owner": False, "is_bot": user.bot, "is_app_user": False}
    flags |= {"is_restricted": user.guest, "is_ultra_restricted": False, "deleted": user.deleted}
    names = {"id": user.id, "team_id": slack.team_id, "name": user.name, "real_name": user.name.title()}
    return names | flags | {"tz": "Etc/UTC", "tz_offset": 0, "profile": profile}


def _user(slack: State, args: Json) -> User:
    (user_id,) = _need(args, "user")
    if user_id not in slack.world.users:
        raise SlackError("user_not_found")
    return slack.world.users[user_id]


@method("users.info")
def _users_info(slack: State, args: Json) -> Json:
    return {"user": user_json(slack, _user(slack, args))}


@method("users.list")
def _users_list(slack: State, args: Json) -> Json:
    users, more, _ = _page(args, list(slack.world.users.values()), 1000)
    return {"members": [user_json(slack, user) for user in users], "response_metadata": more}


@method("users.lookupByEmail")
def _users_lookup_by_email(slack: State, args: Json) -> Json:
    for user in slack.world.users.values():
        if not user.bot and not user.deleted and user.email == args.get("email"):
            return {"user": user_json(slack, user)}
    raise SlackError("users_not_found")


@method("users.getPresence")
def _users_get_presence(slack: State, args: Json) -> Json:
    return {"presence": _user(slack, args).presence}


@method("usergroups.list")
def _usergroups_list(slack: State, args: Json) -> Json:
    groups = [{"id": g, "handle": handle, "users": users} for g, (handle, users) in slack.usergroups.items()]
    return {"usergroups": groups}


@method("usergroups.users.list")
def _usergroups_users_list(slack: State, args: Json) -> Json:
    (group,) = _need(args, "usergroup")
    if group not in slack.usergroups:
        raise SlackError("no_such_subteam")
    return {"users": list(slack.usergroups[group][1])}


# Conversations


def channel_json(slack: State, channel: Channel) -> Json:
    flags = {
        "is_channel": channel.kind == "channel",
        "is_group": channel.kind == "group",
        "is_im": channel.kind == "im",
    }
    flags |= {"is_private": channel.private, "is_archived": channel.archived, "is_general": False}
    members = {"is_member": slack.bot_user_id in channel.members, "num_members": len(channel.members)}
    return {"id": channel.id, "name": channel.name} | flags | members


@method("conversations.info")
def _conversations_info(slack: State, args: Json) -> Json:
    (channel_id,) = _need(args, "channel")
    channel = slack.world.channel(channel_id)
    if channel.private and slack.bot_user_id not in channel.members:
        raise SlackError("channel_not_found")
    return {"channel": channel_json(slack, channel)}


@method("conversations.list")
def _conversations_list(slack: State, args: Json) -> Json:
    kinds = str(args.get("types") or "public_channel").split(",")
    wanted = {{"public_channel": "channel", "private_channel": "group"}.get(kind, kind) for kind in kinds}
    found = [
        channel
        for channel in slack.world.channels.values()
        if channel.kind in wanted
        and not (channel.archived and _flag(args, "exclude_archived"))
        and (channel.kind == "channel" or slack.bot_user_id in channel.members)
    ]
    page, more, _ = _page(args, found, 100)
    return {"channels": [channel_json(slack, channel) for channel in page], "response_metadata": more}


@method("conversations.members")
def _conversations_members(slack: State, args: Json) -> Json:
    (channel_id,) = _need(args, "channel")
    members, more, _ = _page(args, list(slack.world.channel(channel_id).members), 100)
    return {"members": members, "response_metadata": more}


@method("conversations.open")
def _conversations_open(slack: State, args: Json) -> Json:
    (user_id,) = _need(args, "users")
    return {"channel": {"id": slack.dm(user_id)}}


def _between(args: Json, messages: Iterable[Message]) -> list[Message]:
    oldest, latest = float(args.get("oldest") or 0), float(args.get("latest") or "inf")
    ends = _flag(args, "inclusive")
    return [
        m for m in messages if oldest < float(m.ts) < latest or (ends and float(m.ts) in (oldest, latest))
    ]


def _shown(slack: State, args: Json, messages: Iterable[Message]) -> list[Json]:
    metadata = _flag(args, "include_all_metadata")
    return [slack.world.json(message, metadata=metadata) for message in messages]


@method("conversations.history")
def _conversations_history(slack: State, args: Json) -> Json:
    channel = _channel(slack, args)
    roots = (m for m in channel.messages.values() if not m.is_reply and slack.world.visible(m))
    page, more, _ = _page(args, _between(args, roots)[::-1], 100)
    found = {"messages": _shown(slack, args, page), "has_more": bool(more["next_cursor"])}
    return found | {"response_metadata": more}


@method("conversations.replies")
def _conversations_replies(slack: State, args: Json) -> Json:
    """The root is always on the first page, whatever `oldest` says, and on no other."""
    channel = _channel(slack, args)
    (ts,) = _need(args, "ts")
    root = channel.messages.get(ts)
    if root is None or not slack.world.visible(root):
        raise SlackError("thread_not_found")
    replies = [] if root.is_reply else _between(args, slack.world.replies(root))
    page, more, start = _page(args, replies, 1000)
    shown = _shown(slack, args, page if start else [root, *page])
    return {"messages": shown, "has_more": bool(more["next_cursor"]), "response_metadata": more}


# Chat


@method("chat.postMessage")
def _post_message(slack: State, args: Json) -> Json:
    args = _resolved(slack, args)
    channel = _channel(slack, args, writing=True)
    _check_content(args)
    _check_metadata(args.get("metadata"))
    thread_ts = args.get("thread_ts")
    if thread_ts and thread_ts in channel.locked:
        raise SlackError("restricted_action_thread_locked")
    return posted(slack, post_as_bot(slack, channel.id, args, thread_ts=thread_ts))


def _resolved(slack: State, args: Json) -> Json:
    """Slack takes a channel's name or a person's id here, too."""
    (wanted,) = _need(args, "channel")
    if wanted in slack.world.users:
        return {**args, "channel": slack.dm(wanted)}
    names = {channel.name: channel.id for channel in slack.world.channels.values()}
    return {**args, "channel": names.get(wanted.removeprefix("#"), wanted)}


def post_as_bot(slack: State, channel_id: str, args: Json, **more: Any) -> Message:
    kept = {key: args[key] for key in ("blocks", "attachments", "metadata", "username") if args.get(key)}
    return slack.world.post(
        channel_id, slack.bot_user_id, args.get("text") or "", bot_id=slack.bot_id, **kept, **more
    )


def posted(slack: State, message: Message) -> Json:
    return {"channel": message.channel, "ts": message.ts, "message": slack.world.json(message)}


def _own(slack: State, args: Json, refusal: str) -> Message:
    _channel(slack, args, writing=True)
    channel_id, ts = _need(args, "channel", "ts")
    message = slack.world.message(channel_id, ts)
    if message.bot_id != slack.bot_id:
        raise SlackError(refusal)
    return message


@method("chat.update")
def _update(slack: State, args: Json) -> Json:
    message = _own(slack, args, "cant_update_message")
    _check_content(args, longest=MAX_UPDATE_TEXT)
    _check_metadata(args.get("metadata"))
    changes: Json = {"text": args.get("text") or "", "blocks": args.get("blocks") or []}
    if "attachments" in args:
        changes["attachments"] = args["attachments"] or []
    if "metadata" in args:
        changes["metadata"] = args["metadata"] or None
    slack.world.edit(message, slack.bot_id, **changes)
    return posted(slack, message) | {"text": message.text}


@method("chat.delete")
def _delete(slack: State, args: Json) -> Json:
    message = _own(slack, args, "cant_delete_message")
    if message.username:
        raise SlackError("cant_delete_message")
    slack.world.delete(message)
    return {"channel": message.channel, "ts": message.ts}


@method("chat.postEphemeral")
def _post_ephemeral(slack: State, args: Json) -> Json:
    channel = _channel(slack, args, writing=True)
    user = _user(slack, args)
    if user.id not in channel.members:
        raise SlackError("user_not_in_channel")
    _check_content(args)
    return {"message_ts": slack.show_ephemeral(channel.id, user.id, args).ts}


@method("chat.getPermalink")
def _get_permalink(slack: State, args: Json) -> Json:
    channel_id, ts = _need(args, "channel", "message_ts")
    message = slack.world.message(channel_id, ts)
    link = f"https://baton-fake.slack.com/archives/{channel_id}/p{ts.replace('.', '')}"
    if message.is_reply:
        link += f"?thread_ts={message.thread_ts}&cid={channel_id}"
    return {"channel": channel_id, "permalink": link}


# Reactions


def _reacted(slack: State, args: Json) -> tuple[Message, str]:
    _channel(slack, args, writing=True)
    channel_id, ts, name = _need(args, "channel", "timestamp", "name")
    return slack.world.message(channel_id, ts), name


@method("reactions.add")
def _reactions_add(slack: State, args: Json) -> Json:
    message, name = _reacted(slack, args)
    slack.world.react(message, slack.bot_user_id, name)
    return {}


@method("reactions.remove")
def _reactions_remove(slack: State, args: Json) -> Json:
    message, name = _reacted(slack, args)
    slack.world.unreact(message, slack.bot_user_id, name)
    return {}


@method("reactions.get")
def _reactions_get(slack: State, args: Json) -> Json:
    channel = _channel(slack, args)
    (ts,) = _need(args, "timestamp")
    message = slack.world.message(channel.id, ts)
    return {"type": "message", "channel": channel.id, "message": slack.world.json(message)}


# Views


def _checked_view(args: Json) -> Json:
    found = view_problems(args.get("view"))
    if found:
        metadata = {"messages": [f"[ERROR] {each}" for each in found]}
        raise SlackError("invalid_arguments", response_metadata=metadata)
    view: Json = args["view"]
    return view


@method("views.open")
def _views_open(slack: State, args: Json) -> Json:
    (trigger,) = _need(args, "trigger_id")
    view = _checked_view(args)
    return {"view": slack.open_view(slack.use_trigger(trigger), view).json()}


@method("views.push")
def _views_push(slack: State, args: Json) -> Json:
    return _views_open(slack, args)


@method("views.update")
def _views_update(slack: State, args: Json) -> Json:
    view = _checked_view(args)
    for opened in slack.views:
        if opened.id == args.get("view_id") and not opened.closed:
            if args.get("hash") not in (None, opened.hash):
                raise SlackError("hash_conflict")
            return {"view": slack.update_view(opened, view).json()}
    raise SlackError("not_found")


@method("views.publish")
def _views_publish(slack: State, args: Json) -> Json:
    (user_id,) = _need(args, "user_id")
    if user_id not in slack.world.users:
        raise SlackError("user_not_found")
    if not slack.home_enabled:
        raise SlackError("not_enabled")
    shown = slack.homes.get(user_id)
    if args.get("hash") and shown is not None and args["hash"] != shown.hash:
        raise SlackError("hash_conflict")
    return {"view": slack.publish_home(user_id, _checked_view(args)).json()}
