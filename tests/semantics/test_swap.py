"""A meter is taken off the wall and another one hung there: the device's own code on both sides of the swap, and a
neighbour who draws the same water and keeps his meter (SEMANTICS A4; M17, IW-23, FEATURES B9)."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bench.site import Meter, Site
from bench.utility import START_SLOT, Utility
from firmware.identity import Identity, encode
from headend.billing.plans import set_debt_plan
from headend.ingest.received import Bearer
from headend.ledger.checks import check_books
from headend.ledger.rebuild import rewrite
from headend.meters.registry import Provisioning
from headend.meters.swap import execute_swap, prepare_swap
from protocol.wire.messages import DOWN_POLICY, DOWN_TARIFF
from simulator import link
from simulator.clock import DAY_US, HOUR_US, MINUTE_US, SECOND_US, SLOT_US
from simulator.meter_in_memory import MeterInMemory
from simulator.meter_process import MeterProcess
from simulator.world import World
from tests.shared_build import built_meter

GRACE_MILLS = 10**9
FIRST_INDEX_L = 7_777
CHARGES = {"standing_day": 50, "standing_month": 3_000}
TARIFF = [[300, 127], [900, 279], [0, 448]]


class Antenna:
    """A radio that carries everything within a second, or nothing."""

    def __init__(
        self, world: World, headend: Callable[[bytes], list[bytes] | None], meter: Callable[[bytes], None]
    ) -> None:
        self.uplinks = self.downlinks = 0
        self.reachable = True
        self._world, self._headend, self._meter = world, headend, meter

    def send(self, frame: bytes) -> None:
        if self.reachable:
            self.push(self._headend(frame) or [])

    def push(self, frames: list[bytes]) -> None:
        for frame in frames if self.reachable else []:
            self._world.after(SECOND_US, self._meter, frame)


class Street:
    """Two houses: `meter` is the one in the first house now, `neighbour` the one that is never touched."""

    def __init__(self, folder: Path, make_meter: Callable[[str, str], Meter], report_slots: int) -> None:
        self.world, self._make, self._report_slots = World(), make_meter, report_slots
        self.utility = Utility(folder, 1, lambda: self.world.now_us)
        self.utility.publish(START_SLOT - 1, TARIFF, **CHARGES)
        self.meter, self.neighbour = (self._site(*self.utility.add(number, report_slots)) for number in (1, 2))
        self.number = self.meter.customer_number
        for site in (self.meter, self.neighbour):
            self.utility.write(lambda tx, s=site: set_debt_plan(tx, s.meter_id, str(s), 3_500_000, 1_000_000, 0))
            site.pay(20_000)
            site.power_on()

    def close(self) -> None:
        for site in (self.meter, self.neighbour):
            site.meter.dispose()
        self.utility.close()

    def _site(self, meter_id: bytes, number: str, provision_hex: str) -> Site:
        meter = self._make(meter_id.hex(), provision_hex)
        return Site(self.world, self.utility, meter, (meter_id, number), Bearer.UDP, Antenna)

    def live(self, span_us: int, litres: int = 6) -> None:
        """Both houses draw the same water, ten minutes into each half-hour."""
        until_us = self.world.now_us + span_us
        while True:
            draw_us = self.world.now_us // SLOT_US * SLOT_US + 10 * MINUTE_US
            draw_us += SLOT_US if draw_us <= self.world.now_us else 0
            if draw_us > until_us:
                break
            self.world.run_until(draw_us)
            for site in (self.meter, self.neighbour):
                site.draw(litres)
        self.world.run_until(until_us)

    def hang_spare(self) -> int:
        """The old meter is off the wall, and its register was read; a spare counts in its place."""
        old, made = self.meter, self._prepare()
        index_l: int = old.read()["volume_l"]
        old.meter.dispose()
        if old._wake is not None:
            old._wake.cancel()
        packs = tuple(
            (kind, pack.version, pack.from_slot, pack.body)
            for kind, pack in ((DOWN_TARIFF, made.tariff), (DOWN_POLICY, made.policy))
        )
        who = Identity(made.meter_id, made.root, 1, 1_000, self._report_slots, GRACE_MILLS, made.opening_frame, packs)
        self.old_id, self.taken_off_us = old.meter_id, self.world.now_us
        self.meter = self._site(made.meter_id, made.customer_number, encode(who).hex())
        self.meter.power_on()
        return index_l

    def _prepare(self) -> Provisioning:
        old, new = self.meter.meter_id, bytes(7) + bytes((self.meter.meter_id[-1] + 10,))
        made: Provisioning = self.utility.write(lambda tx: prepare_swap(tx, self.utility.keyring, old, new, 1))
        return made

    def swap(self, index_l: int | None) -> bytes:
        """The technician's record has reached the office."""
        at_slot = START_SLOT + self.taken_off_us // SLOT_US
        who = (self.utility.keyring, self.old_id, self.meter.meter_id, at_slot, index_l, FIRST_INDEX_L)
        frame: bytes = self.utility.write(lambda tx: execute_swap(tx, *who))
        return frame

    def settle(self) -> None:
        """Until the last closed half-hour is told."""
        self.world.run_until((self.world.now_us // SLOT_US + 1) * SLOT_US + 9 * MINUTE_US)

    def disagreements(self) -> dict[str, Any]:
        """What of the new meter's own counters is not as in the books, or not as the neighbour's; faults and cases."""
        meter, twin = self.meter.read(), self.neighbour.read()
        columns = "frontier_slot, volume_l, spent_mills, collected_mills"
        rows = self.utility.rows(f"SELECT {columns} FROM meter_state WHERE meter_id = ?", self.meter.meter_id)
        names = ("open_slot", "volume_l", "spent_mills", "collected_mills")
        # A meter that reports once a day is ahead of its books.
        ahead = self._report_slots > 1 and meter["open_slot"] - rows[0][0] < 48 and rows[0][3] > 0
        pairs = {name: (meter[name], value) for name, value in zip(names, rows[0], strict=True) if not ahead}
        pairs["credit"] = (_left(meter), _left(twin))
        pairs["litres"] = (meter["volume_l"] - FIRST_INDEX_L, self.meter.litres)
        found: dict[str, Any] = {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}
        faults = self.utility.reader.read(check_books)
        cases = self.utility.rows("SELECT kind, detail FROM case_file")
        return {**found, **({"faults": faults} if faults else {}), **({"cases": cases} if cases else {})}


def _left(reading: dict[str, Any]) -> int:
    left: int = reading["credited_mills"] - reading["debited_mills"] - reading["spent_mills"]
    return left - int(reading["collected_mills"])


@pytest.fixture
def street(tmp_path: Path) -> Iterator[Callable[..., Street]]:
    made: list[Street] = []

    def begin(make_meter: Callable[[str, str], Meter], report_slots: int = 1) -> Street:
        made.append(Street(tmp_path, make_meter, report_slots))
        return made[-1]

    yield begin
    for one in made:
        one.close()


def tell(one: Street, waits_us: int, by_hand: bool, days: int = 2) -> None:
    """Some days; the swap in the middle of a half-hour; `waits_us` until the office hears of it; as many days again."""
    one.live(days * DAY_US + 5 * HOUR_US + 17 * MINUTE_US)
    index_l = one.hang_spare()
    one.live(waits_us)
    one.utility.pay(one.old_id, one.number, 1_500)  # the wallet is still the old meter's
    one.neighbour.pay(1_500)
    frame = one.swap(index_l)
    if by_hand:
        one.meter._advance(link.record(link.RADIO, frame))
    one.live(days * DAY_US)
    one.settle()
    assert one.disagreements() == {}
    one.utility.write(rewrite)
    assert one.utility.reader.read(check_books) == []


@pytest.mark.parametrize(("waits_us", "by_hand"), [(0, True), (0, False), (7 * HOUR_US, True), (2 * DAY_US, False)])
def test_the_month_costs_what_the_neighbours_costs(street: Callable[..., Street], waits_us: int, by_hand: bool) -> None:
    """A4, B2, B7: also the litres that the spare counted on its installation grace, before its OPENING."""
    tell(street(lambda name, provision_hex: MeterInMemory(name, provision_hex)), waits_us, by_hand)


def test_a_daily_reporting_meter_is_swapped_by_its_register(street: Callable[..., Street]) -> None:
    """A4: half a day of the old meter was never told; its register is read before it comes down."""
    tell(street(lambda name, provision_hex: MeterInMemory(name, provision_hex), 48), 3 * HOUR_US, False)


def test_real_micropython_meters_are_swapped_with_their_grace_litres(
    street: Callable[..., Street], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("micropython")
    device = built_meter(tmp_path_factory)
    tell(street(lambda name, text: MeterProcess(name, device, folder / name, text)), 5 * HOUR_US, False, 1)
