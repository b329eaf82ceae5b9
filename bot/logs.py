"""Structured logs: one line an event, with the case number, never with a token or a customer's text.

Messages are constant; what varies goes into `extra`. Only the fields named here are written, so that an object
that happens to carry a text cannot leak by being logged.
"""

import json
import logging
import sys
import traceback
from datetime import UTC, datetime

FIELDS = (
    "case", "reader", "op", "fault", "reason", "team", "store", "platform", "job", "command", "route", "status",
    "error_id", "url", "count", "seconds", "channel", "event", "method", "name_",
)  # fmt: skip
LOUD = ("slack_bolt", "slack_sdk", "aiohttp.access", "apscheduler", "alembic", "sqlalchemy")


class _Formatter(logging.Formatter):
    def __init__(self, as_json: bool):
        super().__init__()
        self._as_json = as_json

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        fields = {name: getattr(record, name) for name in FIELDS if hasattr(record, name)}
        trace = _where(record.exc_info[1]) if record.exc_info and record.exc_info[1] else None
        if self._as_json:
            line = {
                "at": at,
                "level": record.levelname.lower(),
                "logger": record.name,
                "message": record.getMessage(),
            }
            return json.dumps(line | fields | ({"trace": trace} if trace else {}), default=str)
        shown = " ".join(f"{name}={value}" for name, value in fields.items())
        text = f"{at} {record.levelname.lower():<7} {record.getMessage()}" + (f"  {shown}" if shown else "")
        return f"{text}\n{trace}" if trace else text


def _where(error: BaseException) -> str:
    """Where it was raised and what kind it is. Its message is left out: it may quote a customer."""
    frames = "".join(traceback.format_tb(error.__traceback__))
    return f"{frames}{type(error).__module__}.{type(error).__name__}"


def configure(log_format: str) -> None:
    """`log_format` is text or json. Libraries that log what they send are kept to warnings."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Formatter(log_format == "json"))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    for name in LOUD:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("apscheduler").setLevel(
        logging.ERROR
    )  # a tick that is late is made up for, and no news
