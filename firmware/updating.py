"""Updates as they are asked for: the console's commands, and the conversation by frames. Loaded when one is asked for.

[id, "update"]                        -> [id, version, slot, trial 0|1, offered version, next offset, size, outcome]
[id, "update-begin", manifest]        -> [id, "ready", next offset], which counts from the image's first byte
[id, "update-data", offset, bytes]    -> [id, "ready", next offset]
[id, "update-end"]                    -> [id, "verified"]
[id, "update-start"]                  -> [id, "restarting"], and then it does
[id, "update-confirm"]                -> [id, "confirmed"]: of a box without identity alone
each                                  -> [id, "refused", code of update_codes] where it is not done

By frames offsets count from the manifest's first byte. The meter asks by PROGRESS for what comes next: when a page of
the file is whole, when something changed, when it is asked, and again when nothing came (docs/SPEC.md, Appendix C).
Nothing is written while the valve moves.
"""

from firmware.boards.base import FOR_ANOTHER_IMAGE
from firmware.boot_slot import FACTORY, SLOTS, manifest_of
from firmware.slot_writer import UpdateRefused, begin, is_on_trial, running_version
from firmware.trial import confirm, is_moving
from firmware.version import FIRMWARE_VERSION
from protocol.compat import const
from protocol.wire import manifest, update_codes
from protocol.wire.console_codes import BAD_ARGUMENTS, NOT_NOW
from protocol.wire.messages import Progress
from protocol.wire.uplinks import encode_up

CHUNK_MAX = const(512)
PAGE_BYTES = const(256)
NEVER_US = const(0x7FFFFFFFFFFFFFFF)
SOON = const(3)  # so often it asks again soon, then once an hour
HOUR_US = const(3600000000)
ASKS_MAX = const(8)  # without an answer; then it waits for a question


class Update:
    """What is under way, in memory: the flash alone knows after a reset."""

    def __init__(self, application):
        self.application = application
        self.writer = None
        self.head = b""  # of a manifest that comes by frames
        self.offered = 0
        self.outcome = 0
        self.ask_us = NEVER_US
        self.asks = 0
        self.starting = False
        if application.store is not None:  # it speaks among what the meter says, from here on
            sync = application.sync
            self.due_before, self.next_before = sync.due, sync.next_us
            sync.due, sync.next_us = self.due, self.next_us

    # What is asked ---------------------------------------------------------------------------------------------------
    def refuse(self, code):
        self.outcome = code
        raise UpdateRefused(code)

    def check_rest(self):
        if is_moving(self.application):
            raise UpdateRefused(update_codes.VALVE_MOVING)

    def begin(self, data):
        self.check_rest()
        self.writer = None
        self.head = b""
        try:
            self.writer = begin(self.application.board, data)
        except UpdateRefused as refusal:
            self.refuse(refusal.args[0])
        self.outcome = 0
        self.offered = self.writer.version

    def take(self, offset, data):
        self.check_rest()
        if self.writer is None:
            raise UpdateRefused(update_codes.NOTHING_BEGUN)
        try:
            self.writer.take(offset, data)
        except UpdateRefused as refusal:
            self.failed(refusal.args[0])

    def end(self):
        self.check_rest()
        if self.writer is None:
            raise UpdateRefused(update_codes.NOTHING_BEGUN)
        try:
            self.writer.end()
        except UpdateRefused as refusal:
            self.failed(refusal.args[0])

    def failed(self, code):
        """A wrong offset can be mended by the sender; all else begins again."""
        if code == update_codes.OFFSET:
            raise UpdateRefused(code)
        self.writer = None
        self.head = b""
        self.refuse(code)

    def check_startable(self):
        self.check_rest()
        if self.writer is None or not self.writer.verified:
            raise UpdateRefused(update_codes.NOTHING_BEGUN)

    def leave(self):
        """Once all else of this instant is done."""
        self.application.ended = FOR_ANOTHER_IMAGE

    # By frames -------------------------------------------------------------------------------------------------------
    @property
    def state(self):
        if self.application.board.slots is not None and is_on_trial(self.application.board):
            return update_codes.TRIAL
        if self.writer is None:
            return update_codes.TAKING if self.head else update_codes.IDLE
        return update_codes.VERIFIED if self.writer.verified else update_codes.TAKING

    @property
    def next_in_file(self):
        return len(self.head) if self.writer is None else manifest.LENGTH + self.writer.next_offset

    def fragment(self, message, now_us):
        """Handle a FRAGMENT; the answer is a PROGRESS, now or later."""
        before = self.next_in_file
        self.asks = 0
        if self.outcome == update_codes.VALVE_MOVING:
            self.outcome = 0
        try:
            told = self._fragment(message)
        except UpdateRefused as refusal:
            self.outcome = refusal.args[0]
            told = self.outcome != update_codes.VALVE_MOVING
        page = self.next_in_file // PAGE_BYTES != before // PAGE_BYTES
        self.ask_us = now_us if told or page else now_us + self.application.sync.resend_apart_us

    def _fragment(self, message):
        """True when it is to be answered at once."""
        if not message.chunk:
            self._resume(message.version)
            if message.offset and message.version == self.offered and message.offset == self.next_in_file:
                self.check_startable()
                self.starting = True
            return True
        self.check_rest()
        if message.version != self.offered or not message.offset:
            self._resume(message.version)
        if message.offset != self.next_in_file:
            return message.offset > self.next_in_file
        chunk = message.chunk
        if self.writer is None:
            missing = manifest.LENGTH - len(self.head)
            self.head += chunk[:missing]
            self.outcome = 0
            if len(self.head) < manifest.LENGTH:
                return False
            self.begin(self.head)
            if self.writer.next_offset:
                return True
            chunk = chunk[missing:]
        if chunk:
            self.take(self.writer.next_offset, chunk)
        if self.writer.next_offset < self.writer.size or self.writer.verified:
            return False
        self.end()
        return True

    def _resume(self, version):
        """Turn to a version that is talked of: to what a slot holds of it, or to nothing."""
        if self.writer is None or self.writer.version != version:
            self.offered = version
            self.writer = None
            self.head = b""
            self.outcome = 0
            self._look()

    def _look(self):
        """Take up what a slot holds of the version that is offered."""
        board = self.application.board
        if board.slots is None:
            raise UpdateRefused(update_codes.NO_SLOTS)
        for slot in range(SLOTS):
            found = manifest_of(board.slots, slot)
            if slot != board.running_slot and found is not None and found.version == self.offered:
                self.begin(board.slots.read(slot, 0, manifest.LENGTH))
                return

    def next_us(self):
        """As of Sync."""
        return min(self.next_before(), self.ask_us)

    def due(self, now_us, unix_s):
        """As of Sync, with the PROGRESS that is due behind all else."""
        messages = self.due_before(now_us, unix_s)
        if now_us >= self.ask_us:
            messages.append(encode_up(self.ask(now_us)))
        return messages

    def ask(self, now_us):
        """The PROGRESS that is due, after all else of this instant; where it is the last word, the life ends."""
        if self.offered and self.writer is None and not self.head and not self.outcome:
            try:
                self._look()  # after a boot
            except UpdateRefused as refusal:
                self.outcome = refusal.args[0]
        if self.starting and not is_moving(self.application):
            self.leave()
        self.asks += 1
        self.ask_us = NEVER_US
        if self.state == update_codes.TAKING and self.asks < ASKS_MAX:
            self.ask_us = now_us + (self.application.sync.resend_apart_us if self.asks <= SOON else HOUR_US)
        version = self.offered or running_version(self.application.board)
        return Progress(version, self.next_in_file, self.state, self.outcome)


def of(application):
    """The Update of this life, made when first something is asked of it."""
    if application.update is None:
        application.update = Update(application)
    return application.update


def go_on(meter, version):
    """After a boot: the rest of a transfer that was cut is asked for, in a moment."""
    update = of(meter)
    update.offered = version
    update.ask_us = meter.board.now_us() + meter.sync.resend_apart_us


def command(application, parts):
    """The answer to a command whose name begins with "update", without its id. `application`: Meter or WithoutState."""
    update = of(application)
    name, arguments = parts[0], list(parts[1:])
    kinds = [type(argument) for argument in arguments]
    try:
        if name == "update" and not kinds:
            return status(application, update)
        if name == "update-begin" and kinds == [bytes]:
            update.begin(arguments[0])
            return ["ready", update.writer.next_offset]
        if name == "update-data" and kinds == [int, bytes] and 0 < len(arguments[1]) <= CHUNK_MAX:
            update.take(arguments[0], arguments[1])
            return ["ready", update.writer.next_offset]
        if name == "update-end" and not kinds:
            update.end()
            return ["verified"]
        if name == "update-start" and not kinds:
            update.check_startable()
            update.leave()
            return ["restarting"]
        if name == "update-confirm" and not kinds:
            return _confirm(application)
    except UpdateRefused as refusal:
        return ["refused", refusal.args[0]]
    return ["refused", BAD_ARGUMENTS]


def _confirm(application):
    """A box that nobody provisioned has no radio to prove itself by: the technician does it."""
    board = application.board
    if application.meter_id is not None:
        raise UpdateRefused(NOT_NOW)
    if board.slots is None or board.running_slot == FACTORY:
        raise UpdateRefused(update_codes.NOTHING_BEGUN)
    if not confirm(board):
        raise UpdateRefused(update_codes.FLASH)
    return ["confirmed"]


def status(application, update):
    board = application.board
    if board.slots is None:
        return [FIRMWARE_VERSION, FACTORY, 0, 0, 0, 0, update_codes.NO_SLOTS]
    on_trial = int(is_on_trial(board))
    offered, next_offset, size = 0, 0, 0
    if update.writer is not None:
        offered, next_offset, size = update.writer.version, update.writer.next_offset, update.writer.size
    return [running_version(board), board.running_slot, on_trial, offered, next_offset, size, update.outcome]
