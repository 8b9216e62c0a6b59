"""What one uplink makes of a meter's waiting logs, while it is being made."""

from dataclasses import dataclass, field

from headend.billing.lost import LostSlots
from headend.billing.segments import Segment
from headend.ingest.decode import Log
from headend.ingest.meter_state import MeterState
from headend.ledger.cases import CaseKind


@dataclass(frozen=True, slots=True)
class Finding:
    """Something a person must look at; `key` names the same finding again."""

    kind: CaseKind
    key: str
    detail: dict[str, int]


@dataclass(frozen=True, slots=True)
class Adopted:
    """R as an ANCHOR told it at `slot`, so many mills more (or less) than the books had made of the count (B7)."""

    log_generation: int
    slot: int
    collected_mills: int


@dataclass(slots=True)
class Posting:
    """The state as far as it was moved, what is to be posted for it, and what was found."""

    state: MeterState
    segments: list[Segment] = field(default_factory=list)
    lost: list[LostSlots] = field(default_factory=list)
    adopted: list[Adopted] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    last: Log | None = None
    rate_again: bool = False
