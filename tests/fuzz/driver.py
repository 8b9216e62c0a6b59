"""Runs a target under libFuzzer (atheris) in a process of its own, and says what it came to.

The committed corpus of a target is one text file, an input in hex on each line. A search starts from it, in a folder
that is thrown away; an input that breaks a rule comes back with its traceback.
"""

import importlib
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from tests.fuzz.catalogue import Target

ROOT = Path(__file__).resolve().parents[2]
CORPORA = Path(__file__).with_name("corpora")
INPUT_S_MAX = 30  # by the wall; process.py bounds what it takes of a core
RSS_MB_MAX = 900

_COVERED = re.compile(rb"^#(\d+)\s+(INITED|DONE|NEW|REDUCE|pulse|RELOAD).*?cov: (\d+) ft: (\d+)", re.MULTILINE)
_EXECUTED = re.compile(rb"stat::number_of_executed_units: (\d+)")


class Outcome(NamedTuple):
    """`edges_before` are those of the committed corpus; `crash` is the input that broke a rule, None for none."""

    executions: int
    edges_before: int
    edges: int
    crash: bytes | None
    said: str


def corpus(name: str) -> list[bytes]:
    """The committed inputs of a target."""
    file = CORPORA / f"{name}.hex"
    return [bytes.fromhex(line) for line in file.read_text().splitlines()] if file.is_file() else []


def keep_corpus(name: str, inputs: list[bytes]) -> None:
    """Commit these, in an order that makes differences small."""
    lines = sorted({one.hex() for one in inputs}, key=lambda line: (len(line), line))
    (CORPORA / f"{name}.hex").write_text("".join(line + "\n" for line in lines))


def starting_inputs(name: str) -> list[bytes]:
    """The corpus, and the good inputs that the target itself knows."""
    return [*corpus(name), *importlib.import_module(f"tests.fuzz.targets.{name}").seeds()]


def fuzz(target: Target, seed: int, runs: int, seconds: int = 0, input_s: int = INPUT_S_MAX) -> Outcome:
    """Search with these dice. `seconds` ends it earlier, 0 for never; one input may take `input_s` by the wall."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "corpus"
        write_inputs(folder, starting_inputs(target.name))
        return search(
            target, folder, Path(name), [f"-seed={seed + 1}", f"-runs={runs}", f"-max_total_time={seconds}"], input_s
        )


def search(target: Target, folder: Path, found_in: Path, options: list[str], input_s: int = INPUT_S_MAX) -> Outcome:
    """libFuzzer on a folder of inputs, to which it adds; what breaks a rule is written to `found_in`."""
    command = [sys.executable, "-m", "tests.fuzz.process", target.name, *options, f"-max_len={target.most}"]
    command += [f"-timeout={input_s}", f"-rss_limit_mb={RSS_MB_MAX}", "-print_final_stats=1", "-len_control=10"]
    command += [f"-artifact_prefix={found_in}/found-", str(folder)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    ended = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=False)
    said = ended.stdout + ended.stderr
    crash = next((file.read_bytes() for file in sorted(found_in.glob("found-*"))), None)
    covered = [(int(edges), kind) for _, kind, edges, _ in _COVERED.findall(said)]
    executed = _EXECUTED.findall(said)
    told = said[-6_000:].decode(errors="replace")
    if crash is None:
        assert covered and executed and ended.returncode == 0, f"{target.name}: no search\n{told}"
    before = next((edges for edges, kind in covered if kind == b"INITED"), 0)
    executions = int(executed[-1]) if executed else 0
    return Outcome(executions, before, max([edges for edges, _ in covered], default=0), crash, told)


def write_inputs(folder: Path, inputs: list[bytes]) -> None:
    """One file each, as libFuzzer reads them."""
    folder.mkdir(parents=True)
    for number, one in enumerate(inputs):
        (folder / f"{number:05}").write_bytes(one)
