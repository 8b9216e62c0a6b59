"""What a meter may hold that the books forgot in a restore: how much of C and D is to be explained yet (SEMANTICS A5).

A restore raises C and D to what was granted before; that much is *recovered*. When the event that granted it comes
again (a provider repeats its statement, a slot is rated again), it explains its part of it and C does not rise twice.
"""

import json
from dataclasses import dataclass, replace

from headend.ledger.cases import CaseKind, open_case
from headend.storage.recovery_tables import CREDIT_SHARES, DEBIT_SHARES, recovery
from headend.storage.recovery_tables import SHARES as SHARES
from headend.storage.writer import Tx

_COLUMNS = tuple(column.name for column in recovery.columns)
_SELECT = f"SELECT {', '.join(_COLUMNS)} FROM recovery WHERE meter_id = ?"
_SAVE = f"INSERT OR REPLACE INTO recovery ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))})"
# A provider's clock, and ours, against each other.
CLOCKS_APART_US = 900_000_000


@dataclass(frozen=True, slots=True)
class Recovery:
    """A meter since the last restore; the columns are explained in headend/storage/recovery_tables.py."""

    meter_id: bytes
    generation: int
    restored_us: int
    until_us: int
    backup_number: int
    number: int
    paid_mills: int = 0
    moved_in_mills: int = 0
    rating_credit_mills: int = 0
    credit_mills: int = 0
    reversed_mills: int = 0
    rating_debit_mills: int = 0
    debit_mills: int = 0
    backup_command: int = 0
    command_floor: int = 0
    policy_floor: int = 0
    plan_floor: int = 0
    tariff_floor: int = 0
    heard_us: int | None = None
    device_counter: int | None = None
    anchor_counter: int | None = None
    told_us: int | None = None
    found: str = "{}"

    @property
    def to_explain_mills(self) -> tuple[int, int]:
        """(of C, of D) what nobody has explained yet."""
        credit, debit = (sum(getattr(self, name) for name in names) for names in (CREDIT_SHARES, DEBIT_SHARES))
        return credit, debit

    def with_found(self, **differences: int | str) -> "Recovery":
        """With more that differs; what was found first stays, where both say how much."""
        return replace(self, found=json.dumps({**differences, **json.loads(self.found)}, sort_keys=True))


def load(tx: Tx, meter_id: bytes) -> Recovery | None:
    """What is known since the last restore; None where there was none since the meter came."""
    row = tx.cursor.execute(_SELECT, (meter_id,)).fetchone()
    return None if row is None else Recovery(*row)


def save(tx: Tx, found: Recovery) -> None:
    """Keep it; a case says how much is to be explained, until nothing is."""
    tx.cursor.execute(_SAVE, tuple(getattr(found, name) for name in _COLUMNS))
    credit_mills, debit_mills = found.to_explain_mills
    if credit_mills or debit_mills:
        key = f"{found.meter_id.hex()}:{found.restored_us}"
        open_case(tx, CaseKind.RECOVERED, key, found.meter_id, credited_mills=credit_mills, debited_mills=debit_mills)
    else:
        tx.cursor.execute(
            "UPDATE case_file SET closed_us = ?, outcome = 'explained' WHERE meter_id = ? AND kind = ? "
            "AND closed_us IS NULL",
            (tx.now_us, found.meter_id, str(CaseKind.RECOVERED)),
        )


def explain(tx: Tx, meter_id: bytes, generation: int, part: str, amount_mills: int, made_us: int) -> int:
    """How much of a grant the meter was given before the restore; so much less is to be explained then.

    `made_us`: when the money moved outside (a provider's time), 0 for what has no time of its own. What was made after
    the last grant that was lost is new.
    """
    found = load(tx, meter_id)
    if found is None or found.generation != generation or made_us > found.until_us + CLOCKS_APART_US:
        return 0
    known_mills = min(amount_mills, _known_mills(found, part))
    unknown = "credit_mills" if part in CREDIT_SHARES else "debit_mills"
    unknown_mills: int = min(amount_mills - known_mills, getattr(found, unknown))
    if not known_mills and not unknown_mills:
        return 0
    left = {part: getattr(found, part) - known_mills, unknown: getattr(found, unknown) - unknown_mills}
    save(tx, replace(found, **left))
    return known_mills + unknown_mills


def explainable_mills(tx: Tx, meter_id: bytes, generation: int, part: str, made_us: int) -> int:
    """How much of a part could be explained now."""
    found = load(tx, meter_id)
    if found is None or found.generation != generation or made_us > found.until_us + CLOCKS_APART_US:
        return 0
    unknown_mills = found.credit_mills if part in CREDIT_SHARES else found.debit_mills
    return _known_mills(found, part) + unknown_mills


def _known_mills(found: Recovery, part: str) -> int:
    """What of a part was lost. A fall and a rise of prices that were lost both come back as their difference."""
    if part == "rating_credit_mills":
        return max(0, found.rating_credit_mills - found.rating_debit_mills)
    if part == "rating_debit_mills":
        return max(0, found.rating_debit_mills - found.rating_credit_mills)
    return int(getattr(found, part))
