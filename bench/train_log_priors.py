"""Trains the log codec's starting probabilities: `python -m bench.train_log_priors FILE > protocol/wire/priors.py`.

Counts, per context of the codec's own walk, how often a bit is 0, and rounds to 256ths in integers, so the same file
always gives the same table.
"""

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from bench.household_days import BadData, DataSet, Household, load
from protocol.wire import log_codec

PROBABILITIES = 64
UNTRAINED = bytes([128] * PROBABILITIES)
LINE = 16

MODULE = '''"""The log codec's starting probabilities: how likely a bit is 0, in 256ths (docs/SPEC.md, "Log codec").

Bytes 0–31: "no water in this slot", by 3-hour bucket of the local day × 4 + twice "water in the slot before the last"
+ "water in the last slot". Byte 32 is not used. Bytes 33–63: the nodes 1–31 of the tree of volume classes.
Written by bench/train_log_priors.py from the households with the fingerprint below; do not edit.
"""

TRAINED_ON_SHA256 = "{fingerprint}"

PRIORS = bytes.fromhex(
{rows}
)
'''


class Counter(log_codec.Encoder):
    """Counts the codec's bits instead of encoding them."""

    def __init__(self) -> None:
        super().__init__()
        self.zeros = [0] * PROBABILITIES
        self.ones = [0] * PROBABILITIES

    def bit(self, table: list[int], index: int, bit: int) -> int:
        if bit:
            self.ones[index] += 1
        else:
            self.zeros[index] += 1
        return bit

    def plain(self, width: int, value: int) -> int:
        return value


def train(days: Iterable[Sequence[int]]) -> bytes:
    """The 64 bytes for `days` of 48 slots from local midnight; one half-count of each bit smooths what is rare."""
    counter = Counter()
    for day in days:
        list(log_codec.walk(counter, day, 0, UNTRAINED))
    return bytes(
        min(255, max(1, (256 * (2 * zeros + 1) + zeros + ones + 1) // (2 * (zeros + ones + 1))))
        for zeros, ones in zip(counter.zeros, counter.ones, strict=True)
    )


def days_of(households: Iterable[Household]) -> list[tuple[int, ...]]:
    """All days of `households`, one after another."""
    return [day for home in households for day in home.days]


def module_text(data: DataSet) -> str:
    """The source of protocol/wire/priors.py for `data`."""
    priors = train(days_of(data.households))
    rows = [f'    "{priors[at : at + LINE].hex()}"' for at in range(0, PROBABILITIES, LINE)]
    return MODULE.format(fingerprint=data.sha256, rows="\n".join(rows))


def main(arguments: list[str]) -> int:
    """Write the module for the one file in `arguments`; 2 when there is none or it is not of the form."""
    try:
        if len(arguments) != 1:
            raise BadData("usage: python -m bench.train_log_priors FILE")
        sys.stdout.write(module_text(load(Path(arguments[0]))))
    except BadData as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
