"""Rates the cases of a file (one JSON list a line) and prints where each ends: S, remainder, block position.

A case is [packs, steps]; a pack [scale, standard minutes, transitions, households, minimum, blocks, standing day,
standing month]; a step [pack, slot, litres, sure]. In every eighth case the packs are checked against their limits, and
the lines of each step must sum to its rise of S.
"""

import json
import sys

from protocol.rules import rating
from protocol.rules.calendar import Offsets
from protocol.rules.tariff import Tariff, check


def tariff_of(fields):
    scale, standard_minutes, transitions, households, minimum, blocks, standing_day, standing_month = fields
    return Tariff(
        1,
        0,
        scale,
        Offsets(standard_minutes, tuple([tuple(change) for change in transitions])),
        households,
        minimum,
        tuple([tuple(block) for block in blocks]),
        standing_day,
        standing_month,
    )


def rate(case):
    packs = [tariff_of(fields) for fields in case[0]]
    state = rating.NEW
    for pack, slot, litres, sure in case[1]:
        state = rating.rate_slot(state, packs[pack], slot, litres, bool(sure))
    return state


def rate_by_lines(case):
    packs = [check(tariff_of(fields)) for fields in case[0]]
    state = rating.NEW
    for pack, slot, litres, sure in case[1]:
        lines = rating.charge_lines(state, packs[pack], slot, litres, bool(sure))
        before = state.spent_mills * rating.MILL + state.remainder
        state = rating.rate_slot(state, packs[pack], slot, litres, bool(sure))
        after = state.spent_mills * rating.MILL + state.remainder
        assert sum([line.amount for line in lines]) == after - before
    return state


def lines_of(path):
    """MicroPython reads a line byte by byte, each a system call; this reads in blocks."""
    rest = ""
    with open(path) as cases:
        while True:
            block = cases.read(16384)
            if not block:
                return
            lines = (rest + block).split("\n")
            rest = lines.pop()
            for line in lines:
                yield line


def main(path):
    ended = []
    for number, line in enumerate(lines_of(path)):
        case = json.loads(line)
        state = rate(case) if number % 8 else rate_by_lines(case)
        ended.append("{} {} {}".format(state.spent_mills, state.remainder, state.position_l))
        if len(ended) == 250:
            print("\n".join(ended))
            ended.clear()
    if ended:
        print("\n".join(ended))


main(sys.argv[1])
