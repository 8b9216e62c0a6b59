"""Meters that share one time and one headend, and the air between them; two of them may be one meter twice.

The meter is the firmware under CPython (simulator.meter_in_memory), the headend has real books. A copy is what a thief
makes: the flash and the EEPROM as they are, in another box with a clock chip of its own and another pipe.
"""

import heapq
import random
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

from firmware.identity import Identity, encode
from headend.downlink.reply import seal
from headend.ingest.received import Bearer, Received
from headend.meters.registry import NewMeter, add_meter
from headend.storage.writer import Writer
from protocol.rules.calendar import slot_of, slot_start
from protocol.wire.messages import DOWN_POLICY, DOWN_TARIFF
from simulator import link
from simulator.meter_in_memory import MeterInMemory
from simulator.meter_process import Spoken
from tests.headend.world import START_SLOT, World

SECOND_US = 1_000_000
HOUR_S = 3_600
DAY_S = 86_400
STROKE_S = 8
BURST_S = 60  # frames within a minute are one time to speak


def open_world(folder: Path, chance: random.Random) -> World:
    """The headend of a folder; nobody else waits for its writer, so it needs no thread."""
    world = World(folder, chance)
    world.writer.close()
    world.writer = Writer(world.path, world.clock, own_thread=False)
    return world


class Device:
    """One box at one pipe. `arrived` is every frame of it that reached the headend, with the second it did."""

    def __init__(self, scene: "Scene", meter_id: bytes, meter: MeterInMemory, counted: int = 0) -> None:
        self.scene, self.meter_id, self.meter, self.counted = scene, meter_id, meter, counted
        self.arrived: list[tuple[int, bytes]] = []
        self.on_air = True
        self.wake_s = 0

    def power_on(self, clock_error_s: int = 0, clock_valid: bool = True) -> None:
        said_s = min(max(self.scene.now_s + clock_error_s, 0), 2**32 - 1)
        sensed = [link.pulses(self.counted), link.real_time(said_s, clock_valid), link.battery(3_600)]
        self._heard(self.meter.start(self._us(), sensed))

    def reset(self, clock_error_s: int = 0, clock_valid: bool = True) -> None:
        """The power goes and comes again."""
        self.meter.kill()
        self.power_on(clock_error_s, clock_valid)

    def copy(self) -> "Device":
        """Another box with this one's flash; it has no power yet."""
        twin = MeterInMemory(self.meter.name, "")
        twin.files.content = deepcopy(self.meter.files.content)
        twin.eeprom.content = bytearray(self.meter.eeprom.content)
        return Device(self.scene, self.meter_id, twin, self.counted)

    def draw(self, litres: int) -> None:
        self.counted += litres
        self.sense(link.pulses(self.counted))

    def sense(self, *records: bytes) -> None:
        if self.meter.running:
            self._heard(self.meter.advance(self._us(), records))

    def _us(self) -> int:
        return (self.scene.now_s - self.scene.began_s + 1) * SECOND_US

    def _heard(self, spoken: Spoken) -> None:
        for payload in spoken.field:
            if payload[:1] == b"M" and payload[1] != link.MOTOR_STOP:
                self.scene.later(STROKE_S, self.sense, link.end_stop(int(payload[1] == link.MOTOR_CLOSE)))
        for frame in spoken.frames:
            if self.on_air:
                self.scene.carry(self, frame)
        self.wake_s = self.scene.began_s - 1 - (-spoken.deadline_us // SECOND_US)

    def times_heard(self, from_s: int) -> int:
        """How often it has spoken and was heard since, whatever number of frames that took."""
        times, last_s = 0, -BURST_S
        for at_s, _ in self.arrived:
            if at_s >= from_s and at_s - last_s >= BURST_S:
                times, last_s = times + 1, at_s
        return times


class Scene:
    """One time, one headend, the devices. `carry` may be replaced by a worse air."""

    def __init__(self, folder: Path, chance: random.Random) -> None:
        self.world = open_world(folder, chance)
        self.chance = chance
        self.now_s = self.began_s = slot_start(START_SLOT)
        self.devices: list[Device] = []
        self.bearer = Bearer.UDP
        self.carry: Callable[[Device, bytes], None] = self.arrive
        self._later: list[tuple[int, int, Callable[..., None], tuple[Any, ...]]] = []
        self._order = 0

    def close(self) -> None:
        self.world.close()

    def add(self, number: int, report_slots: int, minor: int = 100_000) -> Device:
        """A meter from now on, with its OPENING, a right clock and money."""
        self.world.clock.set(self.now_s * SECOND_US)
        slot = slot_of(self.now_s)
        fields: dict[str, Any] = {"tariff_code": "home", "customer_name": f"Customer {number}", "start_slot": slot}
        new = NewMeter(meter_id=number.to_bytes(8, "big"), **fields)
        record = self.world.writer.run(lambda tx: add_meter(tx, self.world.keyring, new))
        packs = tuple(
            (kind, pack.version, pack.from_slot, pack.body)
            for kind, pack in ((DOWN_TARIFF, record.tariff), (DOWN_POLICY, record.policy))
        )
        who = Identity(record.meter_id, record.root, 1, 1_000, report_slots, 10**10, record.opening_frame, packs)
        device = Device(self, record.meter_id, MeterInMemory(f"m{number}", encode(who).hex()))
        self.world.pay(record.customer_number, minor, f"first-{number}")
        self.devices.append(device)
        device.power_on()
        return device

    def later(self, seconds: int, act: Callable[..., None], *given: Any) -> None:
        self._order += 1
        heapq.heappush(self._later, (self.now_s + seconds, self._order, act, given))

    def run_until(self, until_s: int, enough: Callable[[], bool] = lambda: False) -> None:
        """Let time pass, until then or until it is enough."""
        while not enough():
            running = [device for device in self.devices if device.meter.running]
            nexts = [device.wake_s for device in running] + [item[0] for item in self._later[:1]]
            next_s = min(nexts, default=until_s)
            if next_s > until_s:
                self.now_s = max(self.now_s, until_s)
                return
            self.now_s = max(self.now_s, next_s)
            while self._later and self._later[0][0] <= self.now_s:
                _, _, act, given = heapq.heappop(self._later)
                act(*given)
            for device in running:
                if device.meter.running and device.wake_s <= self.now_s:
                    device.sense()

    def run(self, seconds: int) -> None:
        self.run_until(self.now_s + seconds)

    # Air ------------------------------------------------------------------------------------------------------------
    def arrive(self, device: Device, frame: bytes) -> None:
        """A frame reaches the headend; what it answers reaches who sent it a second later."""
        device.arrived.append((self.now_s, frame))
        for downlink in self.hand_in(device.meter_id, frame):
            self.later(1, device.sense, link.record(link.RADIO, downlink))

    def hand_in(self, meter_id: bytes, frame: bytes, skew_s: int = 0) -> list[bytes]:
        """A frame as a gateway hands it over, whoever had it, to a headend whose clock is so far off."""
        world, at_us = self.world, (self.now_s + skew_s) * SECOND_US
        world.clock.set(at_us)
        received = Received(meter_id, frame, self.bearer, "127.0.0.1 5555", at_us)
        answer = world.writer.run(lambda tx: world.ingest.receive(tx, received))
        return seal(answer.reply) if answer.reply is not None else []

    def water(self, device: Device, chance: random.Random, dry: float = 0.4, litres: int = 30) -> None:
        """Half-hour by half-hour somebody draws, or does not."""
        if device.meter.running and chance.random() >= dry:
            device.draw(chance.randint(1, litres))
        if device in self.devices:
            self.later(chance.randint(900, 2_700), self.water, device, chance, dry, litres)

    # What the headend found -----------------------------------------------------------------------------------------
    def witness(self, meter_id: bytes) -> str | None:
        """What gave a clone of this meter away, or None."""
        rows = self.world.rows("SELECT detail ->> 'witness' FROM case_file WHERE key = ?", f"cloned:{meter_id.hex()}:1")
        return str(rows[0][0]) if rows else None
