"""One read tells all streams what another replica appended: what must not be shown on that way."""

import pytest

from .stub import EventReader, StubChanges


async def test_what_another_replica_appended_for_the_next_shopper_is_not_shown_to_the_first(shop):
    number = shop.core.begin()
    async with shop.open_stream() as response:
        reader = EventReader(response)
        await reader.next("state")
        shop.core.shoppers[number].external_id = "s-2"
        shop.core.say(number, "not for you", tell=False)
        shop.core.tell(StubChanges(touched={number}))
        with pytest.raises(EOFError):
            await reader.next("entry")


async def test_a_text_that_is_taken_back_while_the_news_are_read_is_not_sent(shop):
    number = shop.core.begin()
    async with shop.open_stream() as response:
        reader = EventReader(response)
        await reader.next("state")
        shop.core.before_read_answers = lambda: shop.core.take_back(number, 1)
        shop.core.say(number, "my card is 4111", remote=True)
        first, second = await reader.entries(2)
        assert (first["text"], second["kind"]) == ("", "deleted")


async def test_what_is_appended_while_the_news_are_read_comes_once(shop):
    number = shop.core.begin()
    async with shop.open_stream() as response:
        reader = EventReader(response)
        await reader.next("state")
        shop.core.before_read_answers = lambda: shop.core.say(number, "two")
        shop.core.say(number, "one", remote=True)
        shop.core.say(number, "three", remote=True, tell=False)
        shop.core.tell(StubChanges(touched={number}))
        assert [one["text"] for one in await reader.entries(3)] == ["one", "three", "two"]
        shop.core.say(number, "four")
        assert (await reader.entries(1))[0]["seq"] == 4
