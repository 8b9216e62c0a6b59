"""Every cut of a recording, one after the other, on one flash in RAM. Runs under both interpreters.

After each cut the firmware boots; the boot itself is then cut, where `second` asks for it (M2). A flash that no boot
can tell from one that was judged (watched.py) takes its verdict.
"""

from hil_tests.cuts.judge import Judge, Wrong
from hil_tests.cuts.watched import Classes, WatchedRam, advance

CLEAN = 0
TORN = 1
MODES = (CLEAN, TORN)
WITHOUT_COUNTER_EVERY = 12  # so many boots are done once more with a pulse counter that lost its power too
LIVES_ON_EVERY = 4  # so many boots go on to what they hear next, or to their report
ALL = -1
RAISED = 1


class Swept:
    """What a sweep of one recording found."""

    def __init__(self, name, operations):
        self.name = name
        self.operations = operations
        self.sums = []  # a checksum of each cut: clean and torn of each operation, in order
        self.wrong = []  # (operation, mode, what); of a second cut (operation, mode, second operation, mode, what)
        self.second = 0  # cuts of the boot after a cut
        self.boots = 0  # flashes that differed in what a boot looks at, each judged by a boot of its own
        self.extra = 0  # boots without a pulse counter, and lives that went on
        self.formats = 0
        self.erases = 0


class Sweep:
    def __init__(self, flash, recording, second, seed, alone):
        """`second`: how many cuts of each recovery are tried, clean or torn, or ALL, both ways. `seed`: another one
        tears elsewhere and tries other second cuts. `alone`: each cut is judged by a boot of its own."""
        self.judge = Judge(flash, recording)
        self.recording = recording
        self.swept = Swept(recording.name, len(recording.operations))
        self.second = second
        self.seed = seed
        self.alone = alone
        self.source = bytearray(recording.base)
        self.device = WatchedRam(self.source)
        self.after = bytearray(self.source)
        self.after_device = WatchedRam(self.source) if second else None

    def run(self, part, parts):
        recording, swept = self.recording, self.swept
        self.judge.watch()
        first = len(recording.operations) * part // parts
        end = len(recording.operations) * (part + 1) // parts
        for number in range(len(recording.acts)):
            act = recording.acts[number]
            self.classes = Classes()
            self.after_classes = Classes()
            for done in range(act.first, act.last):
                operation = recording.operations[done]
                if first <= done < end:
                    swept.erases += operation[1] is None
                    told = [one for one in act.told if one[0] <= done]
                    for mode in MODES:
                        swept.sums.append(self._cut(number, done, mode, told))
                advance(self.source, operation, self.device)
        self.judge.unwatch()
        swept.formats = self.judge.formats
        return swept

    def _cut(self, number, done, mode, told):
        """The checksum of one cut; what is wrong goes into `swept`."""
        torn = self.recording.operations[done] if mode == TORN else None
        self.device.lay(self.source, torn, done + self.seed)
        known = None if self.alone else self.classes.find(self.device, len(told))
        if known is not None:
            return known
        where = (done, mode)
        self.swept.boots += 1
        found = self._guarded(where, number, lambda: self.judge.cut(self.device, number, told))
        ranges = self.device.ranges()
        total = RAISED if found is None else found.sum
        if found is not None:
            self._further(where, number, torn)
        self.device.lay(self.source, torn, done + self.seed)
        self.classes.keep(len(told), ranges, self.device.image, total)
        if found is not None and self.second:
            self._cut_again(where, number, told, found)
        return total

    def _further(self, where, number, torn):
        """Some of the meters live on; some boot once more, without their pulse counter."""
        turn = self.swept.boots
        if turn % LIVES_ON_EVERY == 0:
            self.swept.extra += 1
            self._guarded(where, number, lambda: self.judge.lives_on(number, turn % (2 * LIVES_ON_EVERY) == 0))
        if turn % WITHOUT_COUNTER_EVERY == 1:
            self.swept.extra += 1
            self.device.lay(self.source, torn, where[0] + self.seed)
            self._guarded(where, number, lambda: self.judge.without_counter(self.device, number))

    def _guarded(self, where, number, judge):
        """What `judge` returns; None where anything is wrong."""
        try:
            return judge()
        except Wrong as problem:
            what = problem.args[0]
        except Exception as problem:  # whatever it is: a meter must not fail
            what = "raised " + repr(problem)
        self.swept.wrong.append(where + (self.recording.acts[number].name + ": " + what,))
        return None

    # The second cut ---------------------------------------------------------------------------------------------------
    def _cut_again(self, where, number, told, found):
        """Cut the boot that `found` this, too: from the flash that `device` lies on, through its own operations."""
        device, operations = self.after_device, found.operations
        self.after[:] = self.device.image
        device.image[:] = self.after
        past = 0
        modes = MODES if self.second == ALL else MODES[self.swept.boots % 2 :][:1]
        for done in self._chosen(len(operations)):
            while past < done:
                advance(self.after, operations[past], device)
                past += 1
            said = [one for one in found.told if one[0] <= done]
            for mode in modes:
                torn = operations[done] if mode == TORN else None
                device.lay(self.after, torn, where[0] + done + self.seed)
                self.swept.second += 1
                key = (found.sum, len(told), len(said))
                if not self.alone and self.after_classes.find(device, key) is not None:
                    continue
                self.swept.boots += 1
                self._guarded(
                    where + (done, mode),
                    number,
                    lambda said=said: self.judge.cut(device, number, told, found, said),
                )
                ranges = device.ranges()
                device.lay(self.after, torn, where[0] + done + self.seed)
                self.after_classes.keep(key, ranges, device.image, True)

    def _chosen(self, count):
        """The operations of a recovery at which it is cut again, other ones for each flash."""
        if self.second == ALL or count <= self.second:
            return range(count)
        begin = self.swept.boots * 7 + self.seed * 13
        return sorted(set([(begin + count * at // self.second) % count for at in range(self.second)]))


def sweep(flash, recording, part=0, parts=1, second=0, seed=0, alone=False):
    """A Swept of the part `part` of `parts` of the recording's operations."""
    return Sweep(flash, recording, second, seed, alone).run(part, parts)
