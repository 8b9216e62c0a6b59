"""What a test counted, kept for `make worlds`: one JSON file per part and chunk, added up by bench/trust.py.

A figure in docs/TRUST.md is a sum of these and never typed by hand. `ROUND` is 0 in `make worlds`; `make worlds-night`
counts it up, and each test that throws dice throws others in each round.
"""

import json
import os
from pathlib import Path

FOLDER = Path(os.environ.get("WORLDS_FIGURES") or Path(__file__).parents[1] / "build" / "trust")
ROUND = int(os.environ.get("WORLDS_ROUND", "0"))


def publish(part: str, chunk: str, **counts: int) -> None:
    """Keep what this chunk of a part counted; the same part and chunk again replaces it."""
    file = FOLDER / part / f"{chunk}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    written = file.with_suffix(".part")
    written.write_text(json.dumps({name: int(count) for name, count in counts.items()}, sort_keys=True) + "\n")
    written.rename(file)
