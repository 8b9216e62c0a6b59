"""A real headend and meters at the end of a cable, for the technician's tool.

Files named `test_live_…` may start a meter (tests/conftest.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.shared_build import built_meter

from .office import Office
from .table_meter import TableMeter, unix_meter

MakeMeter = Callable[..., TableMeter]


@pytest.fixture(scope="session")
def headend(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """A real `guelta serve` with a tariff, an operator's key and technicians' (`headend.technician()`)."""
    office = Office(tmp_path_factory.mktemp("office") / "headend")
    try:
        office.open()
        yield office
    finally:
        office.stop()


@pytest.fixture(scope="session")
def unix_build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The device's .mpy files for the unix meter."""
    return built_meter(tmp_path_factory)


@pytest.fixture
def make_meter(headend: Office, unix_build: Path, tmp_path: Path) -> Iterator[MakeMeter]:
    """make_meter(name="meter", added=None, weight_l=1, options=()): a meter with power and its cable in."""
    made: list[TableMeter] = []

    def make(name: str = "meter", **options: Any) -> TableMeter:
        meter = unix_meter(unix_build, tmp_path / f"{name}.flash", headend.udp, **options)
        meter.power_on()
        made.append(meter)
        return meter

    yield make
    for meter in made:
        meter.power_off()


@pytest.fixture
def blank_meter(make_meter: MakeMeter) -> TableMeter:
    """A board that was never provisioned."""
    return make_meter("blank")


@pytest.fixture
def meter(make_meter: MakeMeter, headend: Office) -> TableMeter:
    """A meter that is provisioned and registered; `added` is what the office was answered."""
    return make_meter("meter", added=headend.add_meter())
