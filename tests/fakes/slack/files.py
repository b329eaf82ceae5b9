"""Files: the three-step upload that `files_upload_v2` does, and downloads that need the bot's token.

A download with the wrong token answers 200 with an HTML login page, as Slack does: the client has to look.
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
    return {"file": file_json(slack, _file(slack, args))}


@method("files.delete")
def _files_delete(slack: State, args: Json) -> Json:
    file = _file(slack, args)
    file.deleted, file.content = True, b""
    return {}


async def upload(slack: State, request: web.Request) -> web.Response:
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
    if request.headers.get("Authorization") != f"Bearer {slack.bot_token}":
        return web.Response(text="<!DOCTYPE html><title>Sign in</title>", content_type="text/html")
    file = slack.files.get(request.match_info["file"])
    if file is None or file.deleted:
        return web.Response(status=404)
    return web.Response(body=file.content, content_type=file.mimetype)
