"""Where rating again of a meter stands, kept so that only later slots need be read; a shadow, thrown away at any doubt.

It serves as long as nothing new became known about the slots in it, and only slots that will not be spread any more are
in it (SEMANTICS C2). `guelta ledger check` rates from the start and compares.
"""

import json
from typing import Any

from headend.billing.knowledge import Knowledge
from headend.billing.rerate import Finding
from headend.ingest.meter_state import MeterState
from headend.storage.writer import Tx
from protocol.rules.rating import RatingState


def load(tx: Tx, state: MeterState, knowledge: Knowledge) -> Finding | None:
    """What was found before, or None when there is nothing or something newer is known about its slots."""
    row = tx.cursor.execute(
        "SELECT tariff_id, contracts, sums FROM rating_base WHERE meter_id = ? AND generation = ?",
        (state.meter_id, state.generation),
    ).fetchone()
    if row is None or row[1] != _contracts(knowledge):
        return None
    finding = _finding(json.loads(row[2]))
    return None if knowledge.says_new(row[0], finding.highest_slot) else finding


def save(tx: Tx, state: MeterState, knowledge: Knowledge, finding: Finding) -> None:
    """Keep a settled finding; another is not kept, and what was kept before it still serves."""
    if not finding.settled:
        return
    values = (state.meter_id, state.generation, knowledge.newest_tariff_id, _contracts(knowledge), _sums(finding))
    tx.cursor.execute(
        "INSERT OR REPLACE INTO rating_base (meter_id, generation, tariff_id, contracts, sums) VALUES (?, ?, ?, ?, ?)",
        values,
    )


def forget(tx: Tx, meter_id: bytes) -> None:
    tx.cursor.execute("DELETE FROM rating_base WHERE meter_id = ?", (meter_id,))


def _contracts(knowledge: Knowledge) -> str:
    known = [
        (contract.contract_id, contract.start_slot, contract.tariff_code, contract.households)
        for contract in knowledge.contracts
    ]
    return json.dumps(known, separators=(",", ":"))


def _sums(finding: Finding) -> str:
    fields = {
        "upto": finding.upto,
        "last_slot": finding.last_slot,
        "highest_slot": finding.highest_slot,
        "metered": tuple(finding.metered),
        "today": tuple(finding.today),
        "roles": finding.roles,
        "units": [[*unit, amount] for unit, amount in sorted(finding.units.items()) if amount],
    }
    return json.dumps(fields, separators=(",", ":"))


def _finding(fields: dict[str, Any]) -> Finding:
    return Finding(
        metered=RatingState(*fields["metered"]),
        today=RatingState(*fields["today"]),
        roles=list(fields["roles"]),
        units={(month, late, contract_id): amount for month, late, contract_id, amount in fields["units"]},
        upto=(fields["upto"][0], fields["upto"][1]),
        last_slot=fields["last_slot"],
        highest_slot=fields["highest_slot"],
    )
