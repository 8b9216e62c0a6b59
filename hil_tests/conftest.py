"""The meter under test, and everything around it. `--on image` (the default) runs the image in QEMU, `--on unix` the
same firmware as a process, `--device PORT` a board on a serial port."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from firmware.identity import decode
from hil_tests.rig.bench import Board, Meter
from hil_tests.rig.console import SealedConsole
from hil_tests.rig.device import SerialMeter, Table
from hil_tests.rig.image_meter import ImageMeter
from hil_tests.rig.images import BUILT, PRODUCTION, built_image
from hil_tests.rig.office import Office, Utility
from hil_tests.rig.unix_meter import UnixMeter
from hil_tests.rig.valve import PipeValve
from simulator.prng import Stream
from simulator.radio import Radio, RadioOptions
from tests.fieldtool.office import Office as FieldOffice
from tests.shared_build import built_meter

MakeBoard = Callable[[Path, str], Board]


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("hil", "the meter under test")
    group.addoption("--on", choices=("image", "unix"), default="image", help="image: in QEMU. unix: as a process.")
    group.addoption("--images", metavar="FOLDER", type=Path, default=BUILT, help="Where the built images are.")
    group.addoption("--device", metavar="PORT", help="A board on this serial port, instead of either.")
    group.addoption("--table", metavar="COMMAND", help="With --device: COMMAND on|off|new reaches the board's power.")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "image_only: shows what only the image in QEMU has")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What only the image has is not asked of the unix meter, nor of a board on a serial line."""
    if config.getoption("--device") or config.getoption("--on") == "unix":
        gone = [item for item in items if item.get_closest_marker("image_only")]
        items[:] = [item for item in items if item not in gone]
        config.hook.pytest_deselected(items=gone)


@pytest.fixture(scope="session")
def unix_build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The device's .mpy files for the unix meter."""
    return built_meter(tmp_path_factory)


@pytest.fixture(scope="session")
def utility(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Utility]:
    """A real headend process with its database."""
    opened = Utility(tmp_path_factory.mktemp("utility"))
    try:
        opened.open()
        yield opened
    finally:
        opened.headend.stop()


@pytest.fixture(scope="session")
def field_office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FieldOffice]:
    """A real headend in wall time, with keys for an operator and for technicians."""
    office = FieldOffice(tmp_path_factory.mktemp("office") / "headend")
    try:
        office.open()
        yield office
    finally:
        office.stop()


@pytest.fixture(scope="session")
def image(request: pytest.FixtureRequest) -> Path:
    """The production image. A missing one is a failure with the command that builds it."""
    return built_image(PRODUCTION, request.config.getoption("--images"))


@pytest.fixture(scope="session")
def make_board(request: pytest.FixtureRequest) -> MakeBoard:
    """make_board(flash, provision_hex): a board without power."""
    port, command = request.config.getoption("--device"), request.config.getoption("--table")
    if port:
        if not command:
            raise pytest.UsageError(
                "--device needs --table COMMAND, which can take the board's power (hil_tests/README.md)"
            )
        table = Table(command)
        return lambda flash, provision_hex: SerialMeter(flash.name, port, table, provision_hex)
    if request.config.getoption("--on") == "unix":
        built: Path = request.getfixturevalue("unix_build")
        return lambda flash, provision_hex: UnixMeter(flash.name, built, flash, provision_hex)
    elf: Path = request.getfixturevalue("image")
    return lambda flash, provision_hex: ImageMeter(
        flash.name, elf, flash, provision_hex, SealedConsole(decode(bytes.fromhex(provision_hex)))
    )


@pytest.fixture
def headend(utility: Utility) -> Office:
    """The headend, as the customer of the meter on the table knows it."""
    return utility.new_customer(utility.new_world())


@pytest.fixture
def meter(headend: Office, make_board: MakeBoard, tmp_path: Path) -> Iterator[Meter]:
    """A meter fresh from provisioning, with power, at ten past some half-hour of a morning. Its air is clear."""
    radio = Radio(RadioOptions().quiet(), Stream(1, "radio"))
    identity = decode(bytes.fromhex(headend.provision_hex))
    on_table = Meter(
        1, make_board(tmp_path / "flash", headend.provision_hex), identity, headend.world, headend.air, radio
    )
    try:
        on_table.power_on()
        yield on_table
    finally:
        on_table.board.dispose()


@pytest.fixture
def valve(meter: Meter) -> PipeValve:
    """The valve at the meter's pins."""
    return meter.valve
