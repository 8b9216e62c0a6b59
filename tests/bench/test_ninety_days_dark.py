"""A meter that nobody hears for 90 days, over three tariff changes, month edges and a change of its debt plan."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bench.site import Meter, Site
from bench.utility import BLOCKS, START_SLOT, Utility
from headend.billing.plans import set_debt_plan
from headend.billing.tariffs import PLAIN_TERMS, Terms
from headend.ingest.received import Bearer
from headend.ledger.checks import check_books
from protocol.rules import rating
from protocol.rules.calendar import Offsets
from protocol.rules.tariff import Tariff
from protocol.wire.messages import UP_DAY, UP_RANGE
from simulator.clock import DAY_US, HOUR_US, MINUTE_US, OFFSET_MINUTES, SECOND_US, SLOT_US, SLOTS_PER_DAY
from simulator.meter_in_memory import MeterInMemory
from simulator.meter_process import MeterProcess
from simulator.world import World
from tests.shared_build import built_meter

BEFORE_DAYS, DARK_DAYS = 5, 90
STANDING_DAY = 50
# (published and acting on this day, mills a litre of the first block, what becomes of a rise that came late).
CHANGES = ((20, 150, Terms("debit", 0)), (50, 110, Terms("debit", 0)), (70, 160, Terms("waive")))
SECOND_PLAN_DAY = 45
# A frame of 51 bytes holds about 120 slots of such a home; a story takes one DEVICE for each pack, and a few more.
LOGS_MAX, OTHERS_MAX = 40, 8
# Litres at every third hour.
DRAWN_L, DRAW_US = 7, 3 * HOUR_US


class Reach:
    """A radio that carries everything within a second, or nothing."""

    def __init__(
        self, world: World, headend: Callable[[bytes], list[bytes] | None], meter: Callable[[bytes], None]
    ) -> None:
        self.reachable = True
        self.uplinks = self.downlinks = 0
        self.sent: list[bytes] = []
        self._world, self._headend, self._meter = world, headend, meter

    def send(self, frame: bytes) -> None:
        if self.reachable:
            self.sent.append(frame)
            self.push(self._headend(frame) or [])

    def push(self, frames: list[bytes]) -> None:
        for frame in frames if self.reachable else []:
            self._world.after(SECOND_US, self._meter, frame)


class Story:
    """One home, its books, and the days of the story."""

    def __init__(self, folder: Path, make_meter: Callable[[str], Meter]) -> None:
        self.world = World()
        self.utility = Utility(folder, 1, lambda: self.world.now_us, standing_day=STANDING_DAY)
        meter_id, number, provision_hex = self.utility.add(1, SLOTS_PER_DAY)
        self.site = Site(self.world, self.utility, make_meter(provision_hex), (meter_id, number), Bearer.LORAWAN, Reach)
        self.drawn: dict[int, int] = {}
        self.site.pay(100_000)
        self.site.power_on()

    def close(self) -> None:
        self.site.meter.dispose()
        self.utility.close()

    def live(self, days: int) -> None:
        """Days of water; the draws stand in the middle of their half-hours."""
        until_us = self.world.now_us + days * DAY_US
        while self.world.now_us < until_us:
            self.world.run_until(self.world.now_us + DRAW_US // 2)
            slot = self.world.now_us // SLOT_US
            self.drawn[slot] = self.drawn.get(slot, 0) + DRAWN_L
            self.site.draw(DRAWN_L)
            self.world.run_until(self.world.now_us + DRAW_US // 2)

    def owe(self, key: str, debt_mills: int, amount_mills: int) -> None:
        self.utility.write(lambda tx: set_debt_plan(tx, self.site.meter_id, key, debt_mills, amount_mills, 0))

    def differences(self) -> dict[str, Any]:
        """What of the meter's own counters and of the books is not equal."""
        meter = self.site.read()
        columns = "frontier_slot, volume_l, spent_mills, collected_mills"
        ((slot, volume_l, spent_mills, collected_mills),) = self.utility.rows(f"SELECT {columns} FROM meter_state")
        ((credited_mills, debited_mills),) = self.utility.rows(
            "SELECT credited_mills, debited_mills FROM statement ORDER BY number DESC LIMIT 1"
        )
        books = {
            "open_slot": slot,
            "volume_l": volume_l,
            "spent_mills": spent_mills,
            "collected_mills": collected_mills,
            "credited_mills": credited_mills,
            "debited_mills": debited_mills,
            "tariff_version": 1 + len(CHANGES),
            "plan_version": 2,
        }
        return {name: (value, meter[name]) for name, value in books.items() if meter[name] != value}

    def cost_mills(self) -> int:
        """T of SEMANTICS B5 to the books' frontier, by the rating rule, the true litres and the true tariffs."""
        ((frontier,),) = self.utility.rows("SELECT frontier_slot FROM meter_state")
        steps = ((-1, BLOCKS[0][1], PLAIN_TERMS), *CHANGES)
        packs = [
            Tariff(
                number,
                START_SLOT + day * SLOTS_PER_DAY,
                0,
                Offsets(OFFSET_MINUTES, ()),
                1,
                0,
                ((BLOCKS[0][0], price), *(tuple(block) for block in BLOCKS[1:])),
                STANDING_DAY * 1000,
                0,
            )
            for number, (day, price, _) in enumerate(steps, 1)
        ]
        state = rating.NEW
        for slot in range(START_SLOT, frontier):
            acting = [pack for pack in packs if pack.from_slot <= slot][-1]
            state = rating.rate_slot(state, acting, slot, self.drawn.get(slot - START_SLOT, 0), True)
        return int(state.spent_mills)


@pytest.fixture
def story(tmp_path: Path) -> Iterator[Callable[..., Story]]:
    """`story(make_meter)` begins one; it is ended after the test."""
    told: list[Story] = []

    def begin(make_meter: Callable[[str], Meter]) -> Story:
        told.append(Story(tmp_path, make_meter))
        return told[-1]

    yield begin
    for one in told:
        one.close()


def tell(one: Story) -> None:
    """Five days of light, ninety of darkness in which prices and the plan change."""
    one.owe("first", 25_000_000, 500_000)
    one.live(BEFORE_DAYS)
    one.site.radio.reachable = False
    for day, price, terms in CHANGES:
        if day > SECOND_PLAN_DAY > one.world.now_us // DAY_US:
            one.live(SECOND_PLAN_DAY - one.world.now_us // DAY_US)
            one.owe("second", 5_000_000, 300_000)
        one.live(day - one.world.now_us // DAY_US)
        blocks = [[BLOCKS[0][0], price], *BLOCKS[1:]]
        one.utility.publish(START_SLOT + day * SLOTS_PER_DAY, blocks, terms, standing_day=STANDING_DAY)
    one.live(BEFORE_DAYS + DARK_DAYS - one.world.now_us // DAY_US)


def come_back(one: Story) -> list[bytes]:
    """Let it be heard until meter and books agree: the uplinks that this took."""
    sent: list[bytes] = []
    one.site.radio.reachable, one.site.radio.sent = True, sent
    until_us, seen = one.world.now_us + 5 * DAY_US, -1
    while one.world.now_us < until_us:
        one.world.run_until(one.world.now_us + MINUTE_US)
        if len(sent) > seen and not one.differences():
            break
        seen = len(sent)
    return sent


def check(one: Story) -> None:
    """Tell the story and agree: by the meter's own console, by the checks of the books, and by the rating rule."""
    tell(one)
    ((frontier, known),) = one.utility.rows("SELECT frontier_slot, (SELECT max(id) FROM uplink) FROM meter_state")
    sent = come_back(one)
    assert one.differences() == {}
    assert one.utility.reader.read(check_books) == []
    assert one.utility.rows("SELECT kind FROM case_file") == []
    ((slot, corrected, spent),) = one.utility.rows(
        "SELECT frontier_slot, corrected_mills, spent_mills FROM meter_state"
    )
    assert spent + corrected == one.cost_mills() and corrected
    ((told,),) = one.utility.rows("SELECT sum(slot_count) FROM uplink WHERE id > ?", known)
    logs = sum(frame[0] >> 3 & 7 in (UP_DAY, UP_RANGE) for frame in sent)
    print(f"{slot - frontier} slots in {logs} logs and {len(sent) - logs} other uplinks")
    # No slot twice, and no frame half empty: what the backlog needs. The rest tells of packs taken, events, counters.
    assert told == slot - frontier >= DARK_DAYS * SLOTS_PER_DAY
    assert logs <= LOGS_MAX and len(sent) - logs <= OTHERS_MAX


def test_it_agrees_to_the_mill_within_the_uplinks_of_its_backlog(story: Callable[..., Story]) -> None:
    check(story(lambda provision_hex: MeterInMemory("dark", provision_hex)))


@pytest.mark.slow
def test_a_real_micropython_meter_does_so_too(
    story: Callable[..., Story], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("device")
    device = built_meter(tmp_path_factory)
    check(story(lambda provision_hex: MeterProcess("dark", device, folder / "flash", provision_hex)))
