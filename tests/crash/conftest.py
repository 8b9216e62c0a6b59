"""Where images are judged: in memory where the machine has such a folder, because nothing there needs to last."""

import random
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.headend.world import World

IN_MEMORY = Path("/dev/shm")


@pytest.fixture(scope="session")
def books(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Opened books with a tariff and without meters, as one file."""
    folder = tmp_path_factory.mktemp("crash-books")
    World(folder, random.Random(7)).close()
    return folder


@pytest.fixture
def fast(tmp_path: Path) -> Iterator[Path]:
    """A folder that is as fast as can be, gone afterwards."""
    made = Path(tempfile.mkdtemp(prefix="guelta-", dir=IN_MEMORY if IN_MEMORY.is_dir() else tmp_path))
    yield made
    shutil.rmtree(made)
