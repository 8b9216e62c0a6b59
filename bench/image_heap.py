"""The smallest heap in which the image lives a full day: found by giving it less until it does not.

The day, in QEMU and in lock-step: provisioned with a tariff and a long policy, water in every half-hour, a tariff of
eight blocks and a policy in parts over the air, a top-up, commands, a change of keys, reports, and a state written to
flash all along. It has lived when it booted once, holds all it was told, and counted every litre. Only `heap_bytes` of
the image differs from one trial to the next, so nothing is built again.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from firmware.image.elf import Image
from firmware.image.sources import FirmwareFailed
from firmware.provisioning import identity_record, opening_frame
from protocol.rules.calendar import SLOT_S, Offsets
from protocol.rules.policy import NEW, Policy
from protocol.rules.policy import encode_body as policy_body
from protocol.rules.tariff import Tariff
from protocol.rules.tariff import encode_body as tariff_body
from protocol.wire.command_codes import REPORT_PERIOD, TELL
from protocol.wire.downlinks import encode_down
from protocol.wire.envelope import DOWN, seal
from protocol.wire.keys import derive
from protocol.wire.messages import DOWN_POLICY, DOWN_TARIFF, Command, Opening, Rekey, Statement
from protocol.wire.parts import pack_parts
from simulator import link
from simulator.clock import DAY_US, SECOND_US, START_UNIX_S
from simulator.face import parse_reading, read_request
from simulator.meter_process import MeterFailed
from simulator.prices import START_SLOT

STEP_BYTES = 512
STRIDE = 8  # steps taken at once
LEAST_BYTES = 8 * 1024
SLOTS = 48
_METER_ID, _ROOT = bytes.fromhex("6775656c74610003"), bytes(range(32, 48))
_NUMBER = "heap_bytes"
MeterOf = Callable[[Path, Path, str], Any]  # (image, flash file, provisioning in hex) -> hil_tests' ImageMeter


def heap_min(image: Path, meter_of: MeterOf, lives: Callable[[Path, MeterOf], bool] | None = None) -> int:
    """The least number of bytes, in steps of 512, with which the image lives the day."""
    lives = lives or lives_a_day
    whole = Image(image)
    low, high = LEAST_BYTES // STEP_BYTES, whole.number(_NUMBER) // STEP_BYTES
    with TemporaryDirectory(prefix="guelta-heap-") as folder:
        copy = Path(folder) / image.name

        def suffices(steps: int) -> bool:
            copy.write_bytes(whole.with_number(_NUMBER, steps * STEP_BYTES))
            return lives(copy, meter_of)

        if not suffices(high):
            raise FirmwareFailed(
                f"{image} does not live through a day in the {high * STEP_BYTES} bytes of its own heap"
            )
        # Downwards, and halving only near the end: far below it, a meter takes long to show that it never starts.
        while high > low and suffices(max(low, high - STRIDE)):
            high = max(low, high - STRIDE)
        low = max(low, high - STRIDE + 1)
        while low < high:
            middle = (low + high) // 2
            low, high = (low, middle) if suffices(middle) else (middle + 1, high)
    return high * STEP_BYTES


def lives_a_day(image: Path, meter_of: MeterOf) -> bool:
    """Whether the image came through the day without a reset and with everything in it."""
    with TemporaryDirectory(prefix="guelta-day-") as folder:
        day = Day(lambda provision_hex: meter_of(image, Path(folder) / "flash.bin", provision_hex))
        try:
            told = day.live()
        except (MeterFailed, ValueError, _Reset):
            return False
        finally:
            day.meter.dispose()
    wanted = {
        "boot_count": 1, "safe_mode": 0, "opened": 1, "volume_l": day.litres, "credited_mills": day.credited_mills,
        "tariff_version": 2, "policy_version": 2, "key_epoch": 1, "command": 2,
    }  # fmt: skip
    return {name: told[name] for name in wanted} == wanted


def long_tariff(version: int, from_slot: int) -> Tariff:
    """Eight blocks, all charges, and a clock that changes for eight years."""
    transitions = tuple((START_SLOT + 8_761 * at, 60 * (at % 2)) for at in range(1, 17))
    blocks = tuple((10_007 * at, 1_000 + at) for at in range(1, 8))
    return Tariff(version, from_slot, 2, Offsets(0, transitions), 2, 5_775_000, (*blocks, (0, 2_000)), 7, 9)


def long_policy(version: int) -> Policy:
    """Friendly nights and evenings, holidays, a lifeline, and every other part a policy has a number for."""
    return NEW._replace(
        version=version,
        emergency_mills=500,
        emergency_unsure_mills=500,
        lifeline_l_per_day=20,
        low_credit_mills=5_000,
        holidays=tuple(START_SLOT // SLOTS + 7 * week for week in range(1, 17)),
        holiday_end_min=480,
        windows=((31, 1_020, 480), (32, 1_020, 0), (64, 0, 480), (16, 720, 780)),
        window_cap_l=100,
        until_slot=START_SLOT + 4_000,
        grace_s=600,
        jitter_s=60,
    )


class _Reset(Exception):
    """The meter began again in the middle of the day."""


class Day:
    """One meter, its pipe, and a headend that only speaks."""

    def __init__(self, meter_of: Callable[[str], Any]) -> None:
        self.litres = 0
        self.credited_mills = 900_000_000
        self._counter = 0
        self._keys = derive(_ROOT, _METER_ID, 1, 0)
        opening = Opening(1, 0, 0, 0, 0, START_SLOT, self.credited_mills, 0, 1)
        first = identity_record(
            _METER_ID,
            _ROOT,
            1,
            opening=opening_frame(_ROOT, _METER_ID, opening, counter=0),
            tariff=long_tariff(1, 0),
            policy=long_policy(1),
        )
        self.meter = meter_of(first.hex())

    def live(self) -> dict[str, Any]:
        """Through the day; what the console tells at its end."""
        at_boot = [
            link.real_time(START_UNIX_S, True),
            link.end_stop(link.END_OPEN),
            link.battery(3_600),
            link.pulses(0),
        ]
        spoken = self.meter.start(0, at_boot)
        self._boots = self.meter.boots
        self._wake_us = self._react(0, spoken)
        news = self._news()
        for slot in range(SLOTS):
            begin_us = slot * SLOT_S * SECOND_US
            for litre in range(slot % 7 * 3):
                self.litres += 1
                self._run_to(begin_us + (60 + 30 * litre) * SECOND_US, link.pulses(self.litres))
            if news and slot >= 4:
                self._run_to(begin_us + 1_500 * SECOND_US, *[link.record(link.RADIO, one) for one in news.pop(0)])
        answer = self._run_to(DAY_US, link.record(link.CONSOLE, read_request()))
        return parse_reading(answer)

    def _news(self) -> list[list[bytes]]:
        """What is heard, by half-hour: the parts of both packs a few at a time, orders, money, new keys."""
        self.credited_mills += 90_000_000
        tariff = pack_parts(2, START_SLOT + 30, tariff_body(long_tariff(2, START_SLOT + 30)))
        policy = pack_parts(2, START_SLOT, policy_body(long_policy(2)))
        return [
            *[[self._seal(part, DOWN_TARIFF)] for part in tariff],
            *[[self._seal(part, DOWN_POLICY)] for part in policy],
            [self._seal(Statement(2, self.credited_mills, 0, 0, 0))],
            [self._seal(Command(1, START_UNIX_S + 10**7, TELL, 0, 0))],
            [self._seal(Command(2, START_UNIX_S + 10**7, REPORT_PERIOD, 2, 0)), self._seal(Rekey(1))],
        ]

    def _seal(self, message: Any, kind: int | None = None) -> bytes:
        message_type, plaintext = encode_down(message, kind)
        self._counter += 1
        return seal(self._keys, DOWN, message_type, self._counter, plaintext)

    def _run_to(self, until_us: int, *records: bytes) -> bytes:
        """Wake the meter whenever it asks until then, and hand over the records; what its console said to them."""
        while self._wake_us < until_us:
            now_us = self._wake_us
            self._wake_us = self._react(now_us, self.meter.advance(now_us))
        spoken = self.meter.advance(until_us, records)
        self._wake_us = self._react(until_us, spoken)
        return bytes(spoken.console)

    def _react(self, now_us: int, spoken: Any) -> int:
        """The valve reaches its end at once. When the meter wants to be woken next."""
        for said in spoken.field:
            if said[:1] == b"M" and said[1] in (link.MOTOR_OPEN, link.MOTOR_CLOSE):
                end = link.END_OPEN if said[1] == link.MOTOR_OPEN else link.END_CLOSED
                spoken = self.meter.advance(now_us, [link.end_stop(end)])
        if self.meter.boots != self._boots:
            raise _Reset
        return int(spoken.deadline_us)
