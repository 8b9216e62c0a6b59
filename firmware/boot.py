"""Boot: from flash and keepsake to a running meter, by the table of boot_rules.py. Nothing here ever formats."""

import sys

from firmware import boot_rules, identity, keepsake, state
from firmware.clock import Clock
from firmware.flash_record import TwoCopies
from firmware.frame_counter import FrameCounter
from firmware.meter import Meter
from firmware.slot_log import SlotLog
from protocol.compat import const

LATER_STATE = const(2)  # argument of FLASH_LOST: a later firmware wrote the state, and it is not written over


class Store:
    """The flash records of a meter."""

    def __init__(self, files, eeprom=None, counters=b""):
        """`counters`: what the keepsake in `eeprom` says of them for this meter."""
        self.identity = TwoCopies(files, "identity")
        self.state = TwoCopies(files, "state")
        self.packs = TwoCopies(files, "packs")
        self.counter = FrameCounter(TwoCopies(files, "counters"), eeprom, counters)
        self.keepsake_bad = 0

    def bad_copies(self):
        """Copies that did not check when they were read at boot, and a keepsake that cannot be written."""
        records = (self.identity, self.state, self.packs, self.counter.record)
        return sum([record.bad_copies for record in records]) + self.keepsake_bad


def look(board):
    """(what to do, the identity's bytes, what the keepsake says of this meter's counters)."""
    kept, kept_data, alike = keepsake.look(board.eeprom, keepsake.IDENTITY)
    counters = keepsake.look(board.eeprom, keepsake.COUNTERS)[1]
    if kept == keepsake.KEPT and not is_identity(kept_data):
        kept = keepsake.BAD
    if board.files is None:
        if kept == keepsake.KEPT and not counters:
            kept = keepsake.BAD  # nobody knows which counters were used: no frame may be sealed
        flash = boot_rules.BLANK if board.flash_blank() else boot_rules.BROKEN
        return boot_rules.rule(flash, boot_rules.ABSENT, kept, False), kept_data, counters
    record = TwoCopies(board.files, "identity")
    data = record.load()
    if is_identity(data):
        same = data == kept_data
        decided = boot_rules.rule(boot_rules.MOUNTS, boot_rules.GOOD, kept, same and alike)
        return decided, data, counters if same else b""
    found = boot_rules.ABSENT if data is None and not record.bad_copies else boot_rules.SPOILT
    return boot_rules.rule(boot_rules.MOUNTS, found, kept, False), kept_data, counters


def is_identity(data):
    try:
        return identity.decode(data or b"") is not None
    except identity.IdentityRefused:
        return False


def boot(board):
    """The Meter on this board's flash, a Factory, or a SafeMode."""
    decided, data, counters = look(board)
    if decided in (boot_rules.ALARM, boot_rules.SILENT):
        application = _safe_mode(board, data if decided == boot_rules.ALARM else b"", counters)
    elif decided == boot_rules.FACTORY:
        application = _factory(board)
    else:
        application = _meter(board, data, counters, decided)
    return application


def _meter(board, data, counters, decided):
    store = Store(board.files, board.eeprom, counters)
    _mend(board.eeprom, store, data, decided)
    payload = store.state.load()
    found = state.decode(payload) if payload else None
    if found is None:
        if board.slots is not None:
            _reject_unread(board)
        if payload and payload[0] > state.FORMAT:
            return _unreadable(board, data, store.counter.payload())
        found = _state_after_loss(board, store)
    return Meter(board, identity.decode(data), found, store)


def _unreadable(board, data, counters):
    safe = _safe_mode(board, data, counters)
    safe.argument = LATER_STATE
    return safe


def _reject_unread(board):
    from firmware.trial import reject_unread

    reject_unread(board)


def begin_trial(application):
    """Of a board with slots, once `boot` is over: a small heap has no room for both."""
    from firmware.trial import begin

    begin(application)
    for name in ("trial", "slot_writer", "boot_slot", "manifest"):
        sys.modules.pop(name, None)  # on a device these are files of their own, needed again at the next boot


def _mend(eeprom, store, data, decided):
    """Write again what of identity, counters and keepsake is not as the rest says."""
    if store.identity.load() != data or store.identity.bad_copies:
        store.identity.save(data)
    if store.counter.restored:
        store.counter.save(-1)
    if eeprom is not None:
        kept = store.counter.lost or keepsake.keep(eeprom, keepsake.COUNTERS, store.counter.payload())
        if decided != boot_rules.NORMAL:
            kept = keepsake.keep(eeprom, keepsake.IDENTITY, data) and kept
        store.keepsake_bad = int(not kept)


def _safe_mode(board, data, counters):
    from firmware.safe_mode import SafeMode  # hardly ever needed: not in the heap of every meter

    return SafeMode(board, data, counters)


def _factory(board):
    from firmware.factory import Factory  # before a meter's life

    return Factory(board)


def _state_after_loss(board, store):
    """Both copies of the state are gone: an unopened meter in a new log generation that repeats no frame (A4)."""
    fresh = state.State()
    fresh.window = store.counter.window_after_loss()
    generation = SlotLog(board.files).highest_generation() + 1
    if not generation:  # the log is lost with the state: counters given back by the keepsake skip 4096 each time
        generation = (store.counter.reserved >> 12) + 1
    fresh.log_generation = fresh.report_generation = fresh.sent_generation = generation
    store.state.bad_copies = 2  # told, even where nothing is left to be bad
    store.state.sequence = (generation & 0x7F) << 24  # a copy of before that turns up again is outvoted
    fresh.pulses_taken, fresh.reverse_taken = board.pulses(), board.reverse_pulses() or 0
    place(fresh, board.rtc())
    return fresh


def place(fresh, rtc):
    """Open the slot that the clock shows; slot 0, unsure, where it shows none."""
    fresh.open_slot = max(Clock(fresh, 0, rtc).slot(0), 0)
    fresh.first_slot = fresh.acked_slot = fresh.known_slot = fresh.sent_slot = fresh.open_slot
    fresh.open_sure = fresh.sure
