"""Files: the three-step upload that `files_upload_v2` does, and downloads that need the bot's token.

A download with the wrong token, or without the scope files:read, answers 200 with an HTML login page (or redirects to
one, with `login_redirects`), as Slack does: the client has to look. `hide_file_addresses` makes messages say
"check_file_info" and no more, and `files.info` may know a file, and where it is shown, only later.
"""

from __future__ import annotations

from aiohttp import web

from .methods import method, post_as_bot
from .state import File, State
from .world import Json, SlackError


def file_json(slack: State, file: File) -> Json:
    url = f"{slack.base_url}files/{file.id}/{file.name}"
    public: dict[str, list[Json]] = {}
    for channel_id, ts in file.shares:
        message = slack.world.channels[channel_id].messages[ts]
        share = {"ts": ts} | ({"thread_ts": message.thread_ts} if message.thread_ts else {})
        public.setdefault(channel_id, []).append(share)
    about = {
        "id": file.id,
        "name": file.name,
        "title": file.name,
        "mimetype": file.mimetype,
        "user": file.user,
    }
    links = {"url_private": url, "url_private_download": url + "?download=1"}
    return (
        about
        | links
        | {"size": len(file.content), "mode": "hosted", "shares": {"public": public} if public else {}}
    )


def in_message(slack: State, file: File) -> Json:
    """The file as an event or a history shows it."""
    if slack.hide_file_addresses:
        return {"id": file.id, "mode": "file_access", "file_access": "check_file_info"}
    return file_json(slack, file)


def _file(slack: State, args: Json, key: str = "file") -> File:
    file = slack.files.get(str(args.get(key)))
    if file is None or file.deleted:
        raise SlackError("file_not_found")
    return file


@method("files.getUploadURLExternal")
def _get_upload_url(slack: State, args: Json) -> Json:
    if not args.get("filename") or not int(args.get("length") or 0):
        raise SlackError("invalid_arguments")
    file = slack.new_file(str(args["filename"]), slack.bot_user_id)
    return {"upload_url": f"{slack.base_url}upload/{file.id}", "file_id": file.id}


@method("files.completeUploadExternal")
def _complete_upload(slack: State, args: Json) -> Json:
    files = [_file(slack, entry, "id") for entry in args.get("files") or ()]
    if not files:
        raise SlackError("invalid_arguments")
    if args.get("channel_id"):
        channel = slack.world.channel(args["channel_id"])
        if slack.bot_user_id not in channel.members:
            raise SlackError("channel_not_found")
        comment = {"text": args.get("initial_comment") or ""}
        shown = [file_json(slack, file) for file in files]
        message = post_as_bot(
            slack, channel.id, comment, thread_ts=args.get("thread_ts"), files=shown, subtype="file_share"
        )
        for file in files:
            file.shares.append((channel.id, message.ts))
    return {"files": [file_json(slack, file) for file in files]}


@method("files.info")
def _files_info(slack: State, args: Json) -> Json:
    file = _file(slack, args)
    if slack.clock() < file.known_from:
        raise SlackError("file_not_found")
    shown = file_json(slack, file)
    return {"file": shown if slack.clock() >= file.shares_known_from else shown | {"shares": {}}}


@method("files.delete")
def _files_delete(slack: State, args: Json) -> Json:
    file = _file(slack, args)
    file.deleted, file.content = True, b""
    for channel_id, ts in file.shares:
        message = slack.world.channels[channel_id].messages[ts]
        if message.bot_id == slack.bot_id and not message.deleted:
            slack.world.delete(message)
    return {}


async def upload(slack: State, request: web.Request) -> web.Response:
    """Faults for it go by the name "upload"."""
    _, fault = slack.faults.pick("upload", dict(request.match_info))
    if fault is not None:
        return web.Response(status=fault.status if fault.answer == "http" else 500)
    file = slack.files.get(request.match_info["file"])
    if file is None:
        return web.Response(status=404)
    if request.content_type.startswith("multipart/"):
        part = await (await request.multipart()).next()
        file.content = bytes(await part.read()) if part is not None else b""  # type: ignore[union-attr]
    else:
        file.content = await request.read()
    return web.Response(text=f"OK - {len(file.content)}")


async def download(slack: State, request: web.Request) -> web.Response:
    slack.downloads.append(dict(request.headers))
    _, fault = slack.faults.pick("download", dict(request.match_info))
    if fault is not None and fault.answer == "http":
        return web.Response(status=fault.status)
    allowed = request.headers.get("Authorization") == f"Bearer {slack.bot_token}" and slack.files_readable
    if not allowed and slack.login_redirects and request.match_info["name"] != "sign-in":
        return web.Response(status=302, headers={"Location": f"{slack.base_url}files/login/sign-in"})
    if not allowed:
        return web.Response(text="<!DOCTYPE html><title>Sign in</title>", content_type="text/html")
    file = slack.files.get(request.match_info["file"])
    if file is None or file.deleted:
        return web.Response(status=404)
    return web.Response(body=file.content, content_type=file.mimetype)
