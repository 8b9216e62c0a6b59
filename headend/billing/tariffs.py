"""Publishing a tariff: the one act that changes prices. Nothing is overwritten; newer knowledge is another row."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from headend.billing.correct import correct_meter
from headend.billing.packs import bring_tariffs
from headend.billing.printed import canonical
from headend.billing.published import Rates, rates_of, timeline
from headend.ingest import meter_state
from headend.ledger.payments import is_text
from headend.meters.lookup import contracts_of
from headend.refusals import Code, Refused
from headend.storage.writer import Tx
from protocol.errors import Refused as ProtocolRefused
from protocol.rules.calendar import slot_of
from protocol.rules.tariff import encode_body
from protocol.wire.limits import SLOT_MAX

LATE = ("waive", "debt", "debit")


def publish_tariff(
    tx: Tx, code: str, title: str, printed: Mapping[str, Any], valid_from_slot: int, late: str, key: str
) -> int:
    """Publish prices of a tariff code from a slot on, known from now on; returns the tariff's id.

    Every meter of the code gets its pack, and what was already posted from that slot on is rated again (SEMANTICS B5);
    `late` says what becomes of a rise that reached a meter late (B6). A repeated key with the same content changes
    nothing. Raises Refused.
    """
    if not is_text(code) or not is_text(title):
        raise Refused(Code.NAME, "code or title")
    if late not in LATE:
        raise Refused(Code.TARIFF_LATE, "late", late)
    if isinstance(valid_from_slot, bool) or not 0 <= valid_from_slot <= SLOT_MAX:
        raise Refused(Code.START_SLOT, "valid_from_slot", str(valid_from_slot))
    text = canonical(printed)
    done = tx.cursor.execute(
        "SELECT id, code, valid_from_slot, late, printed FROM tariff WHERE key = ?", (key,)
    ).fetchone()
    if done is not None:
        if tuple(done[1:]) != (code, valid_from_slot, late, text):
            raise Refused(Code.TARIFF_EXISTS, "key", key)
        return int(done[0])
    try:
        rates = rates_of(text, 1)
        body = encode_body(rates.tariff)
    except ProtocolRefused as refused:
        raise Refused(Code.TARIFF_PRINTED, refused.field, str(refused)) from None
    _require_same_standard_time(tx, code, rates)
    row = {"code": code, "title": title, "valid_from_slot": valid_from_slot, "known_from_us": tx.now_us, "late": late}
    split = json.dumps(asdict(rates.split), separators=(",", ":"))
    tariff_id = tx.append("tariff", {**row, "printed": text, "body": body, "split": split, "key": key})
    _reach_meters(tx, code, valid_from_slot)
    return tariff_id


def _require_same_standard_time(tx: Tx, code: str, rates: Rates) -> None:
    """A log's phase is in standard time, and a meter may report slots of one pack when the next acts already."""
    for known in timeline(tx, code)[:1]:
        standard_minutes = rates_of(known.printed, 1).tariff.offsets.standard_minutes
        if rates.tariff.offsets.standard_minutes != standard_minutes:
            detail = f"keep {standard_minutes} and write the change of clocks in transitions"
            raise Refused(Code.TARIFF_PRINTED, "utc_offset_minutes", detail)


def _reach_meters(tx: Tx, code: str, valid_from_slot: int) -> None:
    """Packs for the meters of a code, and corrections where posted slots now have another price."""
    rows = tx.cursor.execute(
        "SELECT DISTINCT c.meter_id FROM contract c JOIN meter m USING (meter_id) "
        "WHERE c.tariff_code = ? AND m.state <> 'retired' ORDER BY c.meter_id",
        (code,),
    ).fetchall()
    slot = slot_of(tx.now_us // 1_000_000)
    for (meter_id,) in rows:
        bring_tariffs(tx, contracts_of(tx, meter_id)[-1], slot)
        state = meter_state.load(tx, meter_id)
        if state.started and state.frontier_slot > valid_from_slot:
            meter_state.save(tx, correct_meter(tx, state))
