"""`python -m tests.fuzz run TARGET [SECONDS]` searches; `python -m tests.fuzz grow [TARGET…] [SECONDS]` searches and
keeps in the committed corpus the fewest inputs that reach every branch reached, none longer than KEPT_BYTES."""

import random
import sys
import tempfile
from pathlib import Path

from tests.fuzz.catalogue import BY_NAME, TARGETS, Target
from tests.fuzz.driver import fuzz, keep_corpus, search, starting_inputs, write_inputs
from tests.fuzz.fewest import fewest

KEPT_BYTES = 300


def run(target: Target, seconds: int) -> None:
    found = fuzz(target, random.randrange(2**31), -1, seconds)
    print(f"{target.name}: {found.executions} runs, branches {found.edges_before} to {found.edges}")
    if found.crash is not None:
        print(f"FOUND {found.crash.hex()}\n{found.said}")


def grow(target: Target, seconds: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "inputs"
        write_inputs(folder, starting_inputs(target.name))
        seed = random.randrange(1, 2**31)
        found = search(target, folder, Path(name), [f"-seed={seed}", f"-max_total_time={seconds}"])
        if found.crash is not None:
            print(f"{target.name}: FOUND {found.crash.hex()}\n{found.said}")
            return
        inputs = [file.read_bytes() for file in folder.iterdir()]
        kept = fewest(target, [one for one in inputs if len(one) <= KEPT_BYTES])
        keep_corpus(target.name, kept)
        print(f"{target.name}: {found.executions} runs, branches {found.edges}, {len(inputs)} inputs, {len(kept)} kept")


def main(verb: str, *words: str) -> None:
    seconds = next((int(word) for word in words if word.isdigit()), 60)
    named = [BY_NAME[word] for word in words if not word.isdigit()] or list(TARGETS)
    for target in named:
        (run if verb == "run" else grow)(target, seconds)


if __name__ == "__main__":
    main(*sys.argv[1:])
