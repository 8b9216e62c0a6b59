"""The module `p256` of the interpreter that `make firmware` builds says what `cryptography` says (FEATURES B9)."""

import subprocess
import sys

import pytest

from firmware.image.build import FOLDER, MICROPYTHON
from tests.dual.runner import run

pytestmark = pytest.mark.slow
BUILT = str(FOLDER / MICROPYTHON)


def test_both_verifiers_say_the_same_of_every_signature() -> None:
    ours = run(sys.executable, "p256_cases").splitlines()
    theirs = run(BUILT, "p256_cases").splitlines()
    assert (ours[0], theirs[0]) == ("cpython", "micropython")
    assert ours[1:] == theirs[1:]
    assert ours[1] == "True" and all(line.split()[-1] == "False" for line in ours[2:])


@pytest.mark.parametrize("lengths", [(63, 32, 64), (65, 32, 64), (64, 31, 64), (64, 32, 0), (64, 32, 65)])
def test_other_lengths_are_a_value_error_and_read_nothing(lengths: tuple[int, int, int]) -> None:
    asked = "import p256; p256.verify(" + ", ".join(f"bytes({length})" for length in lengths) + ")"
    done = subprocess.run([BUILT, "-c", asked], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "ValueError: 64, 32 and 64 bytes"
