"""A file removed alone in Slack: by an edit of its message, or by deleting the file."""

from typing import Any

import pytest

from bot.commands import FileDeleted, ThreadEdit
from tests.adapters.slack.desk import Desk
from tests.adapters.slack.test_inbound import changed, read

LABEL, INVOICE = {"id": "F1", "name": "label.png"}, {"id": "F2", "name": "invoice.png"}


def edited(before: list[dict[str, Any]], now: list[dict[str, Any]]) -> Any:
    event = changed("here", "here")
    event["previous_message"]["files"], event["message"]["files"] = before, now
    return read(event)


@pytest.mark.parametrize("now", [[INVOICE], [{"id": "F1", "mode": "tombstone"}, INVOICE], []])
def test_an_edit_that_takes_a_file_away_names_those_that_are_left(now: list[dict[str, Any]]) -> None:
    found = edited([LABEL, INVOICE], now)
    assert isinstance(found.command, ThreadEdit)
    assert found.command.heard.extra.get("files", []) == [one for one in now if one is INVOICE]


def test_what_slack_learns_about_a_file_later_is_no_edit() -> None:
    assert edited([{"id": "F1", "file_access": "check_file_info"}], [{**LABEL, "size": 7}]) is None


async def test_a_deleted_file_reaches_the_bus(desk: Desk) -> None:
    desk.slack.emit_event({"type": "file_deleted", "file_id": "F1"})
    await desk.slack.settled()
    assert FileDeleted("slack", "F1") in desk.bus.submitted
