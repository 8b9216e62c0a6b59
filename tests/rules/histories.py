"""Random histories of a home, for the rating rule: any packs within the limits, and logs that hurt.

A history is [packs, steps]: a pack [scale, standard minutes, clock changes, households, minimum, blocks, standing day,
standing month], a step [pack, slot, litres, sure]. They are drawn from a seed alone and written as JSON, so that every
judge reads the same numbers.
"""

import random
from typing import Any

YEAR_SLOTS = 17_532
# Niamey, Nairobi, Kathmandu, Dublin, Newfoundland, Marquesas, Kiritimati and Baker Island.
OFFSETS = (60, 60, 180, 345, 0, -210, -570, 840, -720)


def history(chance: random.Random) -> list[Any]:
    """Half are a home's months with packs that come late; half are wild: any slot after any other."""
    begin = 100_000 + int(30_000 * chance.random())
    packs = [pack(chance, begin) for _ in range(chance.choice((1, 1, 2, 3)))]
    steps = months(chance, begin, len(packs)) if chance.random() < 0.5 else wild(chance, begin, len(packs))
    return [packs, steps]


def pack(chance: random.Random, begin: int) -> list[Any]:
    """Free and dear blocks, five scales, minimum blocks, one home to 255, clock changes in the midst of the log."""
    below = chance.random
    scale = int(5 * below())
    money_max = 10 ** (1 + int(7 * below()))
    standard_minutes = chance.choice(OFFSETS)
    changes: list[list[int]] = []
    if below() < 0.4:
        forward = begin + int(3_000 * below())
        summer = standard_minutes + 60 if standard_minutes < 840 else standard_minutes - 60
        changes = [[forward, summer], [forward + 1 + int(9_000 * below()), standard_minutes]]
    uptos = sorted({1 + int(60_000 * below()) for _ in range(int(6 * below()))})
    return [
        scale,
        standard_minutes,
        changes,
        chance.choice((1, 1, 1, 2, 7, 255)),
        int(money_max * below()) if below() < 0.5 else 0,
        [[upto, int(money_max * below())] for upto in [*uptos, 0]],
        int(money_max * below()) if below() < 0.5 else 0,
        int(money_max * below()) if below() < 0.5 else 0,
    ]


def months(chance: random.Random, slot: int, packs: int) -> list[list[int]]:
    """A few of the slots of one to four months, forward only; a later pack takes over at some step, however late."""
    below = chance.random
    count = 2 + int(8 * below())
    stride = (1 + int(4 * below())) * 1_440 // count
    steps, held = [], 0
    for _ in range(count):
        if held + 1 < packs and below() < 0.3:
            held += 1
        steps.append([held, slot, int(below() * below() * 20_000), int(below() < 0.9)])
        slot += 1 + int(2 * stride * below())
    return steps


def wild(chance: random.Random, slot: int, packs: int) -> list[list[int]]:
    """Mostly forward by hours or weeks, at times back, at times by decades; one in eight unsure; packs as they come."""
    below = chance.random
    steps = []
    for _ in range(1 + int(6 * below())):
        kind = below()
        if kind < 0.6:
            slot += int(100 * below())
        elif kind < 0.85:
            slot += int(4_000 * below())
        elif kind < 0.96:
            slot = max(slot - int(4_000 * below()), 1_000)
        else:
            slot += 30 * YEAR_SLOTS
        litres = chance.choice((0, 1, int(100 * below()), int(65_536 * below())))
        steps.append([int(packs * below()), slot, litres, int(below() < 0.875)])
    return steps
