"""How each wallet generation of a meter begins: what its OPENING says (SEMANTICS A4)."""

from dataclasses import dataclass

from headend.storage.tables import opening
from headend.storage.writer import Tx
from protocol.rules.rating import RatingState

_COLUMNS = tuple(column.name for column in opening.columns)


@dataclass(frozen=True, slots=True)
class WalletOpening:
    """The register's index, the holder's first slot, and where the local month stands: `position_l` litres counted in
    its blocks; `month` and `day` the last ones whose standing charges are paid, 0 for none. `remainder` is what the
    wallets before were not charged below a mill, at scale 4: the meter does not know it. `batch_id` is the commit.
    """

    meter_id: bytes
    generation: int
    batch_id: int
    first_index_l: int
    first_slot: int
    position_l: int = 0
    month: int = 0
    day: int = 0
    remainder: int = 0

    @property
    def rating(self) -> RatingState:
        """The kernel's state at the first slot: nothing spent in this generation yet."""
        return RatingState(0, 0, self.day or -1, self.month or -1, self.position_l)


def open_generation(tx: Tx, begins: WalletOpening) -> None:
    """Keep it; a generation begins once."""
    values = tuple(getattr(begins, name) for name in _COLUMNS)
    tx.cursor.execute(f"INSERT INTO opening ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))})", values)


def opening_of(tx: Tx, meter_id: bytes, generation: int) -> WalletOpening:
    """How a generation begins. Raises LookupError for one that never did."""
    row = tx.cursor.execute(
        f"SELECT {', '.join(_COLUMNS)} FROM opening WHERE meter_id = ? AND generation = ?", (meter_id, generation)
    ).fetchone()
    if row is None:
        raise LookupError(f"meter {meter_id.hex()} has no wallet generation {generation}")
    return WalletOpening(*row)


def generations_of(tx: Tx, meter_id: bytes) -> list[WalletOpening]:
    """All wallet generations of a meter, the first one first."""
    rows = tx.cursor.execute(
        f"SELECT {', '.join(_COLUMNS)} FROM opening WHERE meter_id = ? ORDER BY generation", (meter_id,)
    )
    return [WalletOpening(*row) for row in rows.fetchall()]
