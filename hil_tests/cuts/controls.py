"""Stores that are broken on purpose. The judge must find each of them wrong, or it proves nothing."""

from firmware import flash_record, frame_counter, meter, slot_log
from hil_tests.cuts.flips import flip
from hil_tests.cuts.loops import MONEY, loop
from hil_tests.cuts.sweep import sweep


def done_too_early(flash, record):
    """Seven of eight states are said to be saved and are not."""
    return _saved_too_seldom(lambda: _cut(flash, record, "litre_by_litre"))


def done_too_early_in_a_loop(flash, record):
    """The same, where resets come a thousand times."""
    return _saved_too_seldom(lambda: {"found": len(loop(flash, MONEY, 1)["wrong"])})


def _saved_too_seldom(judged):
    real = flash_record.TwoCopies.save

    def save(self, payload):
        if self.name == "state" and self.sequence > 8 and self.sequence % 8:
            self.sequence += 1
            return None
        return real(self, payload)

    flash_record.TwoCopies.save = save
    try:
        return judged()
    finally:
        flash_record.TwoCopies.save = real


def a_counter_not_reserved(flash, record):
    """Uplink counters are used before a block of them is on flash."""
    real = frame_counter.FrameCounter.take

    def take(self, downlink_highest):
        self.next += 1
        return self.next - 1

    frame_counter.FrameCounter.take = take
    try:
        return _cut(flash, record, "counter_blocks")
    finally:
        frame_counter.FrameCounter.take = real


def a_slot_not_written_again(flash, record):
    """The newest slot is not recovered from the state."""
    real = slot_log.SlotLog.recover
    slot_log.SlotLog.recover = lambda self, newest: None
    try:
        return _cut(flash, record, "daily_reports")
    finally:
        slot_log.SlotLog.recover = real


def both_copies_cleared_first(flash, record):
    """Both copies of a record are emptied before they are written."""
    real = flash_record.TwoCopies.save

    def save(self, payload):
        for directory in flash_record.DIRECTORIES:
            self.files.replace(directory + "/" + self.name, b"")
        real(self, payload)

    flash_record.TwoCopies.save = save
    try:
        return _cut(flash, record, "statements")
    finally:
        flash_record.TwoCopies.save = real


def no_crc(flash, record):
    """What a record holds is believed."""
    real = flash_record.crc32
    flash_record.crc32 = lambda data: _Anything()
    try:
        flipped = flip(flash, record(flash, "statements"), 400, 77, lambda number: True)
        return {"wrong": flipped.wrong[:3], "found": len(flipped.wrong)}
    finally:
        flash_record.crc32 = real


class _Anything:
    """Equal to every number; four bytes long."""

    def __eq__(self, other):
        return True

    def __ne__(self, other):
        return False

    def to_bytes(self, length, order):
        return bytes(length)


def a_mount_that_formats(flash, record):
    """What does not mount is made to."""
    real = flash.mount

    def mount(device):
        files = real(device)
        if files is None:
            flash.format_flash(device)
            files = real(device)
        return files

    recording = record(flash, "statements")
    spoilt = bytearray(recording.base)
    spoilt[0:8192] = bytes(8192)
    recording.base = bytes(spoilt)
    recording.operations = []
    for act in recording.acts:
        act.first = act.last = 0
    flash.mount = mount
    try:
        flipped = flip(flash, recording, 1, 1, lambda number: True)
        return {"wrong": flipped.wrong[:3], "found": len(flipped.wrong) + flipped.formats}
    finally:
        flash.mount = real


def a_live_file_opened(flash, record):
    """A record is written over the file that lives, not beside it: a cut does no harm, an exception does (M7)."""
    real = flash.LittleFiles.replace
    recording = record(flash, "statements")
    flash.LittleFiles.replace = lambda self, path, content: self._write(flash.MOUNT_POINT + "/" + path, content)
    try:
        return _fail(flash, recording, 7)
    finally:
        flash.LittleFiles.replace = real


def told_too_early(flash, record):
    """What was heard is told before it is on flash."""
    real = meter.Meter.tick

    def tick(self):
        persist, self.persist = self.persist, lambda: self.act(self.board.now_us(), self.unix_s()) or persist()
        real(self)
        self.persist = persist

    recording = record(flash, "statements")
    meter.Meter.tick = tick
    try:
        return _fail(flash, recording, 3)
    finally:
        meter.Meter.tick = real


def _fail(flash, recording, stride):
    from hil_tests.cuts.faults import Faults  # of CPython alone

    found = Faults(flash, recording, stride, 0).run([0])
    return {"wrong": found.wrong[:3], "found": len(found.wrong)}


def _cut(flash, record, name):
    swept = sweep(flash, record(flash, name), 0, 4)
    return {"wrong": swept.wrong[:3], "found": len(swept.wrong)}


CONTROLS = {
    "done_too_early": done_too_early,
    "a_counter_not_reserved": a_counter_not_reserved,
    "a_slot_not_written_again": a_slot_not_written_again,
    "both_copies_cleared_first": both_copies_cleared_first,
    "no_crc": no_crc,
    "a_mount_that_formats": a_mount_that_formats,
    "a_live_file_opened": a_live_file_opened,
    "told_too_early": told_too_early,
    "done_too_early_in_a_loop": done_too_early_in_a_loop,
}
