"""A whole day in the heap of the real part: 64 K words, .mpy files only (DESIGN §8)."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from protocol.rules.calendar import Offsets, slot_of
from protocol.rules.policy import NEW, TAMPER_CLOSES
from protocol.rules.tariff import Tariff, encode_body
from protocol.wire.command_codes import REPORT_PERIOD, TELL, VALVE_OPEN, VALVE_RELEASE
from protocol.wire.messages import DOWN_POLICY, DOWN_TARIFF, UP_DAY, UP_RANGE, Command, Nack
from protocol.wire.parts import pack_parts, whole_pack
from simulator import link
from tests.firmware.rig import HEAP, MIDNIGHT_S, Rig, opening
from tests.firmware.test_packs_in_parts import long_policy, longest, parts_of

# Kiambu-like: minimum, four blocks, daily and monthly charges, a DST-less offset; friendly hours every night.
RICH_TARIFF = Tariff(
    1, 0, 2, Offsets(180, ()), 2, 5_775_000, ((6_000, 0), (20_000, 8_000), (50_000, 9_000), (0, 11_500)), 1, 9
)
RICH_POLICY = NEW._replace(
    emergency_mills=500,
    emergency_unsure_mills=500,
    lifeline_l_per_day=20,
    low_credit_mills=5_000,
    windows=((31, 0, 360), (127, 1_020, 480)),
    window_cap_l=100,
    until_slot=slot_of(MIDNIGHT_S) + 4_000,
    grace_s=600,
    jitter_s=60,
)

# Provisioned with long packs already.
EVERYTHING: dict[str, Any] = {"opening": opening(50_000_000), "tariff": RICH_TARIFF, "policy": long_policy(6)}


def test_a_day_with_a_tariff_a_top_up_and_flash_commits_fits_64_k_words(
    rig: Callable[..., Rig], device: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert HEAP == "heapsize=64wK"
    assert {path.suffix for path in device.rglob("*") if path.is_file()} == {".mpy"}
    meter = rig(opening=opening(50_000), tariff=RICH_TARIFF, policy=RICH_POLICY)
    meter.books.tariff_offsets = RICH_TARIFF.offsets
    meter.start()
    from_slot = slot_of(MIDNIGHT_S) + 20
    for slot in range(48):
        meter.draw(slot % 7 * 3)
        if slot == 8:
            tariff = RICH_TARIFF._replace(version=2, from_slot=from_slot, standing_day=7)
            meter.hear(meter.books.pack(DOWN_TARIFF, whole_pack(2, from_slot, encode_body(tariff))))
        if slot == 12:
            meter.credit(90_000_000)
        meter.run_to(MIDNIGHT_S + (slot + 1) * 1800)
    reading = meter.read()
    with capsys.disabled():
        print(f"\nminimum free heap of {HEAP}: {reading['heap_free_min']} bytes")
    assert reading["interpreter"] == "micropython"
    assert reading["boot_count"] == 1  # an exhausted heap would have been a reset
    assert (reading["tariff_version"], reading["credited_mills"], reading["opened"]) == (2, 90_000_000, 1)
    assert reading["volume_l"] == meter.count > 300
    assert reading["flash_operations"] > 1_000
    assert reading["heap_free_min"] > 10_240
    assert meter.sent(UP_DAY, UP_RANGE)
    assert all(len(frame) <= 51 for frame in meter.raw)


def test_days_of_silence_are_all_told_afterwards(rig: Callable[..., Rig]) -> None:
    """CT-05, CT-15, F3: ten silent days, daily cadence; when the headend asks again every slot arrives."""
    days = 10
    meter = rig(opening=opening(1_000_000_000), report_slots=48).start()
    for _ in range(days):
        meter.draw(2)
        meter.run(86_400)
    first = frontier = slot_of(MIDNIGHT_S)
    meter.frames.clear()
    slots: set[int] = set()
    asked = 0
    while frontier < first + (days - 1) * 48:
        ranges = tuple((slot, 255) for slot in range(frontier, first + days * 48, 255))
        meter.hear(meter.books.seal(Nack(0, ranges)))
        meter.run(301)
        for message in meter.sent(UP_DAY, UP_RANGE):
            low = first & ~0x3FFF | message.slot14
            slots.update(range(low, low + len(message.litres)))
        while frontier in slots:
            frontier += 1
        asked += 1
    assert len(meter.sent(UP_DAY, UP_RANGE)) <= asked + 1 <= days  # one frame for each, and the day's own


def life_with_everything(meter: Rig) -> tuple[dict[str, Any], dict[str, Any]]:
    """What a meter made with EVERYTHING reads at the end of it, and after one more boot.

    Long packs in parts, commands, a change of keys, a backlog of five days, a lost slot asked for again, alarms.
    """
    orders = ((TELL, 0, 0), (VALVE_OPEN, 60, 1), (VALVE_RELEASE, 0, 0), (REPORT_PERIOD, 2, 0), (9, 0, 0))
    tariff_parts = pack_parts(2, slot_of(MIDNIGHT_S) + 300, longest(2))
    policy_parts = parts_of(long_policy(7, flags=TAMPER_CLOSES))
    meter.books.tariff_offsets = RICH_TARIFF.offsets
    meter.start()
    boots = meter.read()["boot_count"]
    for number in range(5):
        meter.draw(5)
        meter.run(2 * 3600)
        meter.hear(*[meter.books.pack(DOWN_POLICY, part) for part in policy_parts[number::5]])
        meter.hear(*[meter.books.pack(DOWN_TARIFF, part) for part in tariff_parts[number::5]])
        code, argument, limit = orders[number]
        meter.hear(meter.books.seal(Command(number + 1, MIDNIGHT_S + 10**7, code, argument, limit)))
        meter.hear(meter.books.rekey(number + 1))
        meter.credit(50_000_000 + number)
        meter.advance(link.tamper(number % 2 == 1))
        meter.run(22 * 3600)
    meter.hear(meter.books.seal(Nack(0, ((slot_of(MIDNIGHT_S) + 3, 20), (slot_of(MIDNIGHT_S) + 60, 2)))))
    meter.run(3600)
    living = meter.read()
    assert living["boot_count"] == boots
    assert (living["policy_version"], living["key_epoch"], living["command"], living["report_slots"]) == (7, 5, 5, 2)
    meter.restart().run(3600)
    booted = meter.read()
    assert booted["boot_count"] == boots + 1
    return living, booted


def test_a_life_with_everything_leaves_ten_kilobytes(
    rig: Callable[..., Rig], capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing may bring the heap near its end."""
    living, booted = life_with_everything(rig(**EVERYTHING))
    with capsys.disabled():
        print(f"\nminimum free heap of a life with everything: {living['heap_free_min']} bytes")
    assert min(living["heap_free_min"], booted["heap_free_min"]) > 10_240
