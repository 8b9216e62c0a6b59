"""Cases: findings to be worked by a person. The same finding, named by its key, opens one case."""

import json
from enum import StrEnum
from typing import Any

from headend.storage.writer import Tx


class CaseKind(StrEnum):
    """What was found; texts for people belong to the pages."""

    DIVERGENT = "divergent"  # the meter's S is not what its pack makes of its litres: never corrected automatically
    SLOT_CONFLICT = "slot-conflict"  # the same slot came with another value; the first one stays
    VOLUME_MISMATCH = "volume-mismatch"  # the register and the sum of slots disagree
    SLOTS_LOST = "slots-lost"  # half-hours whose detail the meter lost: posted from its counters (SEMANTICS C4)
    WENT_BACK = "went-back"  # S or R fell in one generation: quarantined (SEMANTICS A4)
    CLONED = "cloned"  # one meter with two pasts: its flash was copied, or an old copy put back; quarantined (A4)
    COUNTER_AHEAD = "counter-ahead"  # the meter knows more credit than the books granted
    DEBT_BOUNDS = "debt-bounds"  # R passed the plan's ceiling or is not what the instalments make
    UNEXPLAINED = "unexplained"  # the daily check is broken (SEMANTICS B8)
    UNREADABLE = "unreadable"  # authentic bytes that are no message
    PACK_UNKNOWN = "pack-unknown"  # a log under a pack that was never published to the meter
    PAYMENT_CONFLICT = "payment-conflict"  # a provider's transaction number came again with other money
    PAYMENT_UNBOOKABLE = "payment-unbookable"  # an authentic notification whose money cannot be entered
    FLASH_LOST = "flash-lost"  # the meter cannot read its flash: water flows or not as it did, and is not counted
    VALVE = "valve"  # the meter says that its valve, its pipe or its battery needs a hand: `code` is the event's
    AIR = "air"  # litres that came faster than water can: counted and charged, to be credited by a person or not
    BACKFLOW = "backflow"  # water ran backwards through the meter: a missing check valve, or a meter turned round
    NO_WALLET = "no-wallet"  # a meter that the books know as a spare counts as one that was opened
    FIELD_WORK = "field-work"  # what a technician left out, or could not prove
    OUTSIDE_AREA = "outside-area"  # a meter was commissioned where the utility does not serve (IW-35)
    SEAL = "seal"  # not the seal that was placed there, or one that the office never delivered (IW-83)
    FIRMWARE_REJECTED = "firmware-rejected"  # a meter does not take an update that it is meant to have, or fell back
    RECOVERED = "recovered"  # after a restore: granted before it, and nobody has said yet for what (SEMANTICS A5)
    CLAIM = "claim"  # reversed money whose water is used already


# Work for a fitter: the books agree all the same.
ON_SITE = (
    CaseKind.FLASH_LOST,
    CaseKind.VALVE,
    CaseKind.AIR,
    CaseKind.BACKFLOW,
    CaseKind.FIELD_WORK,
    CaseKind.OUTSIDE_AREA,
    CaseKind.SEAL,
    CaseKind.FIRMWARE_REJECTED,
)

# Over when the meter is taken away; what is about money is not.
OF_THE_METER = (
    CaseKind.FLASH_LOST,
    CaseKind.VALVE,
    CaseKind.BACKFLOW,
    CaseKind.WENT_BACK,
    CaseKind.CLONED,
    CaseKind.NO_WALLET,
    CaseKind.FIRMWARE_REJECTED,
)


def open_case(tx: Tx, kind: CaseKind, key: str, meter_id: bytes | None, **detail: Any) -> bool:
    """Open a case unless its key is known; True if it is new. `detail` is kept as JSON, bytes as hexadecimal."""
    text = json.dumps({name: _plain(value) for name, value in detail.items()}, sort_keys=True)
    cursor = tx.cursor.execute(
        "INSERT INTO case_file (kind, key, meter_id, opened_us, detail) VALUES (?, ?, ?, ?, ?) "
        "ON CONFLICT (key) DO NOTHING",
        (str(kind), f"{kind}:{key}", meter_id, tx.now_us, text),
    )
    return bool(cursor.rowcount == 1)


def _plain(value: Any) -> Any:
    return value.hex() if isinstance(value, bytes) else value
