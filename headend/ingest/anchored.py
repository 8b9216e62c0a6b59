"""R is told whole by an ANCHOR and derived from a count everywhere else: at the slot of an ANCHOR its word holds (B7).

An ANCHOR runs ahead of the logs of its slots. So it is remembered until the frontier reaches its slot; then what the
books made of the count is compared, and the difference adopted if the plans given to the meter allow it. Where a log
carries the frontier past it within one local day, R has not moved since: a daily ANCHOR is ahead of its log.
"""

from dataclasses import replace
from typing import Any

from headend.billing.instalments import within_bounds
from headend.billing.plans import plans_given
from headend.ingest.decode import Log
from headend.ingest.meter_state import MeterState
from headend.ingest.posting import Adopted, Finding, Posting
from headend.ledger.cases import CaseKind
from headend.storage.writer import Tx
from protocol.rules.calendar import local_day
from protocol.wire.messages import Anchor


def remember_anchor(state: MeterState, message: Any, newest: bool) -> MeterState:
    """The state with an ANCHOR of its log generation kept, if it is the newest word and not behind the frontier."""
    if not (isinstance(message, Anchor) and newest and state.started):
        return state
    if message.log_generation2 != state.log_generation & 3 or message.slot < state.frontier_slot:
        return state
    return replace(state, anchor_slot=message.slot, anchor_collected_mills=message.collected_mills)


def settle_anchor(tx: Tx, posting: Posting, instalments_before: int = 0) -> None:
    """Where the frontier stands at the remembered ANCHOR, or passed it on the same day, take its R or open a case; then
    forget it. `instalments_before`: how many there had been before the run that came there."""
    state = posting.state
    if not state.anchor_slot or state.frontier_slot < state.anchor_slot:
        return
    posting.state = replace(state, anchor_slot=0, anchor_collected_mills=0)
    difference_mills = state.anchor_collected_mills - state.collected_mills
    if not difference_mills or _may_have_collected_since(state, posting.last, instalments_before):
        return
    given = plans_given(tx, state.meter_id, state.generation)
    if not within_bounds(given, state.instalments, state.anchor_collected_mills):
        detail = {"collected_mills": state.anchor_collected_mills, "known_mills": state.collected_mills}
        key = f"{state.generation}:R{difference_mills}"
        posting.findings.append(Finding(CaseKind.DEBT_BOUNDS, key, detail))
        return
    posting.adopted.append(Adopted(state.log_generation, state.anchor_slot, difference_mills))
    posting.state = replace(posting.state, collected_mills=state.anchor_collected_mills)


def _may_have_collected_since(state: MeterState, last: Log | None, instalments_before: int) -> bool:
    """Whether an instalment may have followed between an ANCHOR's slot and a frontier that ran past it: a log told
    right after the ANCHOR may reach a slot further. Instalments are decided where a local day begins; only the very
    first may be at any slot, when its plan comes."""
    if state.frontier_slot == state.anchor_slot:
        return False
    if last is None or state.unsure or not instalments_before:
        return True
    offsets = last.rates.tariff.offsets
    return local_day(state.anchor_slot - 1, offsets) != local_day(state.frontier_slot - 1, offsets)
