"""What prices hold: tariffs by the slot they are true from and the instant they became known (bitemporal).

`timeline` is everything known now; a slot's price is the newest knowledge about the latest start not after it.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from headend.billing.compile import Roles, Split, compile_tariff, roles_of_line
from headend.billing.printed import parse
from headend.storage.remembered import Topic
from headend.storage.writer import Tx
from protocol.rules.calendar import UTC, Offsets
from protocol.rules.rating import Line
from protocol.rules.tariff import Tariff

# A pack's own version and start do not change what a litre costs.
_ANY_VERSION = 1


@dataclass(frozen=True, slots=True)
class Rates:
    """A tariff as the kernel takes it, and how each of its prices divides over roles."""

    tariff: Tariff
    split: Split

    def roles_of(self, line: Line) -> Roles:
        return roles_of_line(self.split, line)


class Known(NamedTuple):
    """A published tariff: true from a slot on, until one with a later start, or newer knowledge of the same start."""

    tariff_id: int
    valid_from_slot: int
    late: str
    printed: str
    known_from_us: int
    notice_days: int
    prorated: int


# The terms of a tariff that was published without any.
NOTICE_DAYS = 7


@lru_cache(4096)
def rates_of(printed: str, households: int) -> Rates:
    """The prices of a printed tariff for one tap; the same text always gives the same prices."""
    compiled = compile_tariff(parse(printed, households), _ANY_VERSION, 0)
    return Rates(compiled.tariff, compiled.split)


def timeline(tx: Tx, code: str, known_us: int | None = None) -> tuple[Known, ...]:
    """What is known of a tariff code by now, or was by an instant, the one to prefer first."""
    return tx.remembered.recall(Topic.TARIFFS, (code, known_us), lambda: _timeline(tx, code, known_us))


def _timeline(tx: Tx, code: str, known_us: int | None) -> tuple[Known, ...]:
    rows = tx.cursor.execute(
        "SELECT t.id, t.valid_from_slot, t.late, t.printed, t.known_from_us, coalesce(m.notice_days, ?), "
        "coalesce(m.prorated, 0) FROM tariff t LEFT JOIN tariff_terms m ON m.tariff_id = t.id "
        "WHERE t.code = ? AND (?3 IS NULL OR t.known_from_us <= ?3) "
        "ORDER BY t.valid_from_slot DESC, t.known_from_us DESC, t.id DESC",
        (NOTICE_DAYS, code, known_us),
    )
    return tuple(Known(*row) for row in rows.fetchall())


def known_at(known: tuple[Known, ...], slot: int) -> Known | None:
    """The tariff of a slot, or None before the first start."""
    return next((tariff for tariff in known if tariff.valid_from_slot <= slot), None)


def pack_rates(tx: Tx, meter_id: bytes, version: int) -> Rates | None:
    """The prices of a tariff pack of a meter, or None if the meter was never given that version."""
    return tx.remembered.recall(Topic.RATES, (meter_id, version), lambda: _pack_rates(tx, meter_id, version))


def _pack_rates(tx: Tx, meter_id: bytes, version: int) -> Rates | None:
    row = tx.cursor.execute(
        "SELECT t.printed, p.from_slot FROM pack p JOIN tariff t ON t.id = p.tariff_id "
        "WHERE p.meter_id = ? AND p.kind = 3 AND p.version = ?",
        (meter_id, version),
    ).fetchone()
    if row is None:
        return None
    households = tx.cursor.execute(
        "SELECT c.households FROM served v JOIN contract c ON c.id = v.contract_id WHERE v.meter_id IN "
        "(?1, (SELECT replaces FROM meter WHERE meter_id = ?1 AND state = 'spare')) "
        "ORDER BY v.start_slot <= ?2 DESC, v.start_slot DESC LIMIT 1",
        (meter_id, row[1]),
    ).fetchone()[0]
    return rates_of(row[0], households)


def utility_offsets(tx: Tx) -> Offsets:
    """The offsets of the tariff published last; every meter of a utility keeps the same local time. UTC without any."""
    row = tx.cursor.execute("SELECT printed FROM tariff ORDER BY id DESC LIMIT 1").fetchone()
    return UTC if row is None else rates_of(row[0], 1).tariff.offsets
