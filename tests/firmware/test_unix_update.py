"""A real meter process updated: the loader runs what a slot holds, on trial; the books go on (B9)."""

from pathlib import Path

import pytest

from firmware.boot_slot import COMPLETE, CONFIRMED, is_set
from firmware.build import build, bundle_of, with_version
from protocol.compat import sha256
from protocol.wire import event_codes
from protocol.wire.messages import UP_DEVICE, UP_EVENT
from tests.firmware.rig import Rig, opening
from tests.firmware.update_cuts import Maker, SlotRam, install

KEY = bytes(range(1, 65))
# Not every interpreter can check ECDSA (tests/wire/test_p256.py does where it can): here a hash signs.
REAL = '    def p256_verify(key: bytes, digest: bytes, signature: bytes) -> "bool | None":\n        try:'
HASHED = (
    '    def p256_verify(key: bytes, digest: bytes, signature: bytes) -> "bool | None":\n'
    "        return signature == sha256(key + digest) + sha256(digest + key)\n        try:"
)


def sign(digest: bytes) -> bytes:
    return sha256(KEY + digest) + sha256(digest + KEY)


MAKER = Maker(KEY, sign)


@pytest.fixture(scope="module")
def factory_and_update(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, bytes]:
    """The factory's build, and the bundle of release 0.1.1."""
    source = Path("protocol/compat.py")
    text = (Path(__file__).resolve().parents[2] / source).read_text()
    assert REAL in text
    replaced = {source.as_posix(): text.replace(REAL, HASHED)}
    factory = build(tmp_path_factory.mktemp("factory"), replaced)
    newer = build(tmp_path_factory.mktemp("newer"), replaced | with_version(101))
    return factory, bundle_of(newer)


def meter_with_update(factory_and_update: tuple[Path, bytes], folder: Path) -> Rig:
    """A meter with credit, switched off, in whose slot 0 the update was verified."""
    factory, bundle = factory_and_update
    meter = Rig(factory, folder, heap="heapsize=96wK", opening=opening(500_000))
    meter.start("--release-key", KEY.hex())
    meter.draw(4)
    assert meter.read()["balance_mills"] == 498_000
    meter.kill()
    slots = SlotRam(slots_file(meter).read_bytes())
    install(slots, 0, MAKER.update(bundle, 101), (COMPLETE,))
    slots_file(meter).write_bytes(slots.content)
    return meter


def slots_file(meter: Rig) -> Path:
    return meter.flash.with_name(meter.flash.name + ".slots")


def boot(meter: Rig) -> Rig:
    meter.kill()
    meter.pending = []
    return meter.start("--release-key", KEY.hex(), provision=False)


def versions(meter: Rig) -> list[int]:
    return [message.firmware_version for message in meter.sent(UP_DEVICE)]


def codes(meter: Rig) -> list[int]:
    return [entry.code for message in meter.sent(UP_EVENT) for entry in message.events]


def test_an_update_runs_proves_itself_and_the_books_go_on(
    factory_and_update: tuple[Path, bytes], tmp_path: Path
) -> None:
    meter = meter_with_update(factory_and_update, tmp_path)
    boot(meter).run(2 * 1_800)
    assert versions(meter)[-1] == 101
    meter.credit(700_000)
    meter.draw(3)
    meter.run(1_800)
    assert is_set(SlotRam(slots_file(meter).read_bytes()), 0, CONFIRMED)
    assert event_codes.FIRMWARE_CONFIRMED in codes(meter)
    boot(meter)
    reading = meter.read()
    assert (reading["balance_mills"], reading["volume_l"]) == (700_000 - 3_500, 7)
    assert reading["heap_free_min"] > 10_240
    meter.kill()
