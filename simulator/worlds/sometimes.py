"""What must occur at least once in a swarm: a fault that never struck and a refusal that was never given prove nothing.

A world counts what occurs in `Life.saw`; a swarm adds the counts up. `missing` names what never occurred in any of its
worlds, and the swarm fails by it. Reasons, answers, cases and events are counted by their names here; all else under
the word with which the world tells it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from protocol.rules import reason_codes
from protocol.wire import event_codes

from . import faults
from .watch.watch import Watch

if TYPE_CHECKING:
    from .evidence import Evidence
    from .home import WorldHome
    from .life import Life

REASONS = {
    getattr(reason_codes, name): name
    for name in vars(reason_codes)
    if name.isupper() and isinstance(getattr(reason_codes, name), int) and name != "OPEN_MAX"
}
EVENTS = {
    getattr(event_codes, name): name
    for name in vars(event_codes)
    if name.isupper() and isinstance(getattr(event_codes, name), int)
}

# Refusals of the headend that the air of a world can meet, by their numbers: a damaged frame, a strange or old one, one
# of a meter that is gone, one from before.
REFUSALS = (201, 202, 207, 209)
ANSWERS = ("credited", "duplicate", "suspense")
CASES = (
    *("air", "backflow", "claim", "cloned", "flash-lost", "payment-conflict", "payment-unbookable", "slots-lost"),
    *("valve", "went-back", "recovered"),
)
# Reasons that a world of the simulator can come to: all but a battery that closes, which no policy of it wants.
REASONS_MET = tuple(name for name in REASONS.values() if name != "BATTERY_CLOSED")
EVENTS_MET = (
    *("VALVE_OPENED", "VALVE_CLOSED", "VALVE_STUCK", "VALVE_STUCK_OPEN", "VALVE_LEAK_BY", "LEAK", "LEAK_CLEARED"),
    *("BURST", "BURST_CLEARED", "TAMPER", "TAMPER_CLEARED", "LOW_BATTERY", "CLOCK_UNSURE", "CLOCK_SET", "LOW_CREDIT"),
    *("FLASH_COPY_BAD", "LOG_GENERATION", "KEYS_CHANGED", "FLASH_LOST", "LEAK_BY_RATE", "AIR", "BACKFLOW"),
    *("BATTERY_CRITICAL",),
)
HAPPENINGS = (
    *("boot", "off", "cut", "up", "down", "heard", "taken", "duplicate", "pay", "motor", "end", "settle"),
    *("headend-died", "headend-back", "restored"),
)


def expected() -> tuple[str, ...]:
    """Everything that must occur."""
    return (
        *(f"fault {name}" for name in faults.KINDS),
        *(f"refused {number}" for number in REFUSALS),
        *(f"answered {word}" for word in ANSWERS),
        *(f"reason {name}" for name in REASONS_MET),
        *(f"event {name}" for name in EVENTS_MET),
        *(f"case {kind}" for kind in CASES),
        *HAPPENINGS,
    )


def missing(counts: Mapping[str, int]) -> list[str]:
    """What of it never occurred, by what all worlds counted together."""
    return [name for name in expected() if counts.get(name, 0) == 0]


class Occurred(Watch):
    """Counts reasons and answers as they come."""

    def event(self, life: Life, what: str, home: WorldHome | None, data: bytes) -> None:
        """The face of a meter, and what an operator was answered."""
        if what == "face" and home is not None and home.face is not None:
            life.saw[f"reason {REASONS.get(home.face.reason, 'none')}"] += 1
        elif what == "answer":
            life.saw[f"answered {data.decode().partition(' ')[2]}"] += 1


def note(life: Life, evidence: Evidence) -> None:
    """Count what only the books know: cases and the meters' events."""
    for table, word in (("case_file", "case"), ("meter_event", "event")):
        counts: dict[str, int] = {}
        for row in evidence.books.rows(table):
            name = row["kind"] if word == "case" else EVENTS.get(row["code"], str(row["code"]))
            counts[f"{word} {name}"] = counts.get(f"{word} {name}", 0) + 1
        for name in sorted(counts):
            life.saw[name] = counts[name]
