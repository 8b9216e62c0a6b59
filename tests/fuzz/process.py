"""One search in a process of its own: `python -m tests.fuzz.process TARGET [libFuzzer's options] [FOLDER]`.

libFuzzer ends the process that it runs in, so the driver starts one for each target. The parsers are imported here
first, with a hook that makes each of their branches count.
"""

import importlib
import sys
import time
from collections.abc import Callable

import atheris

from tests.fuzz.catalogue import BY_NAME, PLANTED

CORE_S_MAX = 3  # of a core, for one input, with every branch counted


class Slow(Exception):
    """An input that costs too much (I25)."""


def bounded(one: Callable[[bytes], None]) -> Callable[[bytes], None]:
    """The same, and how much of a core each input costs; a machine that is busy makes none slower."""

    def within(data: bytes) -> None:
        started = time.process_time()
        one(data)
        if time.process_time() - started > CORE_S_MAX:
            raise Slow(f"{time.process_time() - started:.1f} s of a core")

    return within


def main() -> None:
    name = sys.argv.pop(1)
    known = BY_NAME | {target.name: target for target in PLANTED}
    with atheris.instrument_imports(include=list(known[name].guided)):
        module = importlib.import_module(f"tests.fuzz.targets.{name}")
    atheris.Setup(sys.argv, bounded(module.one))
    atheris.Fuzz()


if __name__ == "__main__":
    main()
