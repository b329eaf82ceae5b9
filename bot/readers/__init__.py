"""The readers of a log that are owed calls: what each must be told next, decided inside the writer's transaction.

A reader plans deliveries and is told when one was sent; it never calls anybody. The courier makes the calls.
"""

from bot.entries import Reader
from bot.readers.base import LaneReader
from bot.readers.card import CardReader
from bot.readers.files import FilesReader
from bot.readers.receipts import ReceiptsReader
from bot.readers.thread import ThreadReader
from bot.readers.webhook import WebhookReader

READERS: dict[Reader, LaneReader] = {
    Reader.THREAD: ThreadReader(),
    Reader.CARD: CardReader(),
    Reader.RECEIPTS: ReceiptsReader(),
    Reader.WEBHOOK: WebhookReader(),
    Reader.FILES: FilesReader(),
}
