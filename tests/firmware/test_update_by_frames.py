"""A whole update by frames: real books offer it, a real meter process takes it, starts it and says so (CT-33, B9)."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from firmware.boards.unix.slot_file import EXIT_RESTART
from firmware.boot_slot import COMPLETE, CONFIRMED, is_set
from firmware.provisioning import identity_record
from headend.downlink.reply import seal
from headend.ingest.received import Bearer, Received
from headend.ledger.checks import check_books
from headend.meters.registry import Provisioning
from headend.releases import releases, updates
from protocol.compat import sha256
from protocol.rules import policy, tariff
from protocol.wire.envelope import read_header
from protocol.wire.event_codes import FIRMWARE_CONFIRMED
from protocol.wire.messages import UP_EXTENDED
from simulator import link
from tests.firmware.rig import Rig
from tests.firmware.test_unix_update import KEY, MAKER, factory_and_update, slots_file
from tests.firmware.update_cuts import SlotRam
from tests.headend.world import World

__all__ = ["factory_and_update"]

NEW = 101
HOUR = 3_600


class Line(Rig):
    """A meter whose radio ends at a headend's books. `lost`: of ten frames, how many are lost, either way."""

    def __init__(self, build: Path, folder: Path, world: World, record: Provisioning, lost: int) -> None:
        super().__init__(build, folder, heap="heapsize=96wK")
        first, rules = record.tariff, record.policy
        self.provision = identity_record(
            record.meter_id,
            record.root,
            record.generation,
            opening=record.opening_frame,
            tariff=tariff.decode_body(first.version, first.from_slot, first.body),
            policy=policy.decode_body(rules.version, rules.from_slot, rules.body),
            policy_from_slot=rules.from_slot,
        )
        self.world, self.record, self.lost = world, record, lost
        self.chance = random.Random(lost)
        self.now_s = world.clock.unix_us() // 1_000_000
        self.asked = self.given = self.restarts = 0

    def live(self, seconds: int) -> None:
        """Time passes; where the meter restarts by itself, power stays on."""
        until_s = self.now_s + seconds
        while self.now_s < until_s:
            try:
                self.run_to(until_s)
            except AssertionError:
                assert self.process is not None and self.process.wait() == EXIT_RESTART
                self.kill()
                self.pending = []
                self.restarts += 1
                self.start("--release-key", KEY.hex(), provision=False)

    def _said(self, channel: int, payload: bytes) -> None:
        if channel != link.RADIO:
            super()._said(channel, payload)
            return
        self.asked += read_header(payload).type == UP_EXTENDED
        self.world.clock.set(max(self.world.clock.unix_us(), self.now_s * 1_000_000))
        if self.chance.randrange(10) < self.lost:
            return
        received = Received(self.record.meter_id, payload, Bearer.UDP, "127.0.0.1 5555", self.world.clock.unix_us())
        reply = self.world.writer.run(lambda tx: self.world.ingest.receive(tx, received)).reply
        for frame in [] if reply is None else seal(reply):
            self.given += read_header(frame).type == UP_EXTENDED
            if self.chance.randrange(10) >= self.lost:
                self.pending.append(link.record(link.RADIO, frame))


@pytest.fixture
def signed_by_hash(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What these builds of the meter take for a signature (test_unix_update.py), the headend takes too."""
    monkeypatch.setattr(
        releases,
        "p256_verify",
        lambda key, digest, signature: signature == sha256(key + digest) + sha256(digest + key),
    )
    yield


@pytest.mark.slow
@pytest.mark.usefixtures("signed_by_hash")
@pytest.mark.parametrize("lost", [1])
def test_a_meter_takes_an_update_by_frames_and_runs_it(
    factory_and_update: tuple[Path, bytes], tmp_path: Path, lost: int
) -> None:
    """Ordered at the desk; all else is the meter's asking and the headend's answering. Water and money go on."""
    factory, bundle = factory_and_update
    world = World(tmp_path, random.Random(5))
    virtual = world.add()
    head, image = MAKER.update(bundle, NEW)
    release = world.writer.run(lambda tx: releases.add_release(tx, head + image, KEY))
    meter = Line(factory, tmp_path, world, virtual.record, lost)
    world.pay(virtual.number, 500, "t1")
    meter.start("--release-key", KEY.hex())
    meter.run(HOUR)
    meter.draw(2)
    world.writer.run(lambda tx: updates.order(tx, virtual.meter_id, NEW, None))
    began_s = meter.now_s
    while state_of(world, virtual.meter_id) == updates.WANTED:
        meter.live(60)
        assert meter.now_s - began_s < 72 * HOUR
    figures = (
        f"{release.file_size} bytes in {release.fragments} fragments, {lost} of 10 frames lost: {meter.given} given"
    )
    print(f"{figures}, {meter.asked} asked, {meter.now_s - began_s} s, {meter.restarts} restart")
    assert meter.restarts == 1
    slots = SlotRam(slots_file(meter).read_bytes())
    assert slots.read(0, 4096, len(image)) == image and is_set(slots, 0, COMPLETE)
    meter.draw(1)
    meter.live(2 * HOUR)
    assert is_set(SlotRam(slots_file(meter).read_bytes()), 0, CONFIRMED)
    reading = meter.read()
    meter.kill()
    told = world.rows("SELECT code, argument FROM meter_event WHERE code IN (29, 30)")
    assert told in ([(FIRMWARE_CONFIRMED, NEW)], []) and (told or lost)
    assert state_of(world, virtual.meter_id) == updates.DONE
    assert (reading["volume_l"], reading["credited_mills"]) == (3, 500_000)
    assert world.reader.read(check_books) == []
    assert world.rows("SELECT * FROM case_file") == []
    world.close()


def state_of(world: World, meter_id: bytes) -> str:
    found = world.reader.read(lambda connection: updates.update_of(connection, meter_id))
    assert found is not None
    return found.state
