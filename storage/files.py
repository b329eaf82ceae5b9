"""Which files were taken, and whose they are. Their bytes lie elsewhere."""

from collections.abc import Sequence

from sqlalchemy import Connection, or_

from bot.files import File
from storage.rows import Rows
from storage.tables import FileRow, table

_T = table(FileRow)


class FileRows:
    """See `bot.ports.FileRows`."""

    def __init__(self, connection: Connection):
        self.rows: Rows[File] = Rows(connection, _T, File, ("id",))

    def get(self, file_id: str) -> File | None:
        return self.rows.get(file_id)

    def add(self, file: File) -> None:
        if self.rows.get(file.id) is None:
            self.rows.add(file)

    def unused(self, before: float, limit: int) -> Sequence[File]:
        unused = or_(_T.c.conversation.is_(None), _T.c.conversation < 0)
        return self.rows.where(unused, _T.c.created_at < before, order_by=(_T.c.created_at,), limit=limit)

    def remove(self, file: File) -> None:
        self.rows.remove(file)
