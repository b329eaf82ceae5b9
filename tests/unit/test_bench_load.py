"""The load generator sends what a platform could send."""

import json

from benchmarks.load import Line, Thread
from tests.fakes.slack import FakeSlack

PATTERN = {"event": {"blocks": [{"elements": [{"elements": [{"text": ""}]}]}]}}


async def test_no_two_messages_of_a_channel_bear_one_ts() -> None:
    """They would be one message, and the second one lost."""
    async with FakeSlack() as slack:
        channel, operator = slack.add_channel("support"), slack.add_user("operator")
        root = slack.world.post(channel, operator, "root")
        line = Line(slack, [Thread(channel, root.ts, operator, b"", 1)], 1)
        line._template = json.dumps(PATTERN)
        line.build(10)
        for _ in range(10):
            slack.world.post(channel, operator, "by somebody else", thread_ts=root.ts)
            line.build(100)
        assert len(slack.world.channels[channel].messages) == 1 + 10 + 10 * 101
