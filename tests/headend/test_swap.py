"""A month with a swap costs what it costs without: any month, any slot, line by line (SEMANTICS A4; M17, IW-23, B9)."""

import random
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.headend.conftest import _copy
from tests.headend.swaps import DAY, balance, exactly, faults, lines_of, retired, swapped, tell_all
from tests.headend.world import START_SLOT, World

# Printed prices of real tariffs, in minor units: blocks; minimum and sewer share; taxes that leave parts of a mill;
# charges by day and month with a shared tap.
TARIFFS: dict[str, dict[str, Any]] = {
    "niger": {"blocks": [[10_000, 127], [40_000, 279], [0, 448]]},
    "kiambu": {
        "blocks": [[6_000, 0], [20_000, 6_500], [50_000, 8_000], [0, 10_000]],
        "minimum": 33_000,
        "sewer_percent": 75,
    },
    "taxed": {
        "blocks": [[10_000, "202.25"], [20_000, "697.97"], [0, "878.35"]],
        "levy_per_m3": "8.15",
        "tax1": {"percent": "18.5", "roles": ["water"]},
    },
    "standing": {
        "blocks": [[500, "127.33"], [1_500, 279], [0, 448]],
        "standing_day": "50.1",
        "standing_month": 3_000,
        "tax1": {"percent": "7.7", "roles": ["water", "fixed"]},
    },
}
DAYS = 33  # from 2 November on: into December
SLOTS = DAYS * DAY
DECEMBER = 29 * DAY  # its first slot

LITRES = (0, 0, 0, 1, 3, 40, 300)


def month_of(seed: int) -> list[int]:
    return random.Random(seed).choices(LITRES, k=SLOTS)


@given(
    tariff=st.sampled_from(sorted(TARIFFS)),
    households=st.sampled_from((1, 1, 3)),
    swaps=st.lists(st.integers(0, SLOTS), min_size=1, max_size=2).map(sorted),
    first_index_l=st.sampled_from((0, 7, 123_456)),
    seed=st.integers(0, 1_000),
)
@example(tariff="standing", households=1, swaps=[DECEMBER], first_index_l=0, seed=1)  # the month's first half-hour
@example(tariff="standing", households=3, swaps=[DECEMBER - 1], first_index_l=0, seed=2)  # its last
@example(tariff="kiambu", households=1, swaps=[DECEMBER - 1, DECEMBER], first_index_l=0, seed=3)
@example(tariff="taxed", households=3, swaps=[0, 0], first_index_l=5, seed=4)  # a meter that never counted
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a4_m17_any_month_with_swaps_costs_what_it_costs_without(
    opened_books: Path, tariff: str, households: int, swaps: list[int], first_index_l: int, seed: int
) -> None:
    """A4, B2, M17: the same lines in the same months, the same sum to a ten-thousandth of a mill, nothing left over."""
    with TemporaryDirectory() as folder:
        world = _copy(opened_books, Path(folder))
        try:
            _compare(world, TARIFFS[tariff], households, swaps, first_index_l, month_of(seed))
        finally:
            world.close()


def _compare(
    world: World, prices: dict[str, Any], households: int, swaps: list[int], first_index_l: int, litres: list[int]
) -> None:
    world.publish({**prices, "utc_offset_minutes": 60}, START_SLOT - DAY)
    swapped_one, plain = (world.add(number, households=households) for number in (1, 2))
    for one in (swapped_one, plain):
        world.pay(one.number, 50_000, f"t{one.number}")
        world.receive(one, one.poll())
    chain, done = [swapped_one], 0
    for number, at in enumerate(swaps, start=3):
        chain[-1].use(litres[done:at])
        tell_all(world, chain[-1])
        chain.append(swapped(world, chain[-1], number, first_index_l=first_index_l))
        done = at
        assert faults(world) == []
    chain[-1].use(litres[done:])
    tell_all(world, chain[-1])
    plain.use(litres)
    tell_all(world, plain)
    assert exactly(*chain) == exactly(plain)
    assert lines_of(world, *chain) == lines_of(world, plain)
    world.pass_days(DAYS)
    for one in (chain[-1], plain):
        retired(world, one)
    assert balance(world, "receivable/1") == balance(world, "receivable/2") == plain.spent_mills - 50_000_000
    assert balance(world, "moving") == 0
    assert faults(world) == []


@pytest.mark.parametrize("mills", [5_000, 0])
def test_a4_a_balance_moves_whole_also_one_below_zero(world: World, mills: int) -> None:
    """A3, A4, B1: D of the old and C of the new rise by it, as moved; `paid` stays where it was; emergency credit used
    is still owed by the next wallet."""
    meter = world.add()
    if mills:
        world.pay(meter.number, mills, "t1")
    world.receive(meter, meter.poll())
    meter.use([5] * DAY)
    tell_all(world, meter)
    after = swapped(world, meter, 2)
    left_mills = mills * 1_000 - 240 * 127
    assert after.balance_mills == meter.balance_mills == left_mills
    assert world.rows(
        "SELECT meter_id, paid_mills, moved_in_mills - moved_out_mills FROM statement s WHERE number = "
        "(SELECT max(number) FROM statement l WHERE l.meter_id = s.meter_id) ORDER BY meter_id"
    ) == [(meter.meter_id, mills * 1_000, -left_mills), (after.meter_id, 0, left_mills)]
    assert balance(world, f"wallet/{meter.meter_id.hex()}/1") == balance(world, "moving") == 0
    assert balance(world, f"wallet/{after.meter_id.hex()}/1") == left_mills
    assert faults(world) == []
