"""An exception at the N-th call or flash operation of what a firmware does, for each N (M7). Runs under CPython alone.

An exception that nobody awaits ends a meter's life as a watchdog does: it boots again, from a flash on which `with` has
closed what was open. So after each the judge of the cuts is asked: the state is the old one or the new one, and nobody
was told of what is not on flash. What fails is a call (MemoryError: every call of Python or C in firmware or protocol
may need memory) or an operation of the flash (OSError).
"""

import sys
from errno import EIO

from firmware import boot
from hil_tests.cuts.judge import Judge, Wrong
from hil_tests.cuts.nor_ram import PROGRAM_BYTES
from hil_tests.cuts.watched import Classes, WatchedRam, advance

DEVICE_CODE = ("/firmware/", "/protocol/")
CALL = 0
OPERATION = 1
BOOT = 0  # what is interrupted: the boot that finds the act, or the act itself
ACT = 1


class FailingRam(WatchedRam):
    """A flash of which one operation fails."""

    fail_at = -1

    def writeblocks(self, block, buffer, offset=0):
        whole = self.fail_at - self.operations  # so many programs are done before the one that fails
        if 0 <= whole < -(-len(buffer) // PROGRAM_BYTES):
            if whole:
                super().writeblocks(block, buffer[: whole * PROGRAM_BYTES], offset)
            self.operations += 1
            raise OSError(EIO)
        super().writeblocks(block, buffer, offset)

    def erase(self, block):
        self._fail()
        super().erase(block)

    def page(self, at, data):
        self._fail()
        super().page(at, data)

    def _fail(self):
        if self.operations == self.fail_at:
            self.operations += 1
            raise OSError(EIO)


class CallCount:
    """Counts the calls of the device's code, and raises MemoryError in place of one of them."""

    def __init__(self):
        self.codes = {}

    def run(self, fail_at, work):
        """Do `work`, whose call number `fail_at` fails. (whether there were so many, whether `work` ended by it)."""
        self.left = fail_at
        self.raised = False
        sys.setprofile(self._event)
        try:
            work()
        except MemoryError:
            return self.raised, True
        finally:
            sys.setprofile(None)
        return self.raised, False

    def _event(self, frame, event, _):
        if event not in ("call", "c_call"):
            return
        if self._counts(frame.f_code) or (event == "call" and frame.f_back and self._counts(frame.f_back.f_code)):
            if not self.left:
                self.raised = True
                sys.setprofile(None)
                raise MemoryError
            self.left -= 1

    def _counts(self, code):
        """Whether it is the device's; what that calls on a board counts as a call of its own."""
        counts = self.codes.get(code)
        if counts is None:
            counts = self.codes[code] = any(part in code.co_filename for part in DEVICE_CODE)
        return counts


class Failed:
    """What all the faults of one recording came to."""

    def __init__(self):
        self.faults = 0
        self.told = 0  # faults after which something had been told already
        self.swallowed = 0  # faults that the firmware lived on after
        self.boots = 0
        self.wrong = []


class Faults:
    def __init__(self, flash, recording, stride, offset):
        """Each `stride`-th call fails, beginning at `offset`; of the flash every operation."""
        self.judge = Judge(flash, recording)
        self.recording = recording
        self.stride = stride
        self.offset = offset
        self.found = Failed()
        self.source = bytearray(recording.base)
        self.device = FailingRam(self.source)
        self.calls = CallCount()

    def run(self, numbers):
        """Interrupt the acts of these numbers, and the boots that find them."""
        self.judge.watch()
        done = 0
        for number in sorted(numbers):
            act = self.recording.acts[number]
            while done < act.first:
                advance(self.source, self.recording.operations[done], self.device)
                done += 1
            self.classes = Classes()
            for what in (BOOT,) if act.power else (BOOT, ACT):
                self._every(number, what, CALL)
                self._every(number, what, OPERATION)
        self.judge.unwatch()
        return self.found

    def _every(self, number, what, kind):
        at = self.offset % self.stride if kind == CALL else 0
        while self._one(number, what, kind, at):
            at += self.stride if kind == CALL else 1

    def _one(self, number, what, kind, at):
        """Let the call or operation `at` fail, and judge what is left. False when there are not so many."""
        self.device.fail_at = -1
        self.device.lay(self.source)
        boards, earlier, work = self._prepared(number, what)
        if kind == OPERATION:
            self.device.fail_at = self.device.operations + at
            failed = self._operations(work)
            happened = self.device.operations > self.device.fail_at
        else:
            happened, failed = self.calls.run(at, work)
        self.device.fail_at = -1
        if not happened:
            return False
        self.found.faults += 1
        told = boards[0].told if boards else []
        self.found.told += bool(told)
        self.found.swallowed += not failed
        if what == BOOT:
            told, earlier = [], told  # it had not come to the act yet
        self._judged((number, what, kind, at), told, earlier)
        return True

    def _operations(self, work):
        try:
            work()
        except OSError:
            return True
        return False

    def _prepared(self, number, what):
        """([board], what the boot told before, what is to be interrupted); the board is there once that has begun."""
        judge, act = self.judge, self.recording.acts[number]
        boards = []
        if what == BOOT:

            def boot_and_work():
                boards.append(judge.board(self.device, act.inputs()))
                judge.work(boot.boot(boards[0]))

            return boards, [], boot_and_work
        board = judge.board(self.device, act.inputs_before)
        found = boot.boot(board)
        judge.work(found)
        earlier, board.told = board.told, []

        def live():
            act.happens(board)
            found.tick()

        return [board], earlier, live

    def _judged(self, where, told, earlier):
        number = where[0]
        flash = bytes(self.device.image)
        self.device.look_afresh()
        key = [(kind, payload[:3]) for _, kind, payload in told + earlier], len(told)
        if self.classes.find(self.device, key) is not None:
            return
        self.found.boots += 1
        try:
            self.judge.cut(self.device, number, told, earlier=earlier)
        except Wrong as problem:
            self.found.wrong.append(where + (self.recording.acts[number].name + ": " + problem.args[0],))
        except Exception as problem:  # whatever it is: a meter must not fail
            self.found.wrong.append(where + (self.recording.acts[number].name + ": raised " + repr(problem),))
        self.classes.keep(key, self.device.ranges(), flash, True)
