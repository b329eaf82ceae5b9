"""Files at Slack: fetched with the token from Slack only, shown in the thread, looked up by their ids."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from adapters.slack.api import SlackApi
from adapters.slack.files import SlackFiles, kept_of
from bot.errors import EntryFault, PlaceFault, Unsure
from bot.posts import Place
from bot.settings import Slack
from tests.fakes.slack import FakeSlack, Fault

CONTENT = b"%PDF-1.7 " + b"x" * 200_000


class Room:
    """A channel with a thread, and the adapter under test."""

    def __init__(self, slack: FakeSlack):
        self.slack = slack
        settings = Slack(slack.bot_token, slack.app_token, slack.api_url, limits=False)
        self.api = SlackApi(settings, 2.0)
        self.files = SlackFiles(self.api, settings)
        self.ann = slack.add_user("Ann")
        self.channel = slack.add_channel("support", [self.ann])

    async def thread(self) -> Place:
        root = await self.slack.post(self.ann, self.channel, "root")
        return Place("slack", self.channel, root)

    def file(self) -> Any:
        return self.slack.add_file(self.ann, "bill.pdf", CONTENT, "application/pdf")

    def named(self, file: Any, **changes: Any) -> dict[str, Any]:
        """As an event names it."""
        url = f"{self.slack.base_url}files/{file.id}/{file.name}"
        about = {"id": file.id, "name": file.name, "mimetype": file.mimetype, "size": len(file.content)}
        return {**about, "url_private_download": url, "mode": "hosted", "at": self.slack.clock(), **changes}

    async def fetch(self, remote: dict[str, Any]) -> bytes:
        known = await self.files.describe(remote)
        return b"".join([piece async for piece in self.files.fetch(known)])


@pytest.fixture
async def room() -> AsyncIterator[Room]:
    async with FakeSlack() as slack:
        room = Room(slack)
        yield room
        await room.files.close()
        await room.api.close()


async def pieces() -> AsyncIterator[bytes]:
    for start in range(0, len(CONTENT), 50_000):
        yield CONTENT[start : start + 50_000]


async def test_a_file_is_fetched_with_the_bots_token(room: Room) -> None:
    assert await room.fetch(room.named(room.file())) == CONTENT
    assert room.slack.downloads[0]["Authorization"] == f"Bearer {room.slack.bot_token}"


@pytest.mark.parametrize(
    "changes",
    [
        {"url_private_download": "https://evil.example/steal"},
        {"url_private_download": "https://slack.com.evil.example/x"},
        {"url_private_download": "https://evil.example/https://files.slack.com/x"},
        {"url_private_download": "http://files.slack.com/plain"},
        {"url_private_download": "https://files.slack.com@evil.example/x"},
        {"url_private_download": "http://169.254.169.254/latest/meta-data"},
        {"url_private_download": "file:///etc/passwd"},
        {"mode": "external"},
        {"is_external": True},
        {"mode": "tombstone"},
    ],
)
async def test_the_token_is_sent_to_slack_and_nowhere_else(room: Room, changes: dict[str, Any]) -> None:
    with pytest.raises(EntryFault, match="file_elsewhere"):
        await room.files.describe(room.named(room.file(), **changes))
    assert room.slack.downloads == []


@pytest.mark.parametrize("redirects", [False, True])
async def test_a_sign_in_page_is_a_fault_of_the_place(room: Room, redirects: bool) -> None:
    room.slack.files_readable, room.slack.login_redirects = False, redirects
    with pytest.raises(PlaceFault, match="login_page"):
        await room.fetch(room.named(room.file()))


async def test_an_address_that_was_left_out_is_asked_for(room: Room) -> None:
    file = room.file()
    short = {"id": file.id, "file_access": "check_file_info", "at": room.slack.clock()}
    assert await room.fetch(short) == CONTENT
    assert (await room.files.describe(short))["name"] == "bill.pdf"


async def test_a_file_slack_does_not_know_yet_is_asked_for_again_and_an_old_one_is_gone(room: Room) -> None:
    file = room.file()
    file.known_from = room.slack.clock() + 1000
    short = {"id": file.id, "file_access": "check_file_info", "at": room.slack.clock()}
    with pytest.raises(PlaceFault, match="file_not_yet"):
        await room.files.describe(short)
    with pytest.raises(EntryFault, match="file_not_found"):
        await room.files.describe({**short, "at": room.slack.clock() - 3600})


@pytest.mark.parametrize(("status", "fault"), [(503, PlaceFault), (404, EntryFault)])
async def test_what_the_download_answers_says_whether_to_come_back(
    room: Room, status: int, fault: Any
) -> None:
    room.slack.faults.add("download", Fault.http(status))
    with pytest.raises(fault):
        await room.fetch(room.named(room.file()))


async def test_a_file_is_uploaded_unseen_and_then_shown_in_the_thread(room: Room) -> None:
    place = await room.thread()
    remote = await room.files.upload("bill.pdf", len(CONTENT), pieces())
    assert room.slack.files[remote].content == CONTENT
    assert await room.files.find_share(place, remote) is None
    await room.files.share(place, remote, "bill.pdf")
    (post,) = room.slack.thread(place.channel, place.root)[1:]
    assert [one["id"] for one in post.files] == [remote]
    assert (await room.files.find_share(place, remote)) is not None
    assert await room.files.find_share(Place("slack", place.channel, "1.000000"), remote) is None


async def test_a_share_whose_answer_is_lost_is_unsure_and_can_be_looked_up(room: Room) -> None:
    place = await room.thread()
    remote = await room.files.upload("bill.pdf", len(CONTENT), pieces())
    room.slack.faults.add("files.completeUploadExternal", Fault.drop(commit=True))
    with pytest.raises(Unsure):
        await room.files.share(place, remote, "bill.pdf")
    assert await room.files.find_share(place, remote) is not None


@pytest.mark.parametrize("code", ["missing_scope", "file_uploads_disabled", "storage_limit_reached"])
async def test_a_workspace_that_takes_no_files_refuses_the_file_and_not_the_thread(
    room: Room, code: str
) -> None:
    room.slack.faults.add("files.getUploadURLExternal", Fault.error(code))
    with pytest.raises(EntryFault, match=code):
        await room.files.upload("bill.pdf", len(CONTENT), pieces())


async def test_an_upload_that_slack_drops_is_tried_again(room: Room) -> None:
    room.slack.faults.add("upload", Fault.http(500))
    with pytest.raises(PlaceFault):
        await room.files.upload("bill.pdf", len(CONTENT), pieces())


async def test_taking_a_file_back_twice_is_once(room: Room) -> None:
    place = await room.thread()
    remote = await room.files.upload("bill.pdf", len(CONTENT), pieces())
    await room.files.share(place, remote, "bill.pdf")
    await room.files.take_back(remote)
    await room.files.take_back(remote)
    assert room.slack.thread(place.channel, place.root)[1:] == []


def test_of_a_message_only_what_is_needed_later_is_kept() -> None:
    message = {
        "files": [{"id": "F1", "name": "a", "thumb_360": "https://x"}, {"id": "F2", "mode": "tombstone"}]
    }
    assert kept_of(message) == [{"id": "F1", "name": "a"}]
