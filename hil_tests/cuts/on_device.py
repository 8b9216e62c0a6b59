"""Does jobs under the interpreter that runs it and prints one JSON line for each; the host is runner.py.

(micropython -X heapsize=48M | python) -m hil_tests.cuts.on_device JOB...

cuts:SCENARIO:PART:PARTS            every cut of this part of the scenario's operations
cuts:SCENARIO:PART:PARTS:N:SEED     and N cuts of each recovery after one; all of them for -1
alone:SCENARIO                      every cut, each judged by a boot of its own
flips:SCENARIO:COUNT:SEED:REST:OF   of so many flips those whose number leaves REST when divided by OF
faults:SCENARIO:NAME:STRIDE:OFFSET  exceptions in the first act of this name (faults.py)
loop:KIND:SEED                      a thousand resets in ten minutes (loops.py)
mounts:SCENARIO:SEED                blocks of the flash lost, one and two at a time (mounts.py)
operations:SCENARIO                 only record
control:NAME                        a broken store (controls.py)
"""

import json
import sys

from hil_tests.cuts import controls
from hil_tests.cuts.flips import flip
from hil_tests.cuts.judge import checksum
from hil_tests.cuts.loops import loop
from hil_tests.cuts.mounts import lose
from hil_tests.cuts.scenarios import SCENARIOS
from hil_tests.cuts.sweep import sweep


def littlefs_module():
    """firmware.boards.littlefs under this interpreter."""
    if sys.implementation.name == "micropython":
        from firmware.boards import littlefs

        return littlefs
    from hil_tests.cuts import host_littlefs

    return host_littlefs.littlefs_module()


def record(flash, name):
    for scenario in SCENARIOS:
        if scenario.__name__ == name:
            return scenario(flash, name)
    raise ValueError("no scenario " + name)


def journal_sum(recording):
    """A checksum of the whole journal: both interpreters must have made the same operations."""
    total = 0
    for operation in recording.operations:
        total = total * 31 + checksum(operation) & 0xFFFFFFFF
    return total


def cuts(flash, name, part, parts, second=0, seed=0, alone=False):
    recording = record(flash, name)
    swept = sweep(flash, recording, int(part), int(parts), int(second), int(seed), alone)
    return {
        "operations": swept.operations,
        "erases": swept.erases,
        "acts": len(recording.acts),
        "journal": journal_sum(recording),
        "sums": swept.sums,
        "second": swept.second,
        "boots": swept.boots,
        "further": swept.extra,
        "formats": swept.formats,
        "wrong": swept.wrong,
    }


def alone(flash, name):
    return cuts(flash, name, 0, 1, alone=True)


def flips(flash, name, count, seed, rest, of):
    recording = record(flash, name)
    flipped = flip(flash, recording, int(count), int(seed), lambda number: number % int(of) == int(rest))
    return {
        "kinds": flipped.kinds,
        "outcomes": flipped.outcomes,
        "sums": flipped.sums,
        "formats": flipped.formats,
        "wrong": flipped.wrong,
    }


def faults(flash, name, act_name, stride, offset):
    from hil_tests.cuts.faults import Faults  # of CPython alone

    recording = record(flash, name)
    numbers = [number for number in range(len(recording.acts)) if recording.acts[number].name == act_name][:1]
    found = Faults(flash, recording, int(stride), int(offset)).run(numbers)
    return {
        "faults": found.faults,
        "told": found.told,
        "swallowed": found.swallowed,
        "boots": found.boots,
        "wrong": found.wrong,
    }


def resets(flash, kind, seed):
    return loop(flash, int(kind), int(seed))


def mounts(flash, name, seed):
    return lose(flash, record(flash, name), int(seed))


def operations(flash, name):
    recording = record(flash, name)
    return {"operations": len(recording.operations), "journal": journal_sum(recording)}


def control(flash, name):
    return controls.CONTROLS[name](flash, record)


KINDS = {
    "cuts": cuts,
    "alone": alone,
    "flips": flips,
    "faults": faults,
    "loop": resets,
    "mounts": mounts,
    "operations": operations,
    "control": control,
}


def main(jobs):
    flash = littlefs_module()
    for job in jobs:
        kind, *arguments = job.split(":")
        done = KINDS[kind](flash, *arguments)
        done["job"] = job
        print(json.dumps(done))


if __name__ == "__main__":
    main(sys.argv[1:])
