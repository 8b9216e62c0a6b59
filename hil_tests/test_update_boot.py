"""FEATURES B9: the image in QEMU boots out of a slot, tries an update three times, and is never without an image.

What is chosen in which state of the flash is held to a model in tests/image/test_loader.py; here the choice is started.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from firmware.boot_slot import COMPLETE, CONFIRMED, FACTORY, IMAGE_AT, SET, TRIAL, TRIALS, UNSET
from firmware.image.build import UPDATE
from firmware.image.release import UPDATE_AT, keyed
from hil_tests.rig.bench import Meter
from hil_tests.rig.debugger import LOOP_FOR_EVER, UNDEFINED
from hil_tests.rig.images import PRODUCTION, built_image
from hil_tests.rig.office import Office
from hil_tests.rig.qemu import Machine
from hil_tests.rig.slots import Loaded, as_version, flip, loaded, marks, put, until_booted
from tests.image.host_loader import PUBLIC, signed, slot, unsigned

pytestmark = pytest.mark.image_only

A, B = 0, 1
VERSION_A, VERSION_B = 40_001, 40_002
TRIAL_MARKS, CONFIRMED_MARKS = {COMPLETE: SET}, {COMPLETE: SET, CONFIRMED: SET}
# Published (docs/adr/0071): what a signature and the hash of a slot may cost at 31 million instructions a second.
SIGNATURE_US_MAX, HASH_US_MAX, BLANK_US_MAX = 3_000_000, 500_000, 1_000
RESET_VECTOR = 4

PowerOn = Callable[..., Machine]


@pytest.fixture(scope="session")
def image(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The factory's image, with the public key of these tests in it."""
    with_key = tmp_path_factory.mktemp("keyed") / PRODUCTION
    with_key.write_bytes(keyed(built_image(PRODUCTION, request.config.getoption("--images")), PUBLIC))
    return with_key


@pytest.fixture(scope="session")
def payload(request: pytest.FixtureRequest) -> bytes:
    """The code of an update, as `make firmware` builds it."""
    return built_image(UPDATE, request.config.getoption("--images")).read_bytes()


def update(payload: bytes, version: int, marked: dict[int, bytes]) -> bytes:
    """A slot with that version in it, signed."""
    content = as_version(payload, version)
    return slot(signed(unsigned(content, version)), content, marked)


@pytest.fixture
def flash(tmp_path: Path, image: Path) -> Path:
    """An erased flash."""
    machine = Machine(image, tmp_path / "flash", tmp_path / "eeprom")
    machine.make_chips()
    machine.dispose()
    return tmp_path / "flash"


@pytest.fixture
def power_on(image: Path, flash: Path) -> Iterator[PowerOn]:
    """Machines on that flash; all are switched off at the end."""
    machines: list[Machine] = []

    def on(**how: bool) -> Machine:
        if machines:
            machines[-1].cut()
        machines.append(Machine(image, flash, flash.with_name("eeprom"), **how))
        machines[-1].power_on()
        return machines[-1]

    yield on
    for machine in machines:
        machine.dispose()


def test_an_empty_flash_boots_the_factory_s_image_at_once(power_on: PowerOn, image: Path) -> None:
    found = until_booted(power_on(counted=True), image)
    assert found.slot == FACTORY
    assert found.us < BLANK_US_MAX


def test_a_slot_runs_and_the_meter_in_it_runs_there(
    power_on: PowerOn, flash: Path, image: Path, payload: bytes
) -> None:
    put(flash, A, update(payload, VERSION_A, CONFIRMED_MARKS))
    machine = power_on(counted=True)
    found = until_booted(machine, image)
    assert (found.slot, found.version) == (A, VERSION_A)
    assert UPDATE_AT < machine.program_counter() < UPDATE_AT + len(payload)
    assert found.us < HASH_US_MAX
    assert marks(flash, A) == [SET, UNSET, UNSET, UNSET, SET, UNSET]


def test_an_update_is_tried_three_times_and_then_the_last_good_one_runs(
    power_on: PowerOn, flash: Path, image: Path, payload: bytes
) -> None:
    """A power cut, a pulled reset pin: each start that is not confirmed is counted, whatever ended it."""
    put(flash, A, update(payload, VERSION_A, CONFIRMED_MARKS))
    put(flash, B, update(payload, VERSION_B, TRIAL_MARKS))
    machine = power_on(counted=True)
    first = until_booted(machine, image)
    assert (first.slot, first.version) == (B, VERSION_B)
    assert first.us < HASH_US_MAX + SIGNATURE_US_MAX
    machine.reset()
    assert until_booted(machine, image)[::2] == (B, VERSION_B)
    assert marks(flash, B)[TRIAL : TRIAL + TRIALS] == [SET, SET, UNSET]
    assert until_booted(power_on(), image)[::2] == (B, VERSION_B)
    for _ in range(2):
        assert until_booted(power_on(), image)[::2] == (A, VERSION_A)


def test_with_both_slots_torn_the_factory_s_image_runs(
    power_on: PowerOn, flash: Path, image: Path, payload: bytes
) -> None:
    """One half written, one half erased."""
    for number, torn in ((A, slice(0, 60_000)), (B, slice(2_048, None))):
        whole = update(payload, VERSION_A + number, CONFIRMED_MARKS)
        put(flash, number, b"\xff" * (torn.start or 0) + whole[torn])
    assert until_booted(power_on(), image).slot == FACTORY


@pytest.mark.parametrize("where", ["first byte", "last byte", "version", "hash", "signature"])
def test_one_flipped_bit_and_an_update_does_not_run(
    power_on: PowerOn, flash: Path, image: Path, payload: bytes, where: str
) -> None:
    put(flash, A, update(payload, VERSION_A, CONFIRMED_MARKS))
    put(flash, B, update(payload, VERSION_B, TRIAL_MARKS))
    offsets = {"first byte": IMAGE_AT, "last byte": IMAGE_AT + len(payload) - 1}
    flip(flash, B, offsets.get(where, {"version": 27, "hash": 40, "signature": 100}.get(where, 0)), 3)
    assert until_booted(power_on(), image)[::2] == (A, VERSION_A)
    assert marks(flash, B) == [SET, *[UNSET] * 5]


def test_an_update_that_faults_at_once_uses_up_its_trials_by_itself(
    power_on: PowerOn, flash: Path, image: Path, payload: bytes
) -> None:
    """Three resets, no hand at the meter, and the factory's image runs."""
    put(flash, A, update(with_reset_handler(payload, UNDEFINED), VERSION_A, TRIAL_MARKS))
    machine = power_on()
    assert until_booted(machine, image).slot == FACTORY
    assert len(machine.resets()) == TRIALS
    assert marks(flash, A)[TRIAL : TRIAL + TRIALS] == [SET] * TRIALS


def test_an_update_that_hangs_is_reset_by_the_loader_s_watchdog(
    power_on: PowerOn, flash: Path, image: Path, payload: bytes
) -> None:
    """In the wall's time: eight seconds later, its last trial being over, the factory's image runs."""
    used = {TRIAL: SET, TRIAL + 1: SET}
    put(flash, A, update(with_reset_handler(payload, LOOP_FOR_EVER), VERSION_A, TRIAL_MARKS | used))
    machine = power_on(lock_step=False)
    until = time.monotonic() + 30
    while not machine.was_reset():
        assert time.monotonic() < until
        assert loaded(machine, image).slot in (0, A)  # not begun, or hanging
        time.sleep(0.2)
    while loaded(machine, image).slot != FACTORY:
        assert time.monotonic() < until
        time.sleep(0.05)
    assert len(machine.resets()) == 1


def with_reset_handler(payload: bytes, instruction: bytes) -> bytes:
    """An update whose first instruction is that one."""
    at = (int.from_bytes(payload[RESET_VECTOR : RESET_VECTOR + 4], "little") & ~1) - UPDATE_AT
    return payload[:at] + instruction + payload[at + len(instruction) :]


def test_a_factory_image_without_a_key_takes_no_update(
    request: pytest.FixtureRequest, flash: Path, payload: bytes
) -> None:
    """What `make firmware` builds is such a one until somebody's key is put in."""
    unkeyed = built_image(PRODUCTION, request.config.getoption("--images"))
    put(flash, A, update(payload, VERSION_A, TRIAL_MARKS))
    machine = Machine(unkeyed, flash, flash.with_name("eeprom"))
    try:
        machine.power_on()
        assert until_booted(machine, unkeyed).slot == FACTORY
        assert marks(flash, A) == [SET, *[UNSET] * 5]
    finally:
        machine.dispose()


def test_a_meter_lives_on_in_its_update_with_its_books(
    meter: Meter, headend: Office, image: Path, payload: bytes, tmp_path: Path
) -> None:
    """CT-04: credit, counters and identity are the flash's and the EEPROM's, whichever image reads them."""
    headend.top_up(500)
    meter.press()
    meter.lives(60)
    assert meter.draws(25) == 25
    meter.cut_power()
    put(tmp_path / "flash", A, update(payload, VERSION_A, CONFIRMED_MARKS))
    meter.power_on()
    assert running(meter, image)[::2] == (A, VERSION_A)
    assert meter.draws(15) == 15
    meter.lives(2 * 3_600)
    told = meter.reads()
    assert (told["volume_l"], told["credited_mills"], told["boot_count"]) == (40, 500_000, 2)
    assert headend.differs_from(told) == {}
    assert headend.cases() == ()


def running(meter: Meter, image: Path) -> Loaded:
    """Which image the meter on the table runs."""
    machine: Machine = meter.board.machine  # type: ignore[attr-defined]
    return loaded(machine, image)
