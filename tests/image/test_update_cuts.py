"""An update cut at every flash operation, judged by the loader in C and by its model in Python (FEATURES B9).

tests/firmware/test_update_cuts.py tells what is right after a cut; here the C is asked about every flash that is left.
"""

from __future__ import annotations

from collections import Counter

import pytest

from tests.firmware import update_cuts
from tests.firmware.release import MAKER, SIGN_OF_A_STRANGER
from tests.firmware.update_cuts import FACTORY_VERSION, NEW, PROVES, SlotRam, Story, bring, image_of
from tests.image.host_loader import HostLoader

pytestmark = pytest.mark.slow

SMALL, FULL = 3_000, 300_001
KINDS = {"good", "bad signature", "downgrade", "wrong hardware", "wrong hash"}


class Both:
    """The C loader's choice on a flash, and how often it was asked."""

    def __init__(self, loader: HostLoader) -> None:
        self.loader = loader
        self.asked = 0

    def __call__(self, flash: SlotRam) -> int:
        self.asked += 1
        return self.loader.choose(flash, MAKER.key, FACTORY_VERSION, update_cuts.HARDWARE)


@pytest.fixture(scope="module")
def loader(tmp_path_factory: pytest.TempPathFactory) -> HostLoader:
    return HostLoader(tmp_path_factory.mktemp("loader"))


def test_both_choosers_boot_a_valid_image_after_any_cut(loader: HostLoader, capsys: pytest.CaptureFixture[str]) -> None:
    judged: Counter[str] = Counter()
    wrong = []
    for story in update_cuts.stories(MAKER, SIGN_OF_A_STRANGER, SMALL):
        both = Both(loader)
        cases, found = update_cuts.sweep(story, both)
        assert both.asked == cases
        judged[story.name.split(", ")[1].removesuffix(" forced")] += cases
        wrong += found
    with capsys.disabled():
        print(f"\n{sum(judged.values())} cuts, judged by both choosers: {dict(judged)}")
    assert wrong == []
    assert set(judged) == KINDS and min(judged.values()) > 100


def test_both_choosers_on_an_image_of_full_size(loader: HostLoader, capsys: pytest.CaptureFixture[str]) -> None:
    begin = update_cuts.beside_remains(MAKER, FULL)
    story = Story("full size", begin, MAKER.update(image_of(NEW, FULL), NEW), bring, PROVES, MAKER)
    both = Both(loader)
    cases, _, wrong = update_cuts.sweep_progressively(story, 500, both)
    with capsys.disabled():
        print(f"\n{cases} cuts of an update of {FULL} bytes, judged by both choosers")
    assert wrong == []
    assert both.asked == cases > 3_500


def test_a_chooser_that_differs_is_found(loader: HostLoader) -> None:
    """The control: one that starts trials without counting them, and one that never starts any."""
    story = update_cuts.stories(MAKER, SIGN_OF_A_STRANGER, SMALL)[0]
    both = Both(loader)
    for broken in (lambda flash: both(SlotRam(flash.content)), lambda flash: update_cuts.FACTORY):
        _, wrong = update_cuts.sweep(story, broken)
        assert any("the loaders differ" in one for one in wrong)
