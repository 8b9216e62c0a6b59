"""A supply that comes and goes: a thousand resets within ten minutes on one flash, each where the dice say (M8).

The power goes at some flash operation of a boot, in the middle of it or before it, or a moment after the meter is idle;
water flows meanwhile, and a payment is told again and again. What is true goes on by arithmetic of its own (truth.py).
Each meter that comes so far is compared with it, each counter on air is new, and the wear of the flash is counted.
CPython alone: MicroPython closes the files of a life that is over when it pleases.
"""

from errno import EIO

from firmware import boot, flash_record
from hil_tests.cuts.board import CutBoard
from hil_tests.cuts.flips import Dice
from hil_tests.cuts.judge import Wrong, counters, require
from hil_tests.cuts.nor_ram import BLOCKS, ERASE_BYTES, PROGRAM_BYTES, NorRam, tear
from hil_tests.cuts.scenes import MONTHLY, living
from hil_tests.cuts.world import seen
from protocol.wire.messages import Statement

RESETS = 1000
SECONDS = 600
OPERATIONS_MAX = 60  # a boot and its work take fewer; where the power stays longer, the meter comes to rest
AT_REST, WATER, MONEY = 0, 1, 2
ERASES_PER_100_COPIES_MAX = 130  # of what is written, each record twice
FRAMES_MAX = 40  # a loop of resets is no reason to talk: an ANCHOR in 15 minutes, what is due, and what a cut swallowed


class DyingRam(NorRam):
    """A flash whose power goes at a given operation, half-way through it or before it."""

    left = -1  # operations until then; -1 for never
    dead = False  # for good: another life has another one of these, of the same image
    torn = 0
    board = None
    worn = ()

    def _goes(self, operation):
        """The power goes with this operation, if it is its time."""
        if self.left == 0:
            self.dead = True
            self.told = len(self.board.told)
            if self.torn:
                tear(self.image, operation, self.torn)
            raise OSError(EIO)
        self.left -= self.left > 0

    def readblocks(self, block, buffer, offset=0):
        if not self.dead:  # else a file of a life that is over, closed by the garbage collection of the next one
            super().readblocks(block, buffer, offset)

    def writeblocks(self, block, buffer, offset=0):
        if self.dead:
            return
        for at in range(0, len(buffer), PROGRAM_BYTES):
            data = bytes(buffer[at : at + PROGRAM_BYTES])
            self._goes((block * ERASE_BYTES + offset + at, data))
            super().writeblocks(block, data, offset + at)

    def erase(self, block):
        if self.dead:
            return
        self._goes((block * ERASE_BYTES, None))
        self.worn[block] += 1
        super().erase(block)

    def page(self, at, data):
        if self.dead:
            return
        self._goes((at, data))
        super().page(at, data)


class Loop:
    def __init__(self, flash, kind, seed):
        self.kind = kind
        self.dice = Dice(seed * 3 + kind)
        self.world = living(flash, "loop", tariff=MONTHLY, credited_mills=10000000)
        self.world.passes(1100)  # a slot ends within the loop
        self.world.meter = None
        self.counted = self.world.board.count
        self.flash = flash
        self.worn = [0] * BLOCKS
        self.counter = max([self.world.recording.told_counter] + self._heard())
        self.idle = self.frames = self.updates = 0
        self.paid = None

    def _heard(self):
        """The counters of what the meter said before the loop."""
        acts = self.world.recording.acts
        return [counter for act in acts for counter in counters(act.told)]

    def run(self):
        """What came of it, as a dict. Raises Wrong."""
        real = flash_record.TwoCopies.save

        def save(record, payload):
            self.updates += 1
            real(record, payload)

        flash_record.TwoCopies.save = save
        try:
            for number in range(RESETS):
                self._reset(number)
        finally:
            flash_record.TwoCopies.save = real
            self.flash.unmount()
        erases = sum(self.worn)
        require(self.frames <= FRAMES_MAX, "{} frames".format(self.frames))
        require(50 * erases <= ERASES_PER_100_COPIES_MAX * self.updates, "{} erases".format(erases))
        return {
            "resets": RESETS,
            "idle": self.idle,
            "frames": self.frames,
            "updates": self.updates,
            "erases": erases,
            "worst_block": max(self.worn),
        }

    def _reset(self, number):
        """One life, from power to power. The last one is long enough to come to rest."""
        world, truth = self.world, self.world.truth
        device = DyingRam(world.device.image)
        device.worn = self.worn
        world.now_s += (number * SECONDS // RESETS) - ((number - 1) * SECONDS // RESETS) if number else 0
        board = CutBoard(device, None)
        board.clock = world.clock()
        if self.kind == WATER:
            world.board.count += self.dice.below(4)
            truth.pending += world.board.count - self.counted
            self.counted = world.board.count
        board.count = world.board.count
        truth.time(world.now_s)
        device.board = board
        device.left = -1 if number == RESETS - 1 else self.dice.below(OPERATIONS_MAX)
        device.torn = self.dice.below(2) and 1 + self.dice.below(60)
        self.flash.unmount()
        try:
            board.files = self.flash.mount(device)
            found = boot.boot(board)
            found.wake_up()
            found.tick()
            if self.kind == MONEY:
                self._pay(board, found, number)
        except OSError:
            require(device.dead, "an error without a cut")
        told = board.told[: device.told] if device.dead else board.told
        for counter in counters(told):
            require(counter > self.counter, "uplink counter {} used twice".format(counter))
            self.counter = counter
            self.frames += 1
        if not device.dead:
            self._at_rest(found, number)
        device.dead = True

    def _pay(self, board, found, number):
        """The newest payment is told by another frame, until the meter says that it has it."""
        world = self.world
        message = Statement(2 + number // 50, 10000000 + 1000 * (number // 50), 0, 0, 0)
        self.paid = message
        board.inbox.append(world.seal(message))
        found.tick()

    def _at_rest(self, found, number):
        """It came so far: it is what is true."""
        self.idle += 1
        truth = self.world.truth
        if self.kind == MONEY:
            truth.credited, truth.statement = self.paid.credited_mills, self.paid.number
        facts = seen(found)
        require(facts == truth.facts(), "reset {}: true {}, found {}".format(number, truth.facts(), facts))
        require(not found.store.bad_copies(), "reset {}: copies that do not check".format(number))
        for slot in truth.slots_written[-1:]:
            name = "log/{:02}".format(slot // 48 % 92)
            copies = [found.board.files.read(directory + name) for directory in ("a/", "b/")]
            require(copies[0] == copies[1], "reset {}: logs that differ".format(number))
            truth.check_logs({name: copies[0]})


def loop(flash, kind, seed):
    """What came of a loop of this kind; `wrong` is empty where it was right."""
    try:
        return dict(Loop(flash, kind, seed).run(), wrong=[])
    except (Wrong, AssertionError) as problem:
        return {"wrong": [str(problem)]}
