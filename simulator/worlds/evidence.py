"""What a world shows its judges: the pipe, the payers, the meters and the books, as values that a test can spoil.

    life = Life(scenario, folder, watchers())
    life.play()
    findings = judge(life)

`judge` may also be asked while a world lives (a day's end, a headend that came back): then it leaves out what is only
promised once the faults have stopped.
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from .books_seen import Books
from .finding import Finding
from .scenario import HomePlan
from .till import Payment

if TYPE_CHECKING:
    from .life import Life, Watcher


class Counters(NamedTuple):
    """V in litres, S and R in mills, at the first second of a slot."""

    slot: int
    volume_l: int
    spent_mills: int
    collected_mills: int


@dataclass(frozen=True)
class HomeSeen:
    """One home. The truth: what the pipe, the counter and the payers know; `register_l` is what the meter should have
    counted, `meter_ids` every meter that hung here, `excused` what is not demanded of this home (excuses.py). The
    meter's word: its state (`meter`, by the names of firmware/state.py and more), and what its log says of the slot at
    which the books stand (`at_books`)."""

    number: int
    plan: HomePlan
    meter_id: bytes
    customer_number: str
    pipe_l: int
    counted_l: int
    by_slot_l: dict[int, int]
    passes: bool
    struck: frozenset[str]
    excused: frozenset[str]
    register_l: int
    meter_ids: frozenset[bytes]
    retired: bool
    meter: dict[str, int] | None
    at_books: Counters | None
    log: dict[tuple[int, int], tuple[int, int]] = field(default_factory=dict)
    settled_with: int | None = None
    uplinks_settling: int = 0
    backlog: int = 0

    def has(self, subject: str) -> bool:
        """Whether a kind of fault of this subject, the first word of its name, has struck this home."""
        return any(kind.split("_")[0] == subject for kind in self.struck)


@dataclass(frozen=True)
class Evidence:
    """A whole world as it stands. `settled`: its faults have stopped and it had its time to agree; `ahead`: the meters
    that held more than the books knew when these were put back to a backup."""

    homes: tuple[HomeSeen, ...]
    books: Books
    payments: tuple[Payment, ...]
    settled: bool
    now_us: int
    struck: frozenset[str]
    own_faults: tuple[str, ...] = ()
    files: dict[str, bytes] = field(default_factory=dict)
    secrets: tuple[bytes, ...] = ()
    restores: int = 0
    restored_us: int = 0
    ahead: frozenset[bytes] = frozenset()

    def with_home(self, number: int, **changes: Any) -> Evidence:
        """The same with one home seen otherwise."""
        homes = tuple(replace(home, **changes) if home.number == number else home for home in self.homes)
        return replace(self, homes=homes)


def watchers() -> tuple[Watcher, ...]:
    """Who looks at every event; give them to Life."""
    from .sometimes import Occurred
    from .watch import WATCHES

    return (*(watch() for watch in WATCHES), Occurred())


def judge(life: Life) -> list[Finding]:
    """All that is wrong in a world as it stands, by what the watchers saw and by what everybody says now."""
    from .checks import CHECKS
    from .sometimes import note

    evidence = gather(life)
    note(life, evidence)
    found = [finding for watcher in life.watchers for finding in getattr(watcher, "findings", ())]
    for check in CHECKS:
        found += check(evidence)
    return found


def gather(life: Life, briefly: bool = False) -> Evidence:
    """Look at everything; `briefly`: not at the disk, and without what the books say against themselves. Nothing of it
    changes the world."""
    from .seen import home_seen

    books = Books(life.office.rows)
    struck = _struck(life)
    homes = tuple(home_seen(life, home, books, struck.get(home.number, frozenset())) for home in life.homes)
    return Evidence(
        homes=homes,
        books=books,
        payments=tuple(life.till.payments),
        settled=not life.safe,
        now_us=life.world.now_us,
        struck=frozenset().union(*struck.values()) if struck else frozenset(),
        own_faults=() if briefly else tuple(life.office.faults()),
        files={} if briefly else _files(life),
        secrets=_secrets(life),
        restores=life.office.restores,
        ahead=frozenset().union(*(getattr(watcher, "ahead", ()) for watcher in life.watchers)),
        restored_us=max((getattr(watcher, "restored_us", 0) for watcher in life.watchers), default=0),
    )


def _files(life: Life) -> dict[str, bytes]:
    """What of the books lies on the headend's disk; the key file is where its keys are meant to be."""
    files = sorted(file for file in life.office.folder.iterdir() if file.is_file())
    return {file.name: file.read_bytes() for file in files if not file.name.startswith(life.office.key_file.name)}


def _secrets(life: Life) -> tuple[bytes, ...]:
    """Root keys of meters, in the forms in which they might slip out."""
    roots = {
        root for home in life.homes if (root := getattr(getattr(home.meter.application, "keys", None), "root", None))
    }
    return tuple(form for root in sorted(roots) for form in (root, root.hex().encode(), b64encode(root)))


def _struck(life: Life) -> dict[int, frozenset[str]]:
    """The kinds of fault by the home they struck; those of the whole world struck every home."""
    found: dict[int, set[str]] = {home.number: set() for home in life.homes}
    for fault in life.scenario.faults:
        if fault.at_us > life.world.now_us:
            continue
        for number in [fault.home] if fault.home in found else list(found):
            found[number].add(fault.kind)
    return {number: frozenset(kinds) for number, kinds in found.items()}
