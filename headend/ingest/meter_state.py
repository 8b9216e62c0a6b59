"""Where the posting of a meter's log stands: one small row, written in the commit of the uplink that moves it.

It is a shadow: `guelta ledger rebuild` computes it again from the uplinks and compares.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from headend.ledger.chart import CHARGE_ROLES
from headend.meters.openings import WalletOpening
from headend.storage.tables import meter_state
from headend.storage.writer import Tx
from protocol.rules.rating import RatingState


@dataclass(frozen=True, slots=True)
class MeterState:
    """The posting frontier and the counters there.

    spent_mills (S) and collected_mills (R) are as the meter reported them; `metered` is what its own packs make of its
    slots (M), `today` what the headend knows by now makes of them (T); corrected_mills is A. `anchor_slot` and R there
    are those of the newest ANCHOR that is still ahead of the frontier, 0 for none.
    """

    meter_id: bytes
    generation: int
    log_generation: int
    started: int
    frontier_slot: int
    waiting: int
    unsure: int
    volume_l: int
    spent_mills: int
    collected_mills: int
    instalments: int
    pack_version: int
    metered: RatingState
    today: RatingState
    carries: tuple[int, ...]
    corrected_mills: int
    anchor_slot: int = 0
    anchor_collected_mills: int = 0


def opened(begins: WalletOpening) -> MeterState:
    """The state of a meter that starts a wallet generation with nothing logged, spent or collected."""
    return MeterState(
        meter_id=begins.meter_id,
        generation=begins.generation,
        log_generation=0,
        started=0,
        frontier_slot=begins.first_slot,
        waiting=0,
        unsure=0,
        volume_l=begins.first_index_l,
        spent_mills=0,
        collected_mills=0,
        instalments=0,
        pack_version=0,
        metered=begins.rating,
        today=begins.rating,
        carries=(0,) * len(CHARGE_ROLES),
        corrected_mills=0,
    )


_COLUMNS = tuple(column.name for column in meter_state.columns)
_PLAIN = 12
_ANCHOR = 2
_SELECT = f"SELECT {', '.join(_COLUMNS)} FROM meter_state WHERE meter_id = ?"
_SAVE = f"INSERT OR REPLACE INTO meter_state ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))})"


def load(tx: Tx, meter_id: bytes) -> MeterState:
    """The state of a meter. Raises LookupError for an unknown one."""
    row = tx.cursor.execute(_SELECT, (meter_id,)).fetchone()
    if row is None:
        raise LookupError(f"no state of meter {meter_id.hex()}")
    return from_row(row)


def from_row(row: Sequence[Any]) -> MeterState:
    """The inverse of `to_row`."""
    plain: dict[str, Any] = dict(zip(_COLUMNS, row[:_PLAIN], strict=False))
    rest = row[_PLAIN:]
    metered, today = RatingState(*rest[:5]), RatingState(*rest[5:10])
    carries, (corrected_mills, *anchor) = rest[10 : -1 - _ANCHOR], rest[-1 - _ANCHOR :]
    return MeterState(
        **plain,
        metered=metered,
        today=today,
        carries=tuple(carries),
        corrected_mills=corrected_mills,
        anchor_slot=anchor[0],
        anchor_collected_mills=anchor[1],
    )


def to_row(state: MeterState) -> tuple[object, ...]:
    """The columns of meter_state, in the table's order."""
    plain = tuple(getattr(state, name) for name in _COLUMNS[:_PLAIN])
    anchor = (state.anchor_slot, state.anchor_collected_mills)
    return (*plain, *state.metered, *state.today, *state.carries, state.corrected_mills, *anchor)


def save(tx: Tx, state: MeterState) -> None:
    tx.cursor.execute(_SAVE, to_row(state))
