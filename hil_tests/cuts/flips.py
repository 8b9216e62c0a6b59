"""Bits that flip: a recording's flash as it stood after an act, one place of it spoilt, booted and judged.

A single bit, a burst of up to eight, or a whole program of 64 bytes, in one place, so in one copy of what is kept
twice. Either nothing is wrong with what the meter then is and says, or it says that something is. Runs under both
interpreters; the dice are a generator of its own, because both must throw alike.
"""

from firmware import meter
from hil_tests.cuts.judge import GENERATION, OPENED, Judge, Wrong, checksum, require
from hil_tests.cuts.nor_ram import EEPROM_BYTES, ERASE_BYTES, PROGRAM_BYTES, SIZE, NorRam, apply
from hil_tests.cuts.world import seen
from protocol.wire.event_codes import FLASH_COPY_BAD
from protocol.wire.messages import UP_GAP

# What became of a flip.
HARMLESS = "nothing was wrong"
NOTICED = "outvoted and told"
GAP = "slots declared lost"
NEW_LOG = "unopened, in a new log"
SAFE = "safe mode"
SILENT = "silent"
OUTCOMES = (HARMLESS, NOTICED, GAP, NEW_LOG, SAFE, SILENT)

# Where: so many in a hundred.
RECENT = 65  # a program of the last acts, which is what lives
USED = 25  # a block that is not erased
KEEPSAKE = 7  # the EEPROM
RECENT_OPERATIONS = 40  # two or three updates of the state


class Dice:
    """A 32-bit linear congruential generator: the same throws under every interpreter."""

    def __init__(self, seed):
        self.value = seed * 2654435761 + 12345 & 0xFFFFFFFF

    def below(self, limit):
        self.value = self.value * 1664525 + 1013904223 & 0xFFFFFFFF
        return (self.value >> 8) % limit


def place(dice, image, operations, last):
    """The address of a byte to spoil."""
    where = dice.below(100)
    if where < RECENT and last:
        for _ in range(20):
            at, data = operations[max(0, last - 1 - dice.below(min(last, RECENT_OPERATIONS)))]
            if data is not None:
                return at + dice.below(len(data))
    if where < RECENT + USED:
        for _ in range(200):
            block = dice.below(SIZE // ERASE_BYTES) * ERASE_BYTES
            if image[block : block + PROGRAM_BYTES] != b"\xff" * PROGRAM_BYTES:
                at = block + dice.below(ERASE_BYTES)
                if image[at] != 0xFF:
                    return at
    if where < RECENT + USED + KEEPSAKE:
        return SIZE + dice.below(2200)
    return dice.below(SIZE)


def spoil(dice, image, at):
    """Flip there; returns what kind of flip it was."""
    kind = dice.below(100)
    if kind < 80:
        image[at] ^= 1 << dice.below(8)
        return "bit"
    if kind < 92:
        bits = 2 + dice.below(7)
        flipped = (1 << bits) - 1 << dice.below(8)
        image[at] ^= flipped & 0xFF
        if at + 1 < len(image):
            image[at + 1] ^= flipped >> 8
        return "burst"
    start = at - at % PROGRAM_BYTES
    for offset in range(PROGRAM_BYTES):
        image[start + offset] = dice.below(256)
    return "program"


class Flipped:
    def __init__(self, name):
        self.name = name
        self.kinds = {}
        self.outcomes = {}
        self.sums = {}  # number of the flip -> checksum
        self.wrong = []
        self.formats = 0


def flip(flash, recording, count, seed, chosen):
    """`count` flips of this recording, of which those are judged that `chosen(number)` says."""
    judge = Judge(flash, recording)
    judge.watch()
    flipped = Flipped(recording.name)
    device = NorRam(bytearray(SIZE + EEPROM_BYTES))
    current = bytearray(recording.base)
    done = 0
    acts = recording.acts
    for number in range(count):
        at_act = number * len(acts) // count
        while done < acts[at_act].last:
            apply(current, recording.operations[done])
            done += 1
        dice = Dice(seed + number)
        if not chosen(number):
            continue
        device.image[:] = current
        kind = spoil(dice, device.image, place(dice, current, recording.operations, done))
        try:
            outcome, checked = after(judge, device, at_act)
        except Wrong as problem:
            flipped.wrong.append((number, kind, acts[at_act].name + ": " + problem.args[0]))
            continue
        except Exception as problem:  # whatever it is: a meter must not fail
            flipped.wrong.append((number, kind, acts[at_act].name + ": raised " + repr(problem)))
            continue
        flipped.sums[number] = checked
        flipped.kinds[kind] = flipped.kinds.get(kind, 0) + 1
        flipped.outcomes[outcome] = flipped.outcomes.get(outcome, 0) + 1
    judge.unwatch()
    flipped.formats = judge.formats
    return flipped


def after(judge, device, number):
    """(outcome, checksum) of a boot on a spoilt flash after an act. Raises Wrong for an error that nobody would see."""
    act = judge.recording.acts[number]
    board, found = judge.power_on(device, act, act.count)
    if not isinstance(found, meter.Meter):
        require(type(found).__name__ == "SafeMode", "a living meter taken for a new one")
        found.wake_up()
        found.tick()
        return SAFE, checksum([payload for _, _, payload in board.told])
    judge.work(found)
    if found.store.counter.silent:
        require(not board.told or board.told[0][1], "a frame under counters nobody knows")
        return SILENT, 0
    facts = seen(found)
    spoilt = found.store.bad_copies() > judge.recording.spoilt
    if facts != act.after and facts != act.also:
        return lost_state(judge, found, board, act, facts, number)
    said = judge._uplinks(board, found, facts, judge.told_before[number + 1])
    require(not spoilt or FLASH_COPY_BAD in judge.codes, "a bad copy that nobody is told of")
    kinds = judge.report(board, found, facts)
    gap = UP_GAP in kinds and judge.recording.gaps is False
    outcome = GAP if gap else NOTICED if spoilt else HARMLESS
    return outcome, checksum((facts, said, kinds))


def lost_state(judge, found, board, act, facts, number):
    """Facts that are not true: allowed for an unopened meter in a new log alone, which everybody sees (A4)."""
    money, was = facts[0], act.after[0]
    gone = not money[OPENED] and not money[4] and (money[GENERATION] > was[GENERATION] or not was[OPENED])
    require(gone, "unseen: true {}, found {}".format(act.after, facts))
    said = judge._uplinks(board, found, facts, judge.told_before[number + 1])
    require(FLASH_COPY_BAD in judge.codes, "a loss that nobody is told of")
    return NEW_LOG, checksum((facts, said))
