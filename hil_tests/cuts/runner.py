"""The host of the sweep: runs jobs (on_device.py) under MicroPython and CPython, and compares what they found."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from simulator.meter_process import interpreter

ROOT = Path(__file__).resolve().parents[2]
HEAP = "heapsize=48M"  # several flashes and a journal: how little RAM a meter needs is asked elsewhere
INTERPRETERS = ("micropython", "cpython")

# Long scenarios are swept in parts, so that cores share them.
PARTS = {"a_day_of_life": 4, "statements": 2, "brown_outs": 2, "litre_by_litre": 2, "daily_reports": 2}
# Where recoveries are cut too, some take longer: all pairs of a scenario are about a hundred cuts for each of its own.
PARTS_OF_WORLDS = dict(PARTS, an_opening=2, a_stalling_valve=2, a_lost_state=2)

SCENARIOS = (
    "a_day_of_life provisioning an_opening statements packs_in_parts rekeys commands fire month_edge a_debt an_absence "
    "the_ring_turns the_valve a_stalling_valve a_clock_set_back a_clock_found lost_slots nacks a_lost_state "
    "counter_blocks litre_by_litre many_events a_last_move big_pulses daily_reports brown_outs "
    "emergency_credit a_lifeline a_vulnerable_home an_amnesty a_debit a_plan_replaced a_tariff_begins late_packs "
    "orders_that_end an_expired_command a_deep_debt a_bad_state_copy a_bad_copy_of_all a_lost_identity lost_counters "
    "a_blank_keepsake a_half_kept_identity a_leak a_burst a_leaking_valve many_presses resets_and_slots"
).split()

FLIPS = 20_000
SHARED_FLIPS = 20  # one in so many is judged under both interpreters


class JobFailed(Exception):
    """An interpreter that ended without an answer: its last words."""


def run(where: str, *jobs: str) -> list[dict[str, Any]]:
    """What the jobs found, in order."""
    command = [sys.executable] if where == "cpython" else [interpreter(), "-X", HEAP]
    environment = dict(os.environ, PYTHONPATH=str(ROOT))
    done = subprocess.run(
        [*command, "-m", "hil_tests.cuts.on_device", *jobs],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise JobFailed(f"{where} {' '.join(jobs)}: {(done.stdout[-500:] + done.stderr)[-3000:]}")
    # MicroPython also prints what a file complains of that is collected after its power went.
    found = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    if len(found) != len(jobs):
        raise JobFailed(f"{where}: {len(found)} answers for {len(jobs)} jobs")
    return found


def parts(shares: dict[str, int] = PARTS) -> list[tuple[str, int, int]]:
    """(scenario, part, parts) of the whole sweep."""
    return [(name, part, shares.get(name, 1)) for name in SCENARIOS for part in range(shares.get(name, 1))]


def cut_everywhere(name: str, part: int, count: int) -> dict[str, dict[str, Any]]:
    """The sweep of one part by interpreter."""
    return {where: run(where, f"cuts:{name}:{part}:{count}")[0] for where in INTERPRETERS}


def flip_jobs(name: str, flips: int, seed: int) -> dict[str, list[str]]:
    """Of this scenario's flips MicroPython judges the even ones, CPython the odd ones and some of the even ones too."""
    head = f"flips:{name}:{flips}:{seed}"
    return {
        "micropython": [f"{head}:0:2"],
        "cpython": [f"{head}:1:2", f"{head}:0:{SHARED_FLIPS}"],
    }


def flipped() -> list[str]:
    """The scenarios whose flash is spoilt: of a meter that lives and has both copies of all to begin with."""
    return [name for name in SCENARIOS if name not in ("provisioning", "a_lost_identity", "a_bad_copy_of_all")]


def flip_everywhere(name: str, flips: int, seed: int) -> dict[str, list[dict[str, Any]]]:
    return {where: run(where, *jobs) for where, jobs in flip_jobs(name, flips, seed).items()}


def seed_of(name: str) -> int:
    return 1_000_000 * (1 + SCENARIOS.index(name))
