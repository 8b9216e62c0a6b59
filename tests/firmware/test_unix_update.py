"""A real meter process updated: the loader runs what a slot holds, on trial; the books go on (B9)."""

from pathlib import Path

import pytest

from firmware.boards.unix.slot_file import EXIT_RESTART
from firmware.boot_slot import COMPLETE, CONFIRMED, REJECTED, is_set
from firmware.build import build, bundle_of, with_version
from protocol.compat import sha256
from protocol.wire import event_codes, update_codes
from protocol.wire.limits import UPDATE_CHUNK_MAX
from protocol.wire.messages import UP_DEVICE, UP_EVENT, UP_EXTENDED, Fragment, Progress
from tests.firmware.rig import Rig, opening
from tests.firmware.update_cuts import Maker, SlotRam, install

ROOT = Path(__file__).resolve().parents[2]
WAKE_UP = "    def wake_up(self):\n"
DAY_S = 86_400
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
    text = (ROOT / source).read_text()
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


def test_three_boots_without_a_downlink_fall_back(factory_and_update: tuple[Path, bytes], tmp_path: Path) -> None:
    """Each a power cut after an uplink that nobody answers. Water and money are those of one meter throughout."""
    meter = meter_with_update(factory_and_update, tmp_path)
    ran = []
    for _ in range(4):
        boot(meter).run(1_800)
        meter.draw(2)
        meter.run(3_600)
        ran.append(versions(meter)[-1])
    assert ran == [101, 101, 101, 100]
    fell_back(meter, factory_and_update[1], litres=4 + 4 * 2)


def test_a_day_of_silence_falls_back(factory_and_update: tuple[Path, bytes], tmp_path: Path) -> None:
    """The meter resets itself, a day after the boot and not before; no hand is at its power."""
    meter = meter_with_update(factory_and_update, tmp_path)
    boot(meter).run(1_800)
    meter.draw(2)
    with pytest.raises(AssertionError, match="the meter ended"):
        meter.run(2 * DAY_S)
    assert meter.process is not None and meter.process.wait() == EXIT_RESTART
    assert meter.now_s - meter.booted_s == DAY_S
    assert is_set(SlotRam(slots_file(meter).read_bytes()), 0, REJECTED)
    boot(meter).run(1_800)
    meter.draw(2)
    meter.run(1_800)
    assert versions(meter)[-1] == 100
    fell_back(meter, factory_and_update[1], litres=4 + 2 * 2)


def test_an_update_that_faults_uses_up_its_trials_by_itself(
    factory_and_update: tuple[Path, bytes], tmp_path: Path
) -> None:
    """Three resets without a hand at the meter, and the factory's firmware runs with the books as they were."""
    text = (ROOT / "firmware/meter.py").read_text()
    assert WAKE_UP in text
    broken = {"firmware/meter.py": text.replace(WAKE_UP, WAKE_UP + "        raise MemoryError\n")}
    (tmp_path / "broken").mkdir()
    bundle = bundle_of(build(tmp_path / "broken", broken | with_version(101)))
    meter = meter_with_update((factory_and_update[0], bundle), tmp_path)
    for _ in range(3):
        with pytest.raises(AssertionError, match="the meter ended"):
            boot(meter)
        assert meter.process is not None and meter.process.wait() == EXIT_RESTART
    boot(meter).run(3_600)
    assert versions(meter)[-1] == 100
    fell_back(meter, bundle, litres=4)


def fell_back(meter: Rig, bundle: bytes, litres: int) -> None:
    """The factory's firmware runs with the books of all lives before, has said so, and is not talked into it again."""
    told = {
        entry.event_no: entry.argument
        for message in meter.sent(UP_EVENT)
        for entry in message.events
        if entry.code == event_codes.FIRMWARE_REJECTED
    }
    assert list(told.values()) == [101], "told, as one event"
    reading = meter.read()
    assert (reading["volume_l"], reading["balance_mills"]) == (litres, 500_000 - 500 * litres)
    before = slots_file(meter).read_bytes()
    for update in (MAKER.update(bundle, 101), MAKER.update(bundle + b"another", 101)):
        assert offered(meter, update[0], 101) == Progress(101, 0, update_codes.IDLE, update_codes.TRIED)
    assert slots_file(meter).read_bytes() == before
    later = MAKER.update(bundle, 102)[0]
    assert offered(meter, later, 102) == Progress(102, len(later), update_codes.TAKING, 0)
    meter.kill()


def offered(meter: Rig, head: bytes, version: int) -> Progress:
    """What the meter says to a question, and then to the whole manifest, by radio."""
    meter.hear(meter.books.seal(Fragment(version, 0, b"")))
    for at in range(0, len(head), UPDATE_CHUNK_MAX):
        meter.hear(meter.books.seal(Fragment(version, at, head[at : at + UPDATE_CHUNK_MAX])))
    meter.hear(meter.books.seal(Fragment(version, 0, b"")))
    said: Progress = meter.sent(UP_EXTENDED)[-1]
    return said
