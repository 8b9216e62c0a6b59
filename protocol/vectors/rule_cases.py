"""What bodies.jsonl and ratings.jsonl show: packs as their bytes, and what a run of slots costs."""

from typing import Any

from protocol.rules import debt, policy, tariff
from protocol.rules.calendar import UTC, Offsets
from protocol.rules.debt import Plan
from protocol.rules.policy import BATTERY_CLOSES, NEVER_CLOSE_LOCK, TAMPER_CLOSES, WINDOW_NEEDS_CREDIT
from protocol.rules.tariff import Tariff

VERSION, FROM_SLOT = 2, 119_806

NIGER = Tariff(2, 119_806, 0, Offsets(60, ()), 1, 0, ((15_000, 122), (40_000, 270), (0, 400)), 0, 0)
KIAMBU = Tariff(
    2, 119_806, 2, Offsets(180, ()), 2, 5_775_000, ((6_000, 0), (20_000, 8_000), (50_000, 9_000), (0, 11_500)), 1, 9
)  # fmt: skip
SUMMERTIME = Tariff(2, 119_806, 4, Offsets(-210, ((120_000, -150), (129_000, -210))), 1, 0, ((0, 16_777_215),), 0, 0)
BLOCKS = tuple((1_000 * number, 100 * number + 1) for number in range(1, 8))
TARIFFS = (
    ("one price", Tariff(2, 119_806, 0, UTC, 1, 0, ((0, 250),), 0, 0)),
    ("a free first block", Tariff(2, 119_806, 4, Offsets(120, ()), 1, 0, ((6_000, 0), (0, 18_500)), 0, 0)),
    ("three blocks of Niger", NIGER),
    ("minimum, blocks and standing charges of Kiambu for two homes", KIAMBU),
    ("two changes of the clock, and the highest price", SUMMERTIME),
    ("eight blocks", Tariff(2, 119_806, 1, UTC, 255, 0, (*BLOCKS, (0, 901)), 0, 0)),
)

OPEN = policy.NEW._replace(version=2)
POLICIES = (
    ("closed without credit, nothing else", OPEN),
    ("never closed", OPEN._replace(flags=NEVER_CLOSE_LOCK)),
    (
        "emergency credit, lifeline and friendly hours",
        OPEN._replace(
            flags=WINDOW_NEEDS_CREDIT,
            emergency_mills=500_000,
            emergency_unsure_mills=900_000,
            lifeline_l_per_day=25,
            low_credit_mills=5_000,
            windows=((31, 0, 360), (127, 1_020, 480)),
            window_cap_l=100,
            until_slot=124_000,
            grace_s=600,
            jitter_s=60,
        ),
    ),
    (
        "everything at once",
        OPEN._replace(
            flags=TAMPER_CLOSES | BATTERY_CLOSES,
            lifeline_l_per_day=50,
            windows=((96, 1_320, 360),),
            window_cap_l=200,
            until_slot=130_000,
            jitter_s=1_800,
            holidays=(2_500, 2_501, 2_600),
            holiday_end_min=480,
            vulnerable_until_slot=131_000,
            vulnerable_l_per_day=80,
            amnesty_until_slot=132_000,
            amnesty_cap_l=5_000,
            fire_s=7_200,
            fire_every_days=30,
            fire_cap_l=3_000,
            pulse_l=5,
            pause_s=1_200,
        ),
    ),
)
PLANS = (
    ("no debt", Plan(2, 0, 0, 0)),
    ("100 F CFA a day up to 30,000", Plan(2, 30_000_000, 100_000, 2_496)),
    ("the greatest", Plan(2, 2**53 - 1, 2**40 - 1, (2**24 - 1) // 48)),
)

Packs = tuple[tuple[str, Any], ...]
KINDS: tuple[tuple[str, Any, Packs], ...] = (
    ("tariff", tariff, TARIFFS),
    ("policy", policy, POLICIES),
    ("plan", debt, PLANS),
)

# (name, tariff, first slot, litres of each slot, first of the slots under an unsure clock or None). 119,806 is
# 2026-10-31T23:00Z.
RUNS = (
    ("Niger through all blocks", NIGER, 119_806, (14_999, 2, 25_000, 1, 0, 3), None),
    ("Kiambu from the month's first day, past its minimum", KIAMBU, 119_806, (6_000, 6_001, 40_000, 65_535), None),
    ("a remainder that carries", TARIFFS[1][1], 119_806, (6_000, 1, 1, 1, 7), None),
    ("Kiambu over a day's and a month's edge", KIAMBU, 121_190, tuple(number % 5 for number in range(60)), None),
    ("the same under an unsure clock from the tenth slot on", KIAMBU, 121_190, tuple(n % 5 for n in range(60)), 10),
    ("a clock that changes inside", SUMMERTIME, 119_990, (1,) * 30, None),
)
