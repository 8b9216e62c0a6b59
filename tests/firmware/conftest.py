"""One build of the device's .mpy files for all tests of this folder."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.firmware.rig import Rig
from tests.shared_build import built_meter


@pytest.fixture(scope="session")
def device(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built_meter(tmp_path_factory)


@pytest.fixture
def rig(device: Path, tmp_path: Path) -> Iterator[Any]:
    """`rig(**identity)` makes a Rig that is killed at the end of the test."""
    made: list[Rig] = []

    def make(**identity: Any) -> Rig:
        folder = tmp_path / str(len(made))
        folder.mkdir()
        made.append(Rig(device, folder, **identity))
        return made[-1]

    yield make
    for one in made:
        one.kill()
