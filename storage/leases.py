"""Leases: which replica does what only one should do at a time, such as the periodic jobs."""

from sqlalchemy import Connection, delete, insert, select, update

from storage.tables import LeaseRow, table

_T = table(LeaseRow)


class Leases:
    """See `bot.ports.Leases`."""

    def __init__(self, connection: Connection, now: float):
        self._connection = connection
        self._now = now

    def hold(self, name: str, holder: str, seconds: float) -> bool:
        until = self._now + seconds
        free = (_T.c.holder == holder) | (_T.c.until <= self._now)
        renewed = self._connection.execute(
            update(_T).where(_T.c.name == name, free).values(holder=holder, until=until)
        )
        if renewed.rowcount:
            return True
        if self._connection.execute(select(_T.c.holder).where(_T.c.name == name)).first() is not None:
            return False
        self._connection.execute(insert(_T).values(name=name, holder=holder, until=until))
        return True

    def take(self, name: str, holder: str, seconds: float) -> None:
        taken = self._connection.execute(
            update(_T).where(_T.c.name == name).values(holder=holder, until=self._now + seconds)
        )
        if not taken.rowcount:
            self._connection.execute(insert(_T).values(name=name, holder=holder, until=self._now + seconds))

    def release(self, name: str, holder: str) -> None:
        self._connection.execute(delete(_T).where(_T.c.name == name, _T.c.holder == holder))

    def count(self, prefix: str) -> int:
        begin_so = _T.c.name.startswith(prefix, autoescape=True)
        rows = self._connection.execute(select(_T.c.name, _T.c.until).where(begin_so)).all()
        ended = [name for name, until in rows if until <= self._now]
        if ended:  # one at a time: whoever else forgets it, too, waits for one row only
            self._connection.execute(delete(_T).where(_T.c.name == min(ended), _T.c.until <= self._now))
        return len(rows) - len(ended)
