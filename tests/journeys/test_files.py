"""Files between shopper and operator, through the real Bolt: there, shown, and opened as the other side opens them."""

from typing import Any

import pytest

from tests.fakes.slack import Fault, File, Message
from tests.journeys.shop import API_KEY
from tests.journeys.world import CONVERSATION, Json, Tap, Thread, World
from tests.waiting import until

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 64
PDF = b"%PDF-1.7\n" + b"x" * 9_000
HTML = b"<!DOCTYPE html><script>alert(1)</script>"


async def send(world: World, thread: Thread, file: File, text: str = "", user: str = "") -> str:
    """An operator's message with a file."""
    return await world.slack.post(
        user or world.dana, thread.channel, text, thread_ts=thread.root, files=[file]
    )


def picture(world: World, content: bytes = PNG, name: str = "label.png", mime: str = "image/png") -> File:
    return world.slack.add_file(world.dana, name, content, mime)


async def shown_file(tap: Tap) -> Json:
    """The first file that the shopper's stream shows."""
    found = await tap.until(lambda: next((one for one in tap.entries if one.get("files")), None))
    return dict(found["files"][0])


async def opened(world: World, url: str) -> tuple[int, bytes, Any]:
    """As a browser opens it: without any token."""
    address = f"{world.url}/files/{url.partition('files/')[2]}"
    async with world.shop.http.get(address) as response:
        return response.status, await response.read(), response.headers


async def attach(
    world: World, content: bytes, name: str = "broken.jpg", mime: str = "image/png"
) -> tuple[int, Json]:
    """The shopper attaches a file."""
    token = await world.shop.token(CONVERSATION)
    headers = {"Authorization": f"Bearer {token}", "Origin": world.shop.url, "Content-Type": mime}
    url = f"{world.url}/widget/v1/attachments?name={name}"
    async with world.shop.http.post(url, data=content, headers=headers) as response:
        return response.status, await response.json()


def files_of(thread: Thread) -> list[Message]:
    """Baton's posts in the thread that are files."""
    return [post for post in thread.posts if post.bot_id and post.files]


# --- from the operator ----------------------------------------------------------------------------------------


async def test_an_operators_picture_reaches_the_shopper_with_its_text(world: World) -> None:
    thread = await world.claimed_thread()
    live = await world.stream()
    await send(world, thread, picture(world), "This is the label you need")
    await live.shows("This is the label you need")
    file = await shown_file(live)
    status, content, headers = await opened(world, file["url"])
    assert (status, content, headers["Content-Type"]) == (200, PNG, "image/png")
    assert file["name"] == "label.png"
    assert headers["Content-Security-Policy"] == "sandbox; default-src 'none'"


async def test_a_file_alone_is_a_message_too(world: World) -> None:
    thread = await world.claimed_thread()
    live = await world.stream()
    await send(world, thread, picture(world, PDF, "invoice.pdf", "application/pdf"))
    file = await shown_file(live)
    _, content, headers = await opened(world, file["url"])
    assert content == PDF
    assert headers["Content-Disposition"].startswith("attachment")
    replayed = await world.replay()
    assert [
        one["files"][0]["name"] for one in replayed.entries if one["kind"] == "message" and one.get("files")
    ] == ["invoice.pdf"]


async def test_a_page_renamed_to_a_picture_is_refused_with_a_word_in_the_thread_only(world: World) -> None:
    thread = await world.claimed_thread()
    live = await world.stream()
    await send(world, thread, picture(world, HTML), "See here")
    await live.shows("See here")
    await thread.says("did not go to the shopper")
    replayed = await world.replay()
    assert b"label.png" not in live.raw + replayed.raw
    assert not [one for one in replayed.entries if one.get("files")]


async def test_a_file_is_fetched_once_slack_knows_it(world: World) -> None:
    thread = await world.claimed_thread()
    live = await world.stream()
    world.slack.hide_file_addresses = True
    file = picture(world)
    file.known_from = world.slack.clock() + 0.5
    await send(world, thread, file)
    assert (await shown_file(live))["name"] == "label.png"


@pytest.mark.parametrize("redirects", [False, True])
async def test_a_sign_in_page_is_never_taken_for_the_file_and_the_operator_is_told_the_cure(
    world: World, redirects: bool
) -> None:
    thread = await world.claimed_thread()
    live = await world.stream()
    world.slack.files_readable, world.slack.login_redirects = False, redirects
    await send(world, thread, picture(world, b"just text", "note.txt", "text/plain"))
    await thread.says("files:read")
    world.slack.files_readable = True
    _, content, _ = await opened(world, (await shown_file(live))["url"])
    assert content == b"just text"


async def test_a_restart_between_the_message_and_its_file_loses_nothing(world: World) -> None:
    thread = await world.claimed_thread()
    world.slack.faults.add("download", Fault.http(503), times=None)
    await send(world, thread, picture(world), "The label")
    await world.slack.wait_for(lambda: world.slack.downloads)
    await world.restart()
    world.slack.faults.clear()
    live = await world.stream()
    assert (await opened(world, (await shown_file(live))["url"]))[1] == PNG


async def test_a_deleted_message_takes_its_file_with_it(world: World) -> None:
    thread = await world.claimed_thread()
    live = await world.stream()
    ts = await send(world, thread, picture(world), "Wrong one")
    url = (await shown_file(live))["url"]
    await thread.delete(ts)
    await live.until(lambda: [one for one in live.entries if one["kind"] == "deleted"])

    async def gone() -> bool:
        return (await opened(world, url))[0] == 404

    await until(gone)


async def test_a_colleagues_file_stays_inside_until_it_is_sent(world: World) -> None:
    thread = await world.claimed_thread()
    live = await world.stream()
    await send(world, thread, picture(world), user=world.bob)
    offer = await thread.offer("send_as_me")
    assert not world.slack.downloads
    await thread.press(world.dana, "send_as_me", offer.ts)
    assert (await shown_file(live))["name"] == "label.png"


# --- from the shopper -----------------------------------------------------------------------------------------


@pytest.mark.one_way("files that we send, by calls that we make")
async def test_a_shoppers_picture_appears_in_the_thread_behind_its_text(world: World) -> None:
    thread = await world.claimed_thread()
    status, answer = await attach(world, PNG)
    assert (status, answer["name"], answer["mime"]) == (201, "broken.jpg.png", "image/png")
    body = {"id": "w-1", "text": "It came like this", "attachments": [{"file_id": answer["file_id"]}]}
    assert (await world.as_shopper("messages", body))[0] == 200
    await thread.says("It came like this")
    await world.slack.wait_for(lambda: files_of(thread))
    (post,) = files_of(thread)
    assert [world.slack.files[one["id"]].content for one in post.files] == [PNG]
    assert "broken.jpg.png" in thread.ours


@pytest.mark.one_way("files that we send, by calls that we make")
async def test_a_shopper_gets_their_own_picture_back_in_every_window(world: World) -> None:
    await world.claimed_thread()
    _, answer = await attach(world, PNG)
    body = {"id": "w-1", "text": "", "attachments": [{"file_id": answer["file_id"]}]}
    await world.as_shopper("messages", body)
    tap = await world.stream()
    assert (await opened(world, (await shown_file(tap))["url"]))[1] == PNG


@pytest.mark.parametrize(
    "fault", [Fault.drop(commit=True), Fault.drop(), Fault.error("internal_error", commit=True)]
)
async def test_a_share_whose_answer_is_lost_is_shown_exactly_once(world: World, fault: Fault) -> None:
    thread = await world.claimed_thread()
    _, answer = await attach(world, PNG)
    world.slack.faults.add("files.completeUploadExternal", fault)
    body = {"id": "w-1", "text": "Look", "attachments": [{"file_id": answer["file_id"]}]}
    await world.as_shopper("messages", body)
    await world.shopper_writes("And this comes after it")
    await thread.says("And this comes after it")
    assert len(files_of(thread)) == 1


@pytest.mark.parametrize("method", ["files.getUploadURLExternal", "files.completeUploadExternal"])
@pytest.mark.one_way("files that we send, by calls that we make")
async def test_where_slack_takes_no_file_the_thread_gets_a_signed_link(world: World, method: str) -> None:
    thread = await world.claimed_thread()
    world.slack.faults.add(method, Fault.error("missing_scope"), times=None)
    _, answer = await attach(world, PNG)
    body = {"id": "w-1", "text": "Look", "attachments": [{"file_id": answer["file_id"]}]}
    await world.as_shopper("messages", body)
    await world.slack.wait_for(lambda: f"/files/{answer['file_id']}?" in thread.ours)
    link = thread.ours.partition(f"/files/{answer['file_id']}?")[2].partition("|")[0].replace("&amp;", "&")
    assert (await opened(world, f"files/{answer['file_id']}?{link}"))[1] == PNG


async def test_a_message_deleted_by_the_store_takes_its_file_out_of_the_thread(world: World) -> None:
    thread = await world.claimed_thread()
    _, answer = await attach(world, PNG)
    body = {"id": "w-1", "text": "My card", "attachments": [{"file_id": answer["file_id"]}]}
    await world.as_shopper("messages", body)
    await world.slack.wait_for(lambda: files_of(thread))
    await world.shop.call("DELETE", f"/v1/conversations/{CONVERSATION}/messages/w-1")
    await world.slack.wait_for(lambda: not files_of(thread))


@pytest.mark.one_way("files that we send, by calls that we make")
async def test_a_stores_file_comes_with_the_transcript_and_back_by_webhook(world: World) -> None:
    headers = {"Authorization": f"Bearer {API_KEY}", "Content-Type": "application/pdf"}
    async with world.shop.http.post(
        f"{world.url}/v1/files?name=bill.pdf", data=PDF, headers=headers
    ) as response:
        file_id = (await response.json())["file_id"]
    turn = {"id": "m1", "author": "shopper", "text": "", "attachments": [{"file_id": file_id}]}
    thread = await world.open_thread(transcript=[turn])
    await world.slack.wait_for(lambda: files_of(thread))
    entries = (await world.shop.conversation(CONVERSATION))["entries"]
    (shown,) = [one["files"][0] for one in entries if one.get("files")]
    assert (await opened(world, shown["url"]))[1] == PDF
    await world.shop.heard("bill.pdf")
