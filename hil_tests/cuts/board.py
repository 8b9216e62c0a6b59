"""The board of the sweep, made of plain values, and what is recorded of a scenario: acts and flash operations."""

from firmware.boards.base import Board
from firmware.boards.blank import is_blank
from hil_tests.cuts.nor_ram import Eeprom

FRAME = 0
MOTOR = 1
FACE = 2


class CutBoard(Board):
    """A board of plain values; what leaves it is kept with the number of flash operations done before."""

    def __init__(self, device, files):
        self.device = device
        self.files = files
        self.eeprom = Eeprom(device)
        self.us = 1000000
        self.clock = (0, False)
        self.count = 0
        self.presses = 0
        self.stop = None
        self.tamper = False
        self.mv = 3600
        self.inbox = []
        self.told = []

    def now_us(self):
        return self.us

    def rtc(self):
        return self.clock

    def flash_blank(self):
        return is_blank(self.device)

    def pulses(self):
        return self.count

    def take_button(self):
        if self.presses:
            self.presses -= 1
            return True
        return False

    def take_end_stop(self):
        stop = self.stop
        self.stop = None
        return stop

    def tampered(self):
        return self.tamper

    def battery_mv(self):
        return self.mv

    def motor(self, command):
        self.told.append((self.device.operations, MOTOR, bytes((command,))))

    def face(self, picture):
        self.told.append((self.device.operations, FACE, picture))

    def transmit(self, frame):
        self.told.append((self.device.operations, FRAME, frame))

    def receive(self):
        return self.inbox.pop(0) if self.inbox else None

    def console_receive(self):
        return None


class Act:
    """One change of the world. `before` and `after` are the facts (judge.py); `free`: a cut within it may leave either.

    heard: the downlink that came, presses: of the button; frame: the downlink where it may be said again after a cut.
    clock, count, mv, tamper: what the board says, inputs_before: what it said until then; valve: the end-stop the valve
    rests at when the act begins, None between them.
    """

    def __init__(self, name, world):
        board = world.board
        self.name = name
        self.free = False
        self.power = False  # the power went and came: the act is a boot
        self.frame = self.heard = None
        self.presses = 0
        self.stop = None
        self.litres = 0
        self.also = None  # what is true a moment later: litres that waited for the next slot
        self.intent_before = self.intent_after = world.intent()
        self.valve = world.valve
        self.clock = (0, False)
        self.count = self.mv = 0
        self.tamper = False
        self.inputs_before = (world.clock(), board.count, board.mv, board.tamper)
        self.first = self.last = board.device.operations
        self.told = ()
        self.before = self.after = None
        self.logs_before = self.logs_after = ()

    def inputs(self):
        """What the board says from here on: (clock, pulses, battery, contact)."""
        return self.clock, self.count, self.mv, self.tamper

    def happens(self, board):
        """The same once more, on another board, which says what was said before."""
        board.us += (self.clock[0] - self.inputs_before[0][0]) * 1000000
        board.count, board.mv, board.tamper = self.count, self.mv, self.tamper
        board.presses += self.presses
        board.stop = self.stop
        if self.heard is not None:
            board.inbox.append(self.heard)


class Recording:
    """A scenario as it went: base + operations is every flash there was; acts cut the operations into pieces."""

    def __init__(self, name, base):
        self.name = name
        self.base = base
        self.operations = []
        self.acts = []
        self.passed = set()  # every (V, S, remainder, R, C, D) there was
        self.identity = b""
        self.provisioning = False
        self.told_counter = -1  # the highest uplink counter that was used before
        self.gaps = False  # whether slots are lost from the beginning on
        self.spoilt = 0  # copies that do not check from the beginning on
        self.facts = None  # of a meter that was only provisioned
        self.closed = {}  # (generation, slot) -> (V, litres, S, R, sure), of all slots in the end
