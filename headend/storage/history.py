"""How a row of the registry stood at an instant, from the audit and from what stands there now (IW-15)."""

import json

from sqlalchemy import Connection, LargeBinary, select

from headend.storage import tables
from headend.storage.audit import Image
from headend.storage.audit_tables import audit


def row_as_of(connection: Connection, table: str, row_key: str, at_us: int) -> Image | None:
    """The row as the last change up to `at_us` left it; None if it was not there. Bytes are hexadecimal digits.

    A row from before the audit began stood as its first change found it, or stands so still.
    """
    this_row = (audit.c.what == table) & (audit.c.row_key == row_key)
    newest_first = select(audit.c.after).where(this_row & (audit.c.at_us <= at_us)).order_by(audit.c.id.desc())
    left = connection.execute(newest_first.limit(1)).one_or_none()
    if left is not None:
        return None if left.after is None else _image(left.after)
    oldest_first = select(audit.c.before).where(this_row & (audit.c.at_us > at_us)).order_by(audit.c.id)
    found = connection.execute(oldest_first.limit(1)).one_or_none()
    if found is not None:
        return None if found.before is None else _image(found.before)
    return _row_now(connection, table, row_key)


def _row_now(connection: Connection, table: str, row_key: str) -> Image | None:
    """A row that no audit row speaks of, by its one-column key."""
    source = tables.metadata.tables[table]
    [key] = source.primary_key.columns
    value = bytes.fromhex(row_key) if isinstance(key.type, LargeBinary) else int(row_key)
    row = connection.execute(select(source).where(key == value)).mappings().one_or_none()
    return None if row is None else {name: _plain(value) for name, value in row.items()}


def _plain(value: object) -> str | int | None:
    if isinstance(value, bytes):
        return value.hex()
    assert value is None or isinstance(value, str | int)
    return value


def _image(text: str) -> Image:
    image: Image = json.loads(text)
    return image
