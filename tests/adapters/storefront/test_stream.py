"""The stream: each entry once, in order, whatever happens between the log and the browser."""

import asyncio
import random
import socket
from contextlib import AsyncExitStack

import pytest

from bot.conversation import Stage
from bot.entries import Audience, Author, Kind
from bot.people import Operator

from .stub import Event, EventReader, StubChanges


def seqs(entries):
    return [entry["seq"] for entry in entries]


async def eventually(claim, timeout=20.0):
    async with asyncio.timeout(timeout):
        while not claim():  # noqa: ASYNC110 - what is waited for sets no event
            await asyncio.sleep(0.01)


async def test_a_stream_opens_with_the_state_and_the_log_so_far(shop):
    number = shop.core.begin()
    shop.core.say(number, "hello")
    async with shop.open_stream() as response:
        assert response.status == 200
        assert response.content_type == "text/event-stream"
        assert response.headers["Cache-Control"] == "no-store"
        assert response.headers["X-Accel-Buffering"] == "no"
        assert "Content-Encoding" not in response.headers
        reader = EventReader(response)
        assert (await reader.next()) == Event("state", "", {
            "stage": "open", "answering": {"kind": "assistant", "name": None}, "position": None,
            "estimated_wait_seconds": None,
        })  # fmt: skip
        first = await reader.next()
        assert (first.name, first.id) == ("entry", "1")
        assert (first.data["kind"], first.data["text"], first.data["author"]) == (
            "message",
            "hello",
            "assistant",
        )


async def test_new_entries_are_pushed_without_touching_the_database(shop):
    number = shop.core.begin()
    async with shop.open_stream() as response:
        reader = EventReader(response)
        await reader.next("state")
        shop.core.say(number, "one")
        await reader.entries(1)
        await asyncio.sleep(0.6)  # the state that goes with it
        made = shop.core.reads_made
        shop.core.append(
            number, [{"text": "two"}, {"text": "aside", "audience": Audience.TEAM}, {"text": "four"}]
        )
        assert seqs(await reader.entries(2)) == [2, 4]
        assert shop.core.reads_made <= made + 1  # the state, beside it


async def test_a_stream_resumes_behind_its_last_event_id(shop):
    number = shop.core.begin()
    for _ in range(5):
        shop.core.say(number, "x")
    async with shop.open_stream(after=3) as response:
        assert seqs(await EventReader(response).entries(2)) == [4, 5]


@pytest.mark.parametrize("after", ["", "abc", "-1", "9" * 30])
async def test_a_senseless_last_event_id_is_the_beginning(shop, after):
    shop.core.say(shop.core.begin(), "x")
    async with shop.open_stream(after=after) as response:
        assert seqs(await EventReader(response).entries(1)) == [1]


async def test_an_id_from_before_the_log_was_lost_does_not_hide_new_entries(shop):
    number = shop.core.begin()
    shop.core.say(number, "x")
    async with shop.open_stream(after=57) as response:
        reader = EventReader(response)
        await reader.next("state")
        shop.core.say(number, "y")
        assert seqs(await reader.entries(1)) == [2]


async def test_a_long_log_comes_in_pages_and_whole(shop):
    number = shop.core.begin()
    shop.core.append(number, [{"text": f"{n}"} for n in range(350)])
    async with shop.open_stream() as response:
        assert seqs(await EventReader(response).entries(350)) == list(range(1, 351))


async def test_an_entry_committed_during_the_first_read_is_neither_missed_nor_repeated(shop):
    number = shop.core.begin()
    shop.core.say(number, "before")
    shop.core.before_read_answers = lambda: shop.core.say(number, "meanwhile")
    async with shop.open_stream() as response:
        reader = EventReader(response)
        assert seqs(await reader.entries(2)) == [1, 2]
        shop.core.say(number, "after")
        assert seqs(await reader.entries(1)) == [3]


async def test_entries_committed_while_reading_again_come_once_and_in_order(shop):
    number = shop.core.begin()
    async with shop.open_stream() as response:
        reader = EventReader(response)
        await reader.next("state")
        for burst in range(20):
            shop.core.before_read_answers = lambda: shop.core.say(number, "meanwhile")
            shop.core.say(number, "elsewhere", remote=burst % 2 == 0)
            shop.core.say(number, "here")
            await asyncio.sleep(0.005)
        head = shop.core.all[number].head
        assert seqs(await reader.entries(head)) == list(range(1, head + 1))


async def test_another_process_tells_by_number_only_and_the_log_is_read(shop):
    number = shop.core.begin()
    async with shop.open_stream() as response:
        reader = EventReader(response)
        await reader.next("state")
        shop.core.say(number, "from a replica", remote=True)
        assert (await reader.entries(1))[0]["text"] == "from a replica"


async def test_what_another_process_appended_in_many_conversations_is_read_at_once(shop):
    numbers = [shop.core.begin(f"c-{index}", f"s-{index}") for index in range(10)]
    async with AsyncExitStack() as stack:
        readers = []
        for index in range(10):
            token = shop.token(conversation=f"c-{index}", shopper=f"s-{index}")
            readers.append(EventReader(await stack.enter_async_context(shop.open_stream(token=token))))
            await readers[-1].next("state")
        before = shop.core.reads_made
        made = [
            shop.core.append(number, [{"text": "one"}, {"text": "two"}], tell=False) for number in numbers
        ]
        shop.core.tell(StubChanges({}, set(numbers)))
        for reader in readers:
            assert [one["text"] for one in await reader.entries(2)] == ["one", "two"]
        assert len(made) == 10
        assert shop.core.reads_made - before <= 3  # the news, and the states they change


@pytest.mark.parametrize("seed", range(5))
async def test_whatever_the_order_of_commits_wakeups_and_reconnections_every_entry_comes_once(shop, seed):
    dice = random.Random(seed)
    total, got = 120, []

    async def listen():
        while len(got) < total:
            async with shop.open_stream(after=got[-1] if got else 0) as response:
                reader = EventReader(response)
                for _ in range(dice.randint(1, 40)):
                    got.extend(seqs(await reader.entries(1)))
                    if len(got) >= total:
                        return

    async def talk():
        number = shop.core.begin(tell=dice.random() < 0.5)
        while shop.core.all[number].head < total:
            if dice.random() < 0.3:
                shop.core.before_read_answers = lambda: (
                    shop.core.say(number, "m") if shop.core.all[number].head < total - 1 else None
                )
            shop.core.say(number, "x", tell=dice.random() < 0.8, remote=dice.random() < 0.3)
            if dice.random() < 0.5:
                await asyncio.sleep(dice.random() / 200)
        shop.core.tell(StubChanges(touched={number}))

    listening = asyncio.create_task(listen())
    await talk()
    async with asyncio.timeout(10):
        await listening
    assert got == list(range(1, total + 1))


async def test_a_wakeup_that_was_lost_is_made_up_for_by_the_next(shop):
    number = shop.core.begin()
    async with shop.open_stream() as response:
        reader = EventReader(response)
        await reader.next("state")
        shop.core.say(number, "untold", tell=False)
        shop.core.say(number, "told")
        assert seqs(await reader.entries(2)) == [1, 2]


async def test_a_conversation_that_has_not_begun_is_picked_up_when_it_does(shop):
    async with shop.open_stream() as response:
        reader = EventReader(response)
        assert (await reader.next()).data["stage"] == "open"
        for other in range(3):  # others begin too
            shop.core.begin(f"c-other-{other}", "s-9")
        number = shop.core.begin(tell=False)
        shop.core.say(number, "first words")
        assert (await reader.entries(1))[0]["text"] == "first words"
        shop.core.say(number, "more")
        assert seqs(await reader.entries(1)) == [2]


async def test_a_conversation_that_begins_during_the_first_read_is_not_missed(shop):
    def begin():
        shop.core.say(shop.core.begin(tell=False), "first words")

    shop.core.before_read_answers = begin
    async with shop.open_stream() as response:
        assert seqs(await EventReader(response).entries(1)) == [1]


async def test_every_tab_gets_everything(shop):
    async with shop.open_stream() as one, shop.open_stream() as two:
        readers = [EventReader(one), EventReader(two)]
        for reader in readers:
            await reader.next("state")
        number = shop.core.begin(tell=False)
        shop.core.say(number, "a")
        shop.core.say(number, "b")
        for reader in readers:
            assert seqs(await reader.entries(2)) == [1, 2]


async def test_what_the_team_says_among_itself_never_comes(shop):
    number = shop.core.begin()
    inside = {"text": "he is angry", "kind": Kind.ASIDE, "audience": Audience.TEAM}
    shop.core.append(number, [inside, {"text": "hello"}])
    async with shop.open_stream() as response:
        reader = EventReader(response)
        assert seqs(await reader.entries(1)) == [2]
        shop.core.append(
            number, [inside, {"text": "claimed", "kind": Kind.CLAIMED, "audience": Audience.TEAM}]
        )
        shop.core.say(number, "there")
        assert seqs(await reader.entries(1)) == [5]


async def test_a_deleted_text_is_never_given_again(shop):
    number = shop.core.begin()
    shop.core.say(number, "my card is 4111")
    shop.core.take_back(number, 1)
    async with shop.open_stream() as response:
        first, second = await EventReader(response).entries(2)
        assert (first["text"], first["deleted"]) == ("", True)
        assert (second["kind"], second["target"]) == ("deleted", 1)


async def test_a_text_that_waits_and_is_taken_back_is_not_sent(shop):
    number = shop.core.begin()
    async with shop.open_stream() as response:
        reader = EventReader(response)
        await reader.next("state")
        shop.core.say(number, "my card is 4111")  # both before the stream's task runs
        shop.core.take_back(number, 1)
        first, second = await reader.entries(2)
        assert first["text"] == ""
        assert second["kind"] == "deleted"


async def test_an_edit_shows_the_newest_text(shop):
    number = shop.core.begin()
    shop.core.say(number, "new")
    async with shop.open_stream() as response:
        reader = EventReader(response)
        await reader.entries(1)
        shop.core.say(number, "", kind=Kind.EDITED, target=1)
        (entry,) = await reader.entries(1)
        assert (entry["kind"], entry["target"], entry["text"]) == ("edited", 1, "new")


async def test_awkward_texts_survive(shop):
    number = shop.core.begin()
    text = "a\r\nb\n\nevent: x\n\u2028 😀 \x00 </script>"
    async with shop.open_stream() as response:
        reader = EventReader(response)
        await reader.next("state")
        shop.core.say(number, text)
        assert (await reader.entries(1))[0]["text"] == text
        shop.core.say(number, "\ud800")
        assert (await reader.entries(1))[0]["text"] == "?"


# --- state and typing


async def test_a_change_of_stage_is_told_and_many_at_once_are_told_as_one(shop):
    number = shop.core.begin()
    shop.core.operators[5] = Operator(5, "slack", "U5", "Maya Rao", "Maya")
    async with shop.open_stream() as response:
        reader = EventReader(response)
        await reader.next("state")
        conversation = shop.core.all[number]
        conversation.stage = Stage.WAITING
        shop.core.tell(StubChanges(touched={number}))
        waiting = (await reader.next("state")).data
        assert (waiting["stage"], waiting["position"], waiting["estimated_wait_seconds"]) == (
            "waiting",
            1,
            60,
        )
        for stage, owner in ((Stage.ACTIVE, 5), (Stage.WAITING, None), (Stage.ACTIVE, 5)):
            conversation.stage, conversation.owner_id = stage, owner
            shop.core.tell(StubChanges(touched={number}))
            await asyncio.sleep(0.02)
        active = (await reader.next("state")).data
        assert active["answering"] == {"kind": "operator", "name": "Maya"}
        with pytest.raises(TimeoutError):
            await reader.next("state", timeout=0.7)


async def test_those_who_wait_learn_that_the_queue_moved(shop):
    ahead, number = shop.core.begin("c-0", "s-0"), shop.core.begin()
    for one in (ahead, number):
        shop.core.all[one].stage = Stage.WAITING
    async with shop.open_stream() as response:
        reader = EventReader(response)
        assert (await reader.next("state")).data["position"] == 2
        shop.core.all[ahead].stage = Stage.ACTIVE
        shop.core.tell(StubChanges(touched={ahead}))
        assert (await reader.next("state")).data["position"] == 1


async def test_an_operators_typing_is_told_and_the_shoppers_own_is_not(shop):
    number = shop.core.begin()
    async with shop.open_stream() as response:
        reader = EventReader(response)
        await reader.next("state")
        shop.core.tell(
            StubChanges(typing=[(number, Author.SHOPPER, None), (number, Author.OPERATOR, "Maya")])
        )
        assert (await reader.next("typing")).data == {"author": "operator", "name": "Maya"}


# --- who may, and until when


async def test_another_shoppers_conversation_is_403(shop):
    shop.core.begin(shopper="s-2")
    async with shop.open_stream() as response:
        assert response.status == 403
        assert (await response.json())["error"]["code"] == "other_shopper"
    assert shop.adapter.hub.open_streams == 0


async def test_a_conversation_that_begins_as_another_shoppers_is_never_shown(shop):
    async with shop.open_stream() as response:
        reader = EventReader(response)
        await reader.next("state")
        shop.core.say(shop.core.begin(shopper="s-2", tell=False), "not for you")
        with pytest.raises(EOFError):
            await reader.next("entry")


async def test_a_conversation_that_becomes_another_shoppers_is_closed_to_the_first(shop):
    number = shop.core.begin()
    async with shop.open_stream() as response:
        reader = EventReader(response)
        await reader.next("state")
        shop.core.shoppers[number].external_id = "s-2"
        shop.core.tell(StubChanges(touched={number}))
        with pytest.raises(EOFError):
            await reader.next("entry")


async def test_a_change_that_appended_nothing_does_not_make_the_log_be_read(shop, monkeypatch):
    number = shop.core.begin()
    async with shop.open_stream() as response:
        reader = EventReader(response)
        await reader.next("state")
        monkeypatch.setattr(shop.core, "after", None)
        for _ in range(5):
            shop.core.tell(StubChanges(touched={number}))
            await asyncio.sleep(0.02)
        shop.core.say(number, "x")
        assert seqs(await reader.entries(1)) == [1]


async def test_the_same_id_at_another_store_is_another_conversation(shop):
    shop.core.say(shop.core.begin(store="other"), "not for you")
    async with shop.open_stream() as response:
        with pytest.raises(TimeoutError):
            await EventReader(response).next("entry", timeout=0.3)


async def test_a_stream_ends_when_its_token_does(shop):
    shop.core.begin()
    async with shop.open_stream() as response:
        reader = EventReader(response)
        await reader.next("state")
        shop.core.now += 3601
        with pytest.raises(EOFError):
            await reader.next()
    async with shop.open_stream(token=shop.token()) as response:
        assert response.status == 200


async def test_pings_come_while_nothing_happens(shop):
    async with shop.open_stream() as response:
        reader = EventReader(response)
        with pytest.raises(TimeoutError):
            await reader.next("entry", timeout=2.6)
        assert reader.pings == 2


async def test_a_page_that_went_away_is_noticed_without_a_write(shop):
    async with shop.open_stream() as response:
        await EventReader(response).next("state")
        assert shop.adapter.hub.open_streams == 1
        response.close()
        await eventually(lambda: shop.adapter.hub.open_streams == 0, timeout=0.8)
    assert shop.adapter.hub._rooms == {}
    assert shop.adapter.hub._nameless == 0


async def test_a_client_that_takes_nothing_is_dropped_and_misses_nothing_when_it_comes_back(shop):
    number = shop.core.begin()
    raw = socket.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    raw.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(raw, ("127.0.0.1", shop.server.port))
    request = f"GET /widget/v1/stream HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {shop.token()}\r\n\r\n"
    await loop.sock_sendall(raw, request.encode())
    await eventually(lambda: shop.adapter.hub.open_streams == 1)
    async with shop.open_stream() as healthy:
        reader = EventReader(healthy)
        total = 600
        for _ in range(total):
            shop.core.say(number, "x" * 20_000)
            await asyncio.sleep(0)
        (stream,) = [
            one for one in shop.adapter.hub._streams() if one.stuck_since or one.pending or one.is_behind
        ][:1]
        assert stream.size <= 64 * 1024 + 21_000
        assert len(await reader.entries(total)) == total
        await eventually(lambda: shop.adapter.hub.open_streams == 1, timeout=8)
    raw.close()
    async with shop.open_stream(after=590) as again:
        assert seqs(await EventReader(again).entries(10)) == list(range(591, 601))


async def test_a_stream_whose_log_cannot_be_read_ends_and_the_browser_comes_back(shop, caplog):
    number = shop.core.begin()
    async with shop.open_stream() as response:
        reader = EventReader(response)
        await reader.next("state")
        whole, shop.core.logs = shop.core.logs, {}
        shop.core.all[number].head += 1
        shop.core.tell(StubChanges(touched={number}))
        with pytest.raises(EOFError):
            await reader.next("entry")
        shop.core.logs = whole
    assert "KeyError" in caplog.text


async def test_too_many_windows_of_one_conversation_are_429(shop):
    opened = [await shop.open_stream() for _ in range(30)]
    await eventually(lambda: shop.adapter.hub.open_streams == 30)
    async with shop.open_stream() as response:
        assert response.status == 429
        assert "Retry-After" in response.headers
    for response in opened:
        response.close()


async def test_stopping_the_server_ends_the_streams_at_once(shop):
    async with shop.open_stream() as response:
        reader = EventReader(response)
        await reader.next("state")
        async with asyncio.timeout(3):
            await shop.server.stop()
        with pytest.raises(EOFError):
            await reader.next()
    assert shop.core.subscribers == []
