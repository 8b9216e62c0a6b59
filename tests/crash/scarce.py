"""Pieces of work of which each allocation fails in turn (memory.py): all or nothing, and the next one is done."""

import contextlib
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from headend.billing.plans import last_policy, set_policy
from headend.ledger.checks import check_books
from headend.ledger.till import store_event
from headend.meters.details import edit_details
from headend.storage.writer import Job
from tests.crash.flows import Office
from tests.crash.pages import Pages
from tests.headend.world import World

NTH_MAX = 100_000
PROBE_EACH = 16

Made = Callable[[int], Job[Any]]


class Allocations(Protocol):
    """What memory.py's `Scarce` is."""

    fired: int

    def arm(self, nth: int, lasting: bool) -> None: ...

    def disarm(self) -> None: ...


def works(office: Office) -> dict[str, Made]:
    """Pieces of work that can be made again and again, each time another one that changes something."""
    world, meter = office.world, office.first
    policy = world.writer.run(lambda tx: last_policy(tx, meter.meter_id))
    return {
        "payment": lambda n: lambda tx: world.credit(tx, meter.number, 5, f"payment-{n}"),
        "suspense": lambda n: lambda tx: world.credit(tx, "nobody", 5, f"suspense-{n}"),
        "poll": lambda _: office.frame(meter, meter.poll()),
        "notification": lambda n: lambda tx: store_event(tx, "wave", f"m{n}", b"{}"),
        "details": lambda n: lambda tx: edit_details(tx, meter.meter_id, {"holder": f"Holder {n}"}),
        "policy": lambda n: lambda tx: set_policy(tx, meter.meter_id, policy._replace(low_credit_mills=n)),
    }


class Trial:
    """One headend whose memory runs out again and again."""

    def __init__(self, office: Office, pages: Pages, scarce: Allocations) -> None:
        self.office, self.pages, self.scarce = office, pages, scarce
        self.failed = self.refused = self.number = 0
        self.words: set[str] = set()
        self.violations: list[str] = []

    def fail_each(self, name: str, made: Made, lasting: bool, first: int, step: int) -> None:
        """So many allocations as the work needs, each or each `step`-th in turn."""
        for nth in range(first, NTH_MAX, step):
            self.number += 1
            before = self.pages.read()
            job = made(self.number)
            self.scarce.arm(nth, lasting)
            failure = self.raised(job)
            fired = self.scarce.fired
            self.scarce.disarm()
            changed = self.pages.read() != before
            self.failed += fired > 0
            self.refused += failure is not None
            if failure is not None:
                self.words.add(f"{type(failure).__name__}: {str(failure).splitlines()[0] if str(failure) else ''}")
            if changed == (failure is not None):
                self.violations.append(f"{name} {nth}: changed {changed}, told {failure!r}")
            if self.number % PROBE_EACH == 0 and (again := self.raised(self.office.probe())) is not None:
                self.violations.append(f"{name} {nth}: the work after it fails: {again!r}")
            if not fired:
                return

    def raised(self, job: Job[Any]) -> BaseException | None:
        """What the work raised, or None when it was told done."""
        try:
            self.office.world.writer._enqueue(job).result(timeout=20)
        except BaseException as failure:  # noqa: BLE001  (whatever it is, it is judged)
            return failure
        return None


def tried(folder: Path, scarce: Allocations, first: int, step: int) -> dict[str, Any]:
    """How many allocations failed, in which words that was told, and what is wrong."""
    world = World(folder, random.Random(3))
    try:
        office = Office(world)
        with contextlib.closing(Pages(world.path)) as pages:
            trial = Trial(office, pages, scarce)
            for name, made in works(office).items():
                for lasting in (False, True):
                    trial.fail_each(name, made, lasting, first, step)
        trial.violations += [str(wrong) for wrong in world.reader.read(check_books)]
    finally:
        world.close()
    counts = {"failed": trial.failed, "refused": trial.refused}
    return {**counts, "words": sorted(trial.words), "violations": trial.violations}
