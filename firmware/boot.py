"""Boot: from flash to a running meter. A flash that does not mount, or holds no identity, is never touched: the meter
then runs in safe mode."""

from firmware import identity, state
from firmware.clock import Clock
from firmware.flash_record import TwoCopies
from firmware.frame_counter import FrameCounter
from firmware.meter import Meter
from firmware.slot_log import SlotLog


class Store:
    """The flash records of a meter."""

    def __init__(self, files):
        self.identity = TwoCopies(files, "identity")
        self.state = TwoCopies(files, "state")
        self.packs = TwoCopies(files, "packs")
        self.counter = FrameCounter(TwoCopies(files, "counters"))

    def bad_copies(self):
        """Copies that did not check when they were read at boot."""
        records = (self.identity, self.state, self.packs, self.counter.record)
        return sum([record.bad_copies for record in records])


def boot(board):
    """The Meter on this board's flash, or a SafeMode."""
    if board.files is None:
        return _safe_mode(board)
    store = Store(board.files)
    try:
        who = identity.decode(store.identity.load() or b"")
    except identity.IdentityRefused:
        return _safe_mode(board)
    payload = store.state.load()
    found = state.decode(payload) if payload else None
    if found is None:
        found = _state_after_loss(board, store)
    return Meter(board, who, found, store)


def _safe_mode(board):
    from firmware.safe_mode import SafeMode  # hardly ever needed: not in the heap of every meter

    return SafeMode(board)


def _state_after_loss(board, store):
    """Both copies of the state are gone: an unopened meter in a new log generation that repeats no frame (A4)."""
    fresh = state.State()
    fresh.window = store.counter.window_after_loss()
    fresh.log_generation = fresh.report_generation = fresh.sent_generation = (
        SlotLog(board.files).highest_generation() + 1
    )
    fresh.pulses_taken = board.pulses()
    place(fresh, board.rtc())
    return fresh


def place(fresh, rtc):
    """Open the slot that the clock shows; slot 0, unsure, where it shows none."""
    fresh.open_slot = max(Clock(fresh, 0, rtc).slot(0), 0)
    fresh.first_slot = fresh.acked_slot = fresh.known_slot = fresh.sent_slot = fresh.open_slot
    fresh.open_sure = fresh.sure
