"""An update cut at every flash operation boots a valid image: the old one or the whole new one (FEATURES B9)."""

from collections.abc import Callable

import pytest

from firmware import boot_slot, slot_writer
from firmware.boot_slot import COMPLETE, CONFIRMED, FACTORY, IMAGE_AT, set_mark
from tests.firmware import update_cuts
from tests.firmware.release import MAKER, SIGN_OF_A_STRANGER
from tests.firmware.update_cuts import NEW, PROVES, Box, PowerCut, SlotRam, Story, bring, image_of

SMALL, FULL = 3_000, 300_001
STORIES = update_cuts.stories(MAKER, SIGN_OF_A_STRANGER, SMALL)
REFUSED = {"bad signature": 24, "downgrade": 21, "wrong hardware": 20}


def test_whatever_is_cut_the_old_image_runs_or_the_whole_new_one(capsys: pytest.CaptureFixture[str]) -> None:
    """Each of them × clean and torn in two ways; after the cut the update goes on and ends as if nothing had been."""
    cases, wrong = 0, []
    for story in STORIES:
        swept, found = update_cuts.sweep(story)
        cases += swept
        wrong += found
    with capsys.disabled():
        print(f"\n{cases} cuts of {len(STORIES)} updates of {SMALL} bytes, all judged")
    assert wrong == []
    assert cases > 1_000 and len(STORIES) == 33


@pytest.mark.parametrize("story", [story for story in STORIES if story.bringing is bring], ids=lambda story: story.name)
def test_what_is_refused_at_the_beginning_changes_no_byte(story: Story) -> None:
    flash = story.flash()
    said = story.live(flash, [])
    kind = story.name.split(", ")[1]
    assert said == REFUSED.get(kind, 25 if kind == "wrong hash" else 0)
    if kind in REFUSED:
        assert flash.journal == [] and flash.content == story.base.content


def test_an_image_of_full_size_cut_at_every_operation(capsys: pytest.CaptureFixture[str]) -> None:
    begin = update_cuts.beside_remains(MAKER, FULL)
    story = Story("full size", begin, MAKER.update(image_of(NEW, FULL), NEW), bring, PROVES, MAKER)
    cases, resumed, wrong = update_cuts.sweep_progressively(story, 50)
    with capsys.disabled():
        print(f"\n{cases} cuts of an update of {FULL} bytes, {resumed} of them lived on")
    assert wrong == []
    assert cases > 3_500 and resumed >= 75


# Where the power goes, in bytes of the image: each class of offset once.
OFFSETS = (0, 1, 255, 256, 257, 511, 512, 1_024, 4_095, 4_096, 4_097, 5_000, 9_999, 10_000)


@pytest.mark.parametrize("offset", OFFSETS)
def test_a_transfer_goes_on_at_the_page_of_its_last_byte(offset: int) -> None:
    """Also where the image itself has erased pages and ends in erased bytes."""
    size = 10_000
    update = MAKER.update(image_of(NEW, size), NEW)
    box = Box(SlotRam(), FACTORY, MAKER.key)
    writer = slot_writer.begin(box, update[0])
    writer.take(0, update[1][:offset])
    after = slot_writer.begin(Box(box.slots, FACTORY, MAKER.key), update[0])
    sent = update[1][:offset].rstrip(b"\xff")
    assert after.next_offset == (max(len(sent) - 1, 0) // 256) * 256 <= offset
    erases = len([data for _, data in box.slots.journal if data is None])
    bring(Box(box.slots, FACTORY, MAKER.key), update)
    assert box.slots.read(0, IMAGE_AT, size) == update[1]
    assert len([data for _, data in box.slots.journal if data is None]) == erases == 0


# Controls: what the judge must find ---
def without_complete(flash: SlotRam, hardware: str, key: bytes, factory_version: int) -> int:
    """A loader that starts what has a manifest."""
    for slot in range(2):
        found = boot_slot.manifest_of(flash, slot)
        if found is not None and found.version > factory_version and not boot_slot.is_refused(flash, slot):
            return slot
    return FACTORY


def begins_without_erasing(self: slot_writer.SlotWriter) -> None:
    self._program(0, self.data)


def tells_the_end_unseen(self: slot_writer.SlotWriter) -> None:
    set_mark(self.flash, self.slot, COMPLETE)
    set_mark(self.flash, self.slot, CONFIRMED)


def lets_the_trial_begin_uncounted(flash: SlotRam, slot: int) -> bool:
    return True


@pytest.mark.parametrize(
    ("module", "name", "broken"),
    [
        (boot_slot, "choose", without_complete),
        (slot_writer.SlotWriter, "begin", begins_without_erasing),
        (slot_writer.SlotWriter, "end", tells_the_end_unseen),
        (boot_slot, "_begins_trial", lets_the_trial_begin_uncounted),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_the_judge_finds_what_is_broken_on_purpose(
    monkeypatch: pytest.MonkeyPatch, module: object, name: str, broken: Callable[..., object]
) -> None:
    monkeypatch.setattr(module, name, broken)
    found = [problem for story in STORIES[11:22] for problem in attempt(story)]
    assert found


def attempt(story: Story) -> list[str]:
    try:
        return update_cuts.sweep(story)[1]
    except (PowerCut, slot_writer.UpdateRefused, AttributeError) as problem:
        return [repr(problem)]
