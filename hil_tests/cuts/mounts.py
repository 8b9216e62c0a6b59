"""A flash that does not mount, or of which whole blocks are gone: nothing formats it, and who lived on it says so (M5).

Each block that is used is spoilt by itself, the two that make a flash mount together, and all at once: erased, zeroed,
half erased, or filled with what is no file system. Two blocks that hold one from each copy of the state are not among
these: both copies then fall back alike, which the headend alone can see, by the statement's number and by S (A4).
"""

from hil_tests.cuts.board import FRAME, MOTOR
from hil_tests.cuts.flips import SAFE, Dice, after
from hil_tests.cuts.judge import Judge, Wrong, require
from hil_tests.cuts.nor_ram import BLOCKS, ERASE_BYTES, ERASED
from hil_tests.cuts.watched import WatchedRam, advance

KINDS = ("erased", "zeroed", "half erased", "noise")


def used(image):
    """The blocks that are not blank."""
    return [block for block in range(BLOCKS) if image[block * ERASE_BYTES : (block + 1) * ERASE_BYTES] != ERASED]


def content(kind, old, dice):
    if kind == "erased":
        return ERASED
    if kind == "zeroed":
        return bytes(ERASE_BYTES)
    if kind == "half erased":
        return old[: ERASE_BYTES // 2] + ERASED[ERASE_BYTES // 2 :]
    return bytes([dice.below(256) for _ in range(64)]) * (ERASE_BYTES // 64)


def losses(blocks):
    """(kind, the blocks that are lost)."""
    found = [(kind, (block,)) for block in blocks for kind in KINDS]
    found += [(kind, (0, 1)) for kind in KINDS]
    return found + [(kind, tuple(blocks)) for kind in KINDS[1:]]


def lose(flash, recording, seed):
    """{outcome: how often}, what was wrong, and the formats there were, on the flash that a recording ends with."""
    judge = Judge(flash, recording)
    judge.watch()
    source = bytearray(recording.base)
    device = WatchedRam(source)
    for operation in recording.operations:
        advance(source, operation, device)
    number = len(recording.acts) - 1
    outcomes, wrong = {}, []
    for kind, blocks in losses(used(source)):
        device.lay(source)
        dice = Dice(seed + blocks[0])
        for block in blocks:
            at = block * ERASE_BYTES
            device.touched.add(block)
            device.image[at : at + ERASE_BYTES] = content(kind, bytes(source[at : at + ERASE_BYTES]), dice)
        try:
            outcome = after(judge, device, number)[0]
            if outcome == SAFE:
                says_so(judge, device, number)
            outcomes[outcome] = outcomes.get(outcome, 0) + 1
        except Wrong as problem:
            wrong.append((kind, blocks, problem.args[0]))
        except Exception as problem:  # whatever it is: a meter must not fail
            wrong.append((kind, blocks, "raised " + repr(problem)))
    judge.unwatch()
    return {"outcomes": outcomes, "wrong": wrong, "formats": judge.formats}


def says_so(judge, device, number):
    """Safe mode, once more: it speaks, under counters that were never used, and does not touch the valve."""
    act = judge.recording.acts[number]
    board, found = judge.power_on(device, act, act.count)
    found.wake_up()
    found.tick()
    counter = judge.told_before[number + 1]
    frames = [payload for _, kind, payload in board.told if kind == FRAME]
    require(frames, "a dead flash that nobody is told of")
    for frame in frames:
        judge.read(frame, counter, None)
    require(MOTOR not in [kind for _, kind, _ in board.told], "a valve moved by a meter without a state")
