"""The conversation with a meter: replay window, downlink counter, last address, what the meter echoed."""

from dataclasses import dataclass

from headend.storage.high_water import COUNTER_STEP, counter_line
from headend.storage.tables import meter_link
from headend.storage.writer import Tx
from protocol.wire.window import Window

# More than one save ever reserves: none of them steps over a multiple unnoticed.
RESERVED_AT_ONCE_MAX = 8

_COLUMNS = tuple(column.name for column in meter_link.columns)
_SELECT = f"SELECT {', '.join(_COLUMNS)} FROM meter_link WHERE meter_id = ?"
_SAVE = f"INSERT OR REPLACE INTO meter_link ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))})"


@dataclass(frozen=True, slots=True)
class MeterLink:
    """One row of meter_link. `status` is the last status byte; echoes are what the meter is known to hold.

    `next_epoch` is the key epoch a REKEY asks for; `acked_told` the acked slot in the last STATEMENT; `pack_turn` the
    number of pack parts sent, so that all parts have their turn.
    """

    meter_id: bytes
    generation: int
    epoch: int
    up_highest: int
    up_bitmap: bytes
    down_next: int
    bearer: int | None = None
    address: str | None = None
    heard_us: int | None = None
    heard_counter: int | None = None
    status: int = 0
    statement_echo: int = 0
    tariff_echo: int = 0
    policy_echo: int = 0
    plan_echo: int = 0
    anchor_slot: int = 0
    unopened: int = 0
    battery_mv: int | None = None
    firmware_version: int | None = None
    boot_count: int | None = None
    balance_mills: int | None = None
    balance_slot: int | None = None
    next_epoch: int | None = None
    command_echo: int = 0
    report_slots: int | None = None
    acked_echo: int = 0
    acked_told: int = 0
    time_told_us: int | None = None
    pack_turn: int = 0

    @property
    def window(self) -> Window:
        return Window(self.up_highest, int.from_bytes(self.up_bitmap, "big"))


def new_link(meter_id: bytes, generation: int, epoch: int, anchor_slot: int) -> MeterLink:
    """A conversation that has not begun."""
    return MeterLink(meter_id, generation, epoch, -1, bytes(8), 0, anchor_slot=anchor_slot)


def load(tx: Tx, meter_id: bytes) -> MeterLink:
    """The link of a meter. Raises LookupError for an unknown one."""
    row = tx.cursor.execute(_SELECT, (meter_id,)).fetchone()
    if row is None:
        raise LookupError(f"no link to meter {meter_id.hex()}")
    return MeterLink(*row)


def save(tx: Tx, link: MeterLink) -> None:
    """Keep it. The high-water file is told of every few thousand downlink counters, for a restore (SEMANTICS D3)."""
    if link.down_next >= COUNTER_STEP and link.down_next % COUNTER_STEP < RESERVED_AT_ONCE_MAX:
        tx.told.append(counter_line(link.meter_id, link.generation, link.down_next))
    tx.cursor.execute(_SAVE, tuple(getattr(link, name) for name in _COLUMNS))
