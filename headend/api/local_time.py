"""Local time of the utility: the offsets of its tariff in force, UTC while there is none."""

from sqlalchemy import Connection

from headend.billing import published
from headend.storage.writer import Tx
from protocol.rules.calendar import EPOCH_UNIX_S, Offsets, local_second

_EPOCH_LOCAL_S = EPOCH_UNIX_S


def utility_offsets(connection: Connection) -> Offsets:
    """The offsets of the tariff published last; every meter of a utility keeps the same local time."""
    return published.utility_offsets(Tx(connection, 0, 0))


def local_unix_s(unix_s: int, offsets: Offsets) -> int:
    """Local wall time as if it were UTC: the hands of the clock on the wall, in seconds since 1970."""
    return _EPOCH_LOCAL_S + local_second(unix_s, offsets)
