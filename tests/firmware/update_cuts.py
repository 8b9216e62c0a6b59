"""Updates with the power cut at every flash operation, and what is booted after it. In what MicroPython understands.

A *story* begins on a flash, has an update brought (or forced upon the flash), boots, and is told how the trial ends. It
is lived once for each operation, which is cut: clean (not done), or torn in one of two ways. Then the loader chooses,
and the same story is lived again to its end. Whatever the cut, what runs is the image that ran or the whole new one.
"""

from firmware import boot_slot, slot_writer, trial
from firmware.boot_slot import COMPLETE, CONFIRMED, FACTORY, REJECTED, SECTOR_BYTES, SLOT_BYTES, SLOTS, TOLD
from protocol.compat import sha256
from protocol.wire import manifest

HARDWARE = "unix"
FACTORY_VERSION = 100
OLD = 110  # what is confirmed in a slot, where there is one
NEW = 120
CHUNK = 512

# How a trial ends.
PROVES = 0
A_DAY = 1  # without proof
THREE_BOOTS = 2  # without proof

WHOLE = 0
CLEAN = 1  # the operation is not done
HALF = 2  # its first half is
BITS = 3  # each byte has half of its bits; an erase does its second half
CUTS = (CLEAN, HALF, BITS)


class PowerCut(Exception):
    pass


class SlotRam:
    """See base.SlotFlash; counts operations, keeps them, and cuts the power at one of them."""

    def __init__(self, content=None):
        self.content = bytearray(b"\xff" * (SLOTS * SLOT_BYTES)) if content is None else bytearray(content)
        self.journal = []  # (address, data), data None for the erase of a sector
        self.cut_at = 0
        self.cut = WHOLE

    def read(self, slot, offset, size):
        at = slot * SLOT_BYTES + offset
        return bytes(self.content[at : at + size])

    def program(self, slot, offset, data):
        assert offset // 256 == (offset + len(data) - 1) // 256, "a program lies within a page"
        self.program_at(slot * SLOT_BYTES + offset, data)

    def program_at(self, at, data):
        self._operation(at, bytes(data))

    def erase(self, slot, offset):
        assert offset % SECTOR_BYTES == 0
        self._operation(slot * SLOT_BYTES + offset, None)

    def _operation(self, at, data):
        self.journal.append((at, data))
        if len(self.journal) == self.cut_at:
            self.do(at, data, self.cut)
            raise PowerCut
        self.do(at, data, WHOLE)

    def do(self, at, data, cut):
        """One operation, or what a cut leaves of it."""
        if cut == CLEAN:
            return
        if data is None:
            first, end = {WHOLE: (0, 2), HALF: (0, 1), BITS: (1, 2)}[cut]
            half = SECTOR_BYTES // 2
            self.content[at + first * half : at + end * half] = b"\xff" * (half * (end - first))
            return
        if cut == HALF:
            data = data[: len(data) // 2]
        if cut == BITS:
            data = bytes([byte | 0xA5 for byte in data])
        before = int.from_bytes(self.content[at : at + len(data)], "big")
        both = before & int.from_bytes(data, "big")
        self.content[at : at + len(data)] = both.to_bytes(len(data), "big")


class Box:
    """As much of a board as updates ask for."""

    eeprom = None
    hardware = HARDWARE

    def __init__(self, slots, running_slot, release_key):
        self.slots = slots
        self.running_slot = running_slot
        self.release_key = release_key


class Maker:
    """Makes updates; `sign(digest)` is the owner's of the release key `key`."""

    def __init__(self, key, sign):
        self.key = key
        self.sign = sign

    def update(self, image, version, hardware=HARDWARE, min_version=0, sign=None, size=None, hashed=None):
        """(manifest, image)."""
        size = len(image) if size is None else size
        told = manifest.Manifest(hardware, version, min_version, size, hashed or sha256(image), bytes(64))
        unsigned = manifest.signed_part(manifest.encode(told))
        return unsigned + (sign or self.sign)(sha256(unsigned)), image


def image_of(version, size):
    """Bytes that no other version has, with some that are erased and at the end too."""
    data = bytearray([(at * 31 + at // 256 * 7 + version) & 0xFF for at in range(size)])
    data[size // 2 : size // 2 + 300] = b"\xff" * 300
    data[-9:] = b"\xff" * 9
    return bytes(data)


def install(flash, slot, update, marks):
    """Have `update` in a slot with these marks, whatever it is."""
    data, image = update
    for at in range(0, 4096 + len(image), SECTOR_BYTES):
        flash.erase(slot, at)
    flash.program(slot, 0, data)
    for at in range(0, len(image), 256):
        flash.program(slot, 4096 + at, image[at : at + 256])
    for mark in marks:
        boot_slot.set_mark(flash, slot, mark)


def bring(box, update):
    """The whole conversation of the cable. Raises UpdateRefused."""
    data, image = update
    writer = slot_writer.begin(box, data)
    at = writer.next_offset
    while at < len(image):
        writer.take(at, image[at : at + CHUNK])
        at = writer.next_offset
    writer.end()


def force(box, update):
    """What nothing on the meter does: an update in the slot, complete, though it is refused."""
    install(box.slots, 1 if box.running_slot == 0 else 0, update, (COMPLETE,))


class Story:
    """How a flash begins, what comes, and how the trial ends."""

    def __init__(self, name, begin, update, bringing, ending, maker, old=None):
        """`begin(flash)` makes the flash; `old`: the image that runs then, None for the factory's."""
        self.name = name
        self.begin = begin
        self.update = update
        self.bringing = bringing
        self.ending = ending
        self.is_good = True
        self.maker = maker
        self.old = old
        self.base = SlotRam()
        begin(self.base)

    def flash(self):
        return SlotRam(self.base.content)

    def boot(self, flash):
        return boot_slot.choose(flash, HARDWARE, self.maker.key, FACTORY_VERSION)

    def live(self, flash, starts):
        """From a boot on to the end. `starts` counts those of what is on trial."""
        box = Box(flash, self.boot(flash), self.maker.key)
        if not self.is_new(flash, box.running_slot):
            try:
                self.bringing(box, self.update)
            except slot_writer.UpdateRefused as refusal:
                return refusal.args[0]
            box.running_slot = self.boot(flash)
        for _ in range(4):
            if not self.is_new(flash, box.running_slot):
                break
            starts.append(1)
            if self.ending == PROVES:
                trial.confirm(box)
                boot_slot.set_mark(flash, box.running_slot, TOLD)
                break
            if self.ending == A_DAY:
                trial.reject(box)
            box.running_slot = self.boot(flash)
        return 0

    def is_new(self, flash, slot):
        return slot != FACTORY and self.runs(flash, slot) == self.update[1] and self.update[1] != self.old

    def runs(self, flash, slot):
        """The image that is started, None for the factory's."""
        return None if slot == FACTORY else flash.read(slot, 4096, boot_slot.manifest_of(flash, slot).size)


def judge(story, flash, started):
    """What is wrong with a flash that the power left so, "" for nothing. The loader leaves its mark on a copy."""
    copy = SlotRam(flash.content)
    chosen = story.boot(copy)
    image = story.runs(copy, chosen)
    if image not in (story.old, story.update[1]):
        return "neither the old image nor the new one"
    if image != story.update[1] or image == story.old:
        return ""
    if story.bringing is force:
        return "an image that is refused"
    if not boot_slot.is_set(copy, chosen, CONFIRMED) and started >= boot_slot.TRIALS:
        return "more starts than a trial has"
    if boot_slot.is_set(copy, chosen, REJECTED):
        return "a rejected image"
    return ""


def sweep(story, also=None):
    """(cases, [what is wrong with which]). `also(flash)`: another loader's choice on a copy; it and the mark that it
    leaves must be the same."""
    whole = story.flash()
    said = story.live(whole, [])
    operations = len(whole.journal)
    problem = "refused" if said and story.is_good else _at_the_end(story, whole, said)
    wrong = [story.name + ", not cut: " + problem] if problem else []
    cases = 0
    for operation in range(1, operations + 1):
        for cut in CUTS:
            cases += 1
            problem = _one(story, operation, cut, said, also)
            if problem:
                where = f"operation {operation} of {operations}, cut {cut}"
                wrong.append(story.name + ", " + where + ": " + problem)
    return cases, wrong


def _one(story, operation, cut, said, also):
    flash = story.flash()
    flash.cut_at = operation
    flash.cut = cut
    starts = []
    try:
        story.live(flash, starts)
        return "no cut"
    except PowerCut:
        pass
    flash.cut_at = 0
    problem = judge(story, flash, sum(starts))
    if _differ(story, flash, also):
        return "the loaders differ"
    if problem:
        return problem
    story.live(flash, starts)
    if sum(starts) > boot_slot.TRIALS:
        return "more starts than a trial has"
    return _at_the_end(story, flash, said)


def _differ(story, flash, also):
    """Whether another loader chooses otherwise, or leaves another mark."""
    if also is None:
        return False
    ours, other = SlotRam(flash.content), SlotRam(flash.content)
    return also(other) != story.boot(ours) or other.content != ours.content


def _at_the_end(story, flash, said):
    """After the story was lived to its end. `said`: why the update is refused when nothing is cut, 0 if it is not."""
    running = story.boot(SlotRam(flash.content))
    image = story.runs(flash, running)
    if story.bringing is force or said or story.ending != PROVES:
        return "" if image == story.old else "not the old image in the end"
    confirmed = image == story.update[1] and boot_slot.is_set(flash, running, CONFIRMED)
    return "" if confirmed else "not confirmed in the end"


def sweep_progressively(story, resume_every, also=None):
    """The same for an image of full size: each flash comes from the one before, one in `resume_every` is lived on."""
    whole = story.flash()
    said = story.live(whole, [])
    flash = story.flash()
    wrong = []
    cases = resumed = 0
    for at, data in whole.journal:
        for cut in CUTS:
            torn = SlotRam(flash.content)
            torn.do(at, data, cut)
            cases += 1
            problem = judge(story, torn, 0)
            if _differ(story, torn, also):
                problem = "the loaders differ"
            if not problem and cases % resume_every == 0:
                resumed += 1
                story.live(torn, [])
                problem = _at_the_end(story, torn, said)
            if problem:
                wrong.append(f"{story.name}, case {cases}: {problem}")
        flash.do(at, data, WHOLE)
    return cases, resumed, wrong


def blank(flash):
    """A meter that only ever ran the factory's image."""


def beside_an_old_one(maker, size):
    """Slot 0 runs, confirmed and told; slot 1 holds the remains of a larger image that was rejected."""

    def begin(flash):
        install(flash, 0, maker.update(image_of(OLD, size), OLD), (COMPLETE, 1, CONFIRMED, TOLD))
        install(flash, 1, maker.update(image_of(99, size + 2 * SECTOR_BYTES), 103), (COMPLETE, 1, REJECTED, TOLD))

    return begin


def beside_remains(maker, size):
    """The factory's image runs; slot 0 holds the remains of an image that was rejected."""

    def begin(flash):
        install(flash, 0, maker.update(image_of(99, size), 103), (COMPLETE, 1, REJECTED, TOLD))

    return begin


def after_a_half(maker, size):
    """Slot 1 runs; in slot 0 a transfer of the same update was cut before."""

    def begin(flash):
        install(flash, 1, maker.update(image_of(OLD, size), OLD), (COMPLETE, 1, CONFIRMED))
        data, image = maker.update(image_of(NEW, size), NEW)
        install(flash, 0, (data, image[: len(image) // 2]), ())

    return begin


def stories(maker, stranger, size):
    """Every flash × every kind of update. `stranger(digest)` signs with another key."""
    new = image_of(NEW, size)
    old = image_of(OLD, size)
    good = maker.update(new, NEW)
    bases = (
        ("blank", blank, None, FACTORY_VERSION - 1),
        ("beside an old one", beside_an_old_one(maker, size), old, OLD - 5),
        ("after a half", after_a_half(maker, size), old, OLD - 5),
    )
    found = []
    for base, begin, runs, lower in bases:
        for name, ending in (("proves itself", PROVES), ("a day", A_DAY), ("three boots", THREE_BOOTS)):
            found.append(Story(base + ", good, " + name, begin, good, bring, ending, maker, runs))
        refused = (  # signed like a good one, but for the first
            ("bad signature", maker.update(new, NEW, sign=stranger)),
            ("downgrade", maker.update(new, lower)),
            ("wrong hardware", maker.update(new, NEW, hardware="qemu-mps2")),
            ("wrong hash", maker.update(new, NEW, hashed=sha256(b"another image"))),
        )
        for kind, update in refused:
            found.append(Story(base + ", " + kind, begin, update, bring, PROVES, maker, runs))
            found.append(Story(base + ", " + kind + " forced", begin, update, force, PROVES, maker, runs))
            found[-2].is_good = found[-1].is_good = False
    return found
