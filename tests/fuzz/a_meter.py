"""A real meter's firmware in memory, opened and with credit, made anew from the same flash as often as is asked."""

from collections.abc import Iterator
from typing import Any

from firmware import console_fields
from firmware.provisioning import identity_record, opening_frame
from protocol.rules.calendar import UTC, slot_of
from protocol.rules.policy import NEW
from protocol.rules.tariff import Tariff
from protocol.wire import cbor
from protocol.wire.messages import Opening
from simulator import link
from simulator.meter_in_memory import MeterInMemory

NOW_S = 1_798_761_600  # 2027-01-01T00:00Z
METER_ID, ROOT = bytes.fromhex("6775656c74610001"), bytes(range(16))
CREDIT_MILLS = 1_000_000
# What may only rise, and what a meter alone says of itself (SEMANTICS A1).
COUNTERS = ("volume_l", "credited_mills", "debited_mills", "spent_mills", "collected_mills", "boot_count", "statement")


class AMeter:
    """`fresh()` is a meter that has just booted; `old()` the one of last time, a few uses long."""

    def __init__(self, uses: int) -> None:
        self._uses, self._left = uses, 0
        opened = Opening(1, 0, 0, 0, 0, slot_of(NOW_S), CREDIT_MILLS, 0, 1)
        tariff, policy = Tariff(1, 0, 0, UTC, 1, 0, ((0, 500),), 0, 0), NEW._replace(low_credit_mills=5_000)
        opening = opening_frame(ROOT, METER_ID, opened, counter=0)
        record = identity_record(METER_ID, ROOT, 1, opening=opening, tariff=tariff, policy=policy)
        self._first = MeterInMemory("first", record.hex())
        self._start(self._first)
        self._flash = {path: bytes(content) for path, content in self._first.files.content.items()}
        self._eeprom = bytes(self._first.eeprom.content)
        self._meter = self._first

    def old(self) -> MeterInMemory:
        self._left -= 1
        if self._left < 0 or not self._meter.running or self._meter.application.ended:
            self._left = self._uses
            self._meter = self.fresh()
        return self._meter

    def fresh(self) -> MeterInMemory:
        made = MeterInMemory("made", "")
        made.files.content = {path: bytearray(content) for path, content in self._flash.items()}
        made.eeprom.content = bytearray(self._eeprom)
        self._start(made)
        return made

    @staticmethod
    def _start(meter: MeterInMemory) -> None:
        meter.start(0, [link.real_time(NOW_S, True), link.pulses(0)])


def reading(meter: MeterInMemory) -> dict[str, Any]:
    """What it says of itself by cable."""
    answer = meter.application.answer(cbor.encode_sequence([1, "read"]), None)
    return dict(zip(console_fields.FIELDS, cbor.decode_sequence(answer, 2, 600, 1_088)[1:], strict=True))


def counters(meter: MeterInMemory) -> list[int]:
    told = reading(meter)
    return [told[name] for name in COUNTERS]


def records(data: bytes) -> Iterator[tuple[int, bytes]]:
    """An input as (a byte, so many bytes): `byte | length | bytes`, over and over."""
    at = 0
    while at + 2 <= len(data):
        yield data[at], data[at + 2 : at + 2 + data[at + 1]]
        at += 2 + data[at + 1]
