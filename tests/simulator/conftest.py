"""Worlds for tests: the firmware is built once a session, each world has a folder of its own."""

from collections.abc import Callable
from pathlib import Path

import pytest

from simulator.report import Outcome
from simulator.run import Options, Run
from tests.shared_build import built_meter


@pytest.fixture(scope="session")
def firmware(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The meter's .mpy files."""
    return built_meter(tmp_path_factory)


@pytest.fixture
def play(firmware: Path, tmp_path: Path) -> Callable[..., tuple[Outcome, list[str]]]:
    """Play a world from first to last: play(seed=1, meters=2, …) → (outcome, the lines that were shown)."""

    def played(**options: object) -> tuple[Outcome, list[str]]:
        shown: list[str] = []
        folder = tmp_path / f"world{len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        run = Run(Options(**options), folder, shown.append, firmware)  # type: ignore[arg-type]
        try:
            run.prepare()
            run.live()
            run.drain()
            return run.judge(), shown
        finally:
            run.close()

    return played
