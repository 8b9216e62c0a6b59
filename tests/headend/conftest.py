"""A headend's books in a temporary folder, with a clock that stands still until a test moves it."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.headend.world import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Books in F CFA with the Niger tariff published, on 2026-11-02 at Niamey's midnight."""
    made = World(tmp_path, random.Random(7))
    yield made
    made.close()
