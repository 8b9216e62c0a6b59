"""The device's files, compiled once for all workers of a test run."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

import pytest

from firmware.build import build


def built_meter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the Unix meter's .mpy files, which nobody writes into. The first worker that asks makes it."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        return build(tmp_path_factory.mktemp("firmware"))
    of_all_workers = tmp_path_factory.getbasetemp().parent
    folder, done = of_all_workers / "firmware", of_all_workers / "firmware.done"
    with (of_all_workers / "firmware.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            build(folder)
            done.touch()
    return folder
