"""Every cut of a recording, one after the other, on one flash in RAM. Runs under both interpreters."""

from hil_tests.cuts.judge import Judge, Wrong
from hil_tests.cuts.nor_ram import EEPROM_BYTES, SIZE, NorRam, apply, tear

CLEAN = 0
TORN = 1
WITHOUT_COUNTER_EVERY = 16  # so many cuts are judged once more with a pulse counter that lost its power too
REPORT_EVERY = 8  # so many clean cuts live on to the next report
RAISED = 1


class Swept:
    """What a sweep of one recording found."""

    def __init__(self, name, operations):
        self.name = name
        self.operations = operations
        self.sums = []  # a checksum of each cut: clean and torn of each operation, in order
        self.wrong = []  # (operation, mode, what)
        self.alike = 0  # cuts that left the very flash of the cut before
        self.extra = 0  # boots without a pulse counter
        self.formats = 0
        self.erases = 0


def sweep(flash, recording, part=0, parts=1):
    """A Swept of the part `part` of `parts` of the recording's operations."""
    judge = Judge(flash, recording)
    judge.watch()
    swept = Swept(recording.name, len(recording.operations))
    current = bytearray(recording.base)
    device = NorRam(bytearray(SIZE + EEPROM_BYTES))
    first = len(recording.operations) * part // parts
    end = len(recording.operations) * (part + 1) // parts
    before = None  # the checksum of the last clean cut, where nothing has changed since
    for number in range(len(recording.acts)):
        act = recording.acts[number]
        outputs = [operation for operation, _, _ in act.told]
        for done in range(act.first, act.last):
            operation = recording.operations[done]
            if done in outputs or done == act.first:
                before = None
            if first <= done < end:
                swept.erases += operation[1] is None
                at = operation[0]
                device.image[:] = current
                tear(device.image, operation, done)
                torn = device.image[at : at + 4096] != current[at : at + 4096]
                swept.alike += (before is not None) + (not torn)
                clean = before
                if clean is None:
                    clean = _judged(judge, swept, device, current, number, done, CLEAN)
                swept.sums.append(clean)
                swept.sums.append(_judged(judge, swept, device, current, number, done, TORN) if torn else clean)
                before = clean
            if _apply(current, operation):
                before = None
    judge.unwatch()
    swept.formats = judge.formats
    return swept


def _apply(image, operation):
    """Do it; True when that changed anything."""
    at = operation[0]
    size = 4096 if operation[1] is None else len(operation[1])
    old = bytes(image[at : at + size])
    apply(image, operation)
    return image[at : at + size] != old


def _judged(judge, swept, device, current, number, done, mode):
    """The checksum of one cut; what is wrong goes into `swept`."""
    operation = judge.recording.operations[done]
    lost = not (2 * done + mode) % WITHOUT_COUNTER_EVERY
    try:
        _leave(device, current, operation, done, mode)
        checksum = judge.cut(device, number, done, mode == CLEAN and done % REPORT_EVERY == 4)
        if lost:
            swept.extra += 1
            _leave(device, current, operation, done, mode)
            judge.without_counter(device, number, done)
    except Wrong as problem:
        swept.wrong.append((done, mode, judge.recording.acts[number].name + ": " + problem.args[0]))
        return 0
    except Exception as problem:  # whatever it is: a meter must not fail
        swept.wrong.append((done, mode, judge.recording.acts[number].name + ": raised " + repr(problem)))
        return RAISED
    return checksum


def _leave(device, current, operation, done, mode):
    """Leave the flash as the cut does."""
    device.image[:] = current
    if mode == TORN:
        tear(device.image, operation, done)
