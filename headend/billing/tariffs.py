"""Publishing a tariff: the one act that changes prices. Nothing is overwritten; newer knowledge is another row."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from headend.billing.printed import canonical
from headend.billing.published import NOTICE_DAYS, Known, Rates, rates_of, timeline
from headend.billing.work import list_meters_of
from headend.ledger.payments import is_text
from headend.refusals import Code, Refused
from headend.storage.rating_tables import NOTICE_DAYS_MAX
from headend.storage.writer import Tx
from protocol.errors import Refused as ProtocolRefused
from protocol.rules.tariff import encode_body
from protocol.wire.limits import SLOT_MAX

LATE = ("waive", "debt", "debit")

# Newer than every tariff that is published.
DRAFT_ID = 2**62


@dataclass(frozen=True, slots=True)
class Terms:
    """What of a tariff the meter need not know.

    `late` is what becomes of a rise that reached a meter late, `notice_days` how long such a debit is announced before
    the wallet bears it (SEMANTICS B6); `prorated`: a holder's first month bears its share of the monthly standing
    charge (CT-09).
    """

    late: str = "waive"
    notice_days: int = NOTICE_DAYS
    prorated: bool = False


PLAIN_TERMS = Terms()


@dataclass(frozen=True, slots=True)
class Draft:
    """A tariff that could be published: checked, not yet known to anybody."""

    code: str
    title: str
    valid_from_slot: int
    printed: str
    rates: Rates
    terms: Terms

    def known(self, tx: Tx) -> Known:
        """The draft as if it were known from now on."""
        terms = (self.terms.notice_days, int(self.terms.prorated))
        return Known(DRAFT_ID, self.valid_from_slot, self.terms.late, self.printed, tx.now_us, *terms)


def drafted(
    tx: Tx, code: str, title: str, printed: Mapping[str, Any], valid_from_slot: int, terms: Terms = PLAIN_TERMS
) -> Draft:
    """Check what is to be published or tried. Raises Refused, naming the field."""
    if not is_text(code) or not is_text(title):
        raise Refused(Code.NAME, "code or title")
    if terms.late not in LATE:
        raise Refused(Code.TARIFF_LATE, "late", terms.late)
    if isinstance(terms.notice_days, bool) or not 0 <= terms.notice_days <= NOTICE_DAYS_MAX:
        raise Refused(Code.TARIFF_NOTICE, "notice_days", str(terms.notice_days))
    if isinstance(valid_from_slot, bool) or not 0 <= valid_from_slot <= SLOT_MAX:
        raise Refused(Code.START_SLOT, "valid_from_slot", str(valid_from_slot))
    text = canonical(printed)
    try:
        rates = rates_of(text, 1)
        encode_body(rates.tariff)
    except ProtocolRefused as refused:
        raise Refused(Code.TARIFF_PRINTED, refused.field, str(refused)) from None
    _require_same_standard_time(tx, code, rates)
    return Draft(code, title, valid_from_slot, text, rates, terms)


def publish_tariff(
    tx: Tx,
    code: str,
    title: str,
    printed: Mapping[str, Any],
    valid_from_slot: int,
    terms: Terms,
    key: str,
) -> int:
    """Publish prices of a tariff code from a slot on, known from now on; returns the tariff's id.

    Every meter of the code is listed to get its pack, and what was already posted from that slot on to be rated again
    (SEMANTICS B5, work.py). A repeated key with the same content changes nothing. Raises Refused.
    """
    done = tx.cursor.execute(
        "SELECT id, code, valid_from_slot, late, printed FROM tariff WHERE key = ?", (key,)
    ).fetchone()
    if done is not None:
        if tuple(done[1:]) != (code, valid_from_slot, terms.late, canonical(printed)):
            raise Refused(Code.TARIFF_EXISTS, "key", key)
        return int(done[0])
    draft = drafted(tx, code, title, printed, valid_from_slot, terms)
    row = {"code": code, "title": title, "valid_from_slot": valid_from_slot, "known_from_us": tx.now_us}
    row |= {"late": terms.late, "printed": draft.printed, "body": encode_body(draft.rates.tariff), "key": key}
    split = json.dumps(asdict(draft.rates.split), separators=(",", ":"))
    tariff_id = tx.append("tariff", {**row, "split": split})
    own = {"notice_days": terms.notice_days, "prorated": int(terms.prorated), "published_by": tx.actor.name}
    tx.append("tariff_terms", {"tariff_id": tariff_id, **own})
    list_meters_of(tx, code)
    return tariff_id


def _require_same_standard_time(tx: Tx, code: str, rates: Rates) -> None:
    """A log's phase is in standard time, and a meter may report slots of one pack when the next acts already."""
    for known in timeline(tx, code)[:1]:
        standard_minutes = rates_of(known.printed, 1).tariff.offsets.standard_minutes
        if rates.tariff.offsets.standard_minutes != standard_minutes:
            detail = f"keep {standard_minutes} and write the change of clocks in transitions"
            raise Refused(Code.TARIFF_PRINTED, "utc_offset_minutes", detail)
