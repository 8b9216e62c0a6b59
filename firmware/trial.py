"""An update on trial: it proves itself, or what ran before runs again. Loaded at a boot of a meter that has slots.

It is confirmed once an authentic downlink was heard by radio after an uplink of this boot: then state, packs, identity,
keys, radio and the way back all work. Not within a day: REJECTED, and the board restarts with what ran before, once the
valve rests. A boot costs one of three TRIAL marks (boot_slot.py), so that a trial that does not even live that long
ends too. Firmware that finds a state it cannot read rejects itself before it writes anything. The headend is told once:
by the image that was confirmed, or by the one that runs again, which takes that version no more (slot_writer.py).
Nothing here touches wallet or log; docs/adr/0072 argues it.
"""

from firmware import keepsake
from firmware.boards.base import FOR_ANOTHER_IMAGE
from firmware.boot_slot import COMPLETE, CONFIRMED, REJECTED, SLOTS, TOLD, is_refused, is_set, manifest_of, set_mark
from firmware.events import SENDS
from firmware.slot_writer import highest_confirmed, is_on_trial, running_version
from protocol.compat import const
from protocol.wire import event_codes

TRIAL_US = const(86400000000)


def begin(application):
    """What is to do about updates in this life. A keepsake that missed a confirmation is mended."""
    board = application.board
    trial = Trial(application)
    if not trial.on_trial and running_version(board) > highest_kept(board) and board.running_slot < SLOTS:
        keep_version(board)
    if application.store is not None and version_begun(board):
        from firmware.updating import go_on

        go_on(application, version_begun(board))
    if trial.on_trial or trial.to_tell:
        trial.heard_before = application.listen
        application.listen = trial.listen


def version_begun(board):
    """The version of a slot that waits for more of its image, or 0."""
    for slot in range(SLOTS):
        found = manifest_of(board.slots, slot)
        if slot != board.running_slot and found is not None and not is_set(board.slots, slot, COMPLETE):
            return found.version
    return 0


def highest_kept(board):
    return int.from_bytes(keepsake.look(board.eeprom, keepsake.VERSION)[1], "big")


def keep_version(board):
    if board.eeprom is not None:
        keepsake.keep(board.eeprom, keepsake.VERSION, highest_confirmed(board).to_bytes(4, "big"))


def confirm(board):
    """True when what runs is confirmed from here on: the mark first, which boots go by, then the keepsake."""
    if not set_mark(board.slots, board.running_slot, CONFIRMED):
        return False
    keep_version(board)
    return True


def reject(board):
    """What runs has had its trial."""
    set_mark(board.slots, board.running_slot, REJECTED)


def reject_unread(board):
    """Of firmware on trial that cannot read the state there is: restart with what wrote it. Else nothing."""
    if is_on_trial(board):
        reject(board)
        board.restart()


class Trial:
    def __init__(self, application):
        board = application.board
        self.application = application
        self.on_trial = is_on_trial(board)
        self.until_us = board.now_us() + TRIAL_US
        self.first_counter = 0 if application.store is None else application.store.counter.next
        # Slots whose end is to be told, each with the number of its EVENT, None before it is made.
        self.to_tell = [[slot, None] for slot in range(SLOTS) if application.store is not None and _untold(board, slot)]

    def listen(self):
        """In the place of the application's own, which a meter that has nothing to prove calls at once: so it costs no
        heap. Called at each instant of work, one in a half-hour at least. True when something authentic came by radio.
        """
        heard = self.heard_before()
        application = self.application
        board = application.board
        if self.on_trial and heard and application.store.counter.next != self.first_counter and confirm(board):
            self.on_trial = False
            self.to_tell.append([board.running_slot, None])
        if self.on_trial and board.now_us() >= self.until_us and not is_moving(application):
            self.on_trial = False
            if is_on_trial(board):  # it may have been confirmed by cable
                reject(board)
                application.ended = FOR_ANOTHER_IMAGE
        if self.to_tell:
            self._tell(application, board)
        if not self.on_trial and not self.to_tell:
            application.listen = self.heard_before
        return heard

    def _tell(self, application, board):
        """Add the events; a slot is told when its event was sent."""
        unsent = [entry.event_no for entry, sends in application.events.waiting if sends == SENDS]
        for told in self.to_tell:
            slot, number = told
            if number is None:
                code = event_codes.FIRMWARE_REJECTED
                if is_set(board.slots, slot, CONFIRMED):
                    code = event_codes.FIRMWARE_CONFIRMED
                application.events.add(code, application.unix_s(), manifest_of(board.slots, slot).version)
                told[1] = application.state.event_number
            elif number not in unsent:
                set_mark(board.slots, slot, TOLD)
        self.to_tell = [told for told in self.to_tell if told[1] is None or not is_set(board.slots, told[0], TOLD)]


def is_moving(application):
    """Whether the motor runs, or is about to."""
    valve = application.valve
    if valve is None:
        return False
    return valve.motor_since_us is not None or (valve.state.valve_moving and not valve.state.valve_fault)


def _untold(board, slot):
    """Whether a slot's image was confirmed or had its trial, and the headend was not told."""
    flash = board.slots
    if manifest_of(flash, slot) is None or is_set(flash, slot, TOLD) or not is_set(flash, slot, COMPLETE):
        return False
    return is_set(flash, slot, CONFIRMED) or (slot != board.running_slot and is_refused(flash, slot))
