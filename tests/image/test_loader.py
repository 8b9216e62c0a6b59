"""The loader in C and its model in Python say the same about every state of a flash (FEATURES B9).

What is asked of the model alone, and why it is right, stands in tests/firmware: here the two must agree, on the slot
and on every bit that they leave behind.
"""

from __future__ import annotations

import itertools
import random
from collections import Counter
from functools import cache

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

from firmware import boot_slot
from firmware.boot_slot import COMPLETE, CONFIRMED, FACTORY, REJECTED, SET, TOLD, TRIAL
from protocol.wire.manifest import IMAGE_MAX
from tests.image.host_loader import HARDWARE, KEY, OTHER_KEY, PUBLIC, Flash, HostLoader, signed, slot, unsigned

pytestmark = pytest.mark.slow

FACTORY_VERSION = 100
IMAGE = bytes(range(256)) * 3
MARKS = (COMPLETE, TRIAL, TRIAL + 1, TRIAL + 2, CONFIRMED, REJECTED)
UNSET = b"\xff\xff\xff\xff"
TORN = (b"\x00\xff\xff\xff", b"\xff\xff\xff\x7f", b"\x00\x00\x00\x01", b"\xf0\x00\x00\x00", b"\xff\xff\xfe\xff")


@pytest.fixture(scope="module")
def loader(tmp_path_factory: pytest.TempPathFactory) -> HostLoader:
    return HostLoader(tmp_path_factory.mktemp("loader"))


def both(loader: HostLoader, flash: Flash, key: bytes = PUBLIC, factory_version: int = FACTORY_VERSION) -> int:
    """What both choose, having left the same behind by the same programming."""
    flash.programmed = []
    other = flash.like()
    chosen = loader.choose(flash, key, factory_version)
    assert boot_slot.choose(other, HARDWARE, key, factory_version) == chosen
    assert (other.programmed, other.content) == (flash.programmed, flash.content)
    return chosen


@cache
def told(version: int = 200, kind: str = "right") -> bytes:
    """A manifest of IMAGE, in one of the ways in which it can be wrong."""
    if kind == "other key":
        return signed(unsigned(IMAGE, version), OTHER_KEY)
    if kind == "bit of signature":
        right = bytearray(told(version))
        right[68 + version % 64] ^= 1 << version % 8
        return bytes(right)
    if kind == "zero signature":
        return unsigned(IMAGE, version) + bytes(64)
    if kind == "version raised":
        return told(version)[:24] + (version + 1).to_bytes(4, "big") + told(version)[28:]
    return signed(
        {
            "right": lambda: unsigned(IMAGE, version),
            "magic": lambda: unsigned(IMAGE, version, head=b"GLTB\x01\0\0\0"),
            "format": lambda: unsigned(IMAGE, version, head=b"GLTA\x02\0\0\0"),
            "reserved": lambda: unsigned(IMAGE, version, head=b"GLTA\x01\0\0\x01"),
            "hardware": lambda: unsigned(IMAGE, version, hardware=b"unix"),
            "hardware longer": lambda: unsigned(IMAGE, version, hardware=b"qemu-mps21"),
            "hardware shorter": lambda: unsigned(IMAGE, version, hardware=b"qemu-mps"),
            "hardware hidden": lambda: unsigned(IMAGE, version, hardware=b"qemu-mps2\0x"),
            "hardware case": lambda: unsigned(IMAGE, version, hardware=b"QEMU-MPS2"),
            "hash": lambda: unsigned(IMAGE[:-1] + b"\x00", version),
            "shorter": lambda: unsigned(IMAGE, version, size=len(IMAGE) - 1),
            "longer": lambda: unsigned(IMAGE, version, size=len(IMAGE) + 1),
            "no size": lambda: unsigned(b"", version, size=0),
            "too large": lambda: unsigned(IMAGE, version, size=IMAGE_MAX + 1),
            "far too large": lambda: unsigned(IMAGE, version, size=0xFFFFFFFF),
        }[kind]()
    )


WRONG = (
    *("other key", "bit of signature", "zero signature", "version raised", "magic", "format", "reserved", "hardware"),
    *("hardware longer", "hardware shorter", "hardware hidden", "hardware case", "hash", "shorter", "longer"),
    *("no size", "too large", "far too large"),
)
NEVER_EXAMINED_AGAIN = {"other key", "bit of signature", "zero signature", "version raised"}  # once confirmed


def test_every_combination_of_marks_whole_and_torn(loader: HostLoader) -> None:
    """One slot, six marks, each not set, set or torn: 729 states and what is right for each."""
    seen = Counter[int]()
    for number, states in enumerate(itertools.product("-st", repeat=len(MARKS))):
        words = {"-": UNSET, "s": SET, "t": TORN[number % len(TORN)]}
        marks = {mark: words[state] for mark, state in zip(MARKS, states, strict=True)}
        flash = Flash((slot(told(), IMAGE, marks), b""))
        chosen = both(loader, flash)
        complete, *trials, confirmed, rejected = states
        runs = complete == "s" and rejected == "-" and (confirmed == "s" or "-" in trials)
        assert chosen == (0 if runs else FACTORY), states
        if runs and confirmed != "s":
            first = TRIAL + trials.index("-")
            assert flash.programmed == [boot_slot.MARKS_AT + boot_slot.MARK_APART * first]
            assert boot_slot.is_set(flash, 0, first)
        else:
            assert flash.programmed == []
        seen[chosen] += 1
    assert seen[0] > 50 and seen[FACTORY] > 500


@pytest.mark.parametrize("kind", WRONG)
def test_nothing_that_is_wrong_ever_starts(loader: HostLoader, kind: str) -> None:
    trial, confirmed = {COMPLETE: SET}, {COMPLETE: SET, CONFIRMED: SET}
    for slots in ((slot(told(200, kind), IMAGE, trial), b""), (b"", slot(told(200, kind), IMAGE, trial))):
        flash = Flash(slots)
        assert both(loader, flash) == FACTORY
        assert flash.programmed == []
    runs = both(loader, Flash((slot(told(200, kind), IMAGE, confirmed), b"")))
    assert runs == (0 if kind in NEVER_EXAMINED_AGAIN else FACTORY)


@pytest.mark.parametrize("size", [1, 2, 3, 63, 64, 65, 4095, 4096, 4097, 300_001, IMAGE_MAX - 1, IMAGE_MAX])
def test_sizes_at_their_edges_are_hashed_to_the_last_byte(loader: HostLoader, size: int) -> None:
    image = random.Random(size).randbytes(size)
    content = slot(signed(unsigned(image, 200)), image, {COMPLETE: SET})
    assert both(loader, Flash((b"", content))) == 1
    assert both(loader, Flash((b"", content[:-1] + bytes((content[-1] ^ 1,))))) == FACTORY


def test_an_image_that_reaches_into_the_other_slot_does_not_start(loader: HostLoader) -> None:
    image = random.Random(1).randbytes(IMAGE_MAX + 1)
    for marks in ({COMPLETE: SET}, {COMPLETE: SET, CONFIRMED: SET}):
        assert both(loader, Flash((slot(signed(unsigned(image, 200)), image, marks),))) == FACTORY


@pytest.mark.parametrize("versions", list(itertools.product((99, 100, 101, 102, 0xFFFFFFFF), repeat=2)))
def test_the_highest_version_above_the_factory_s_runs(loader: HostLoader, versions: tuple[int, int]) -> None:
    flash = Flash([slot(told(version), IMAGE, {COMPLETE: SET, CONFIRMED: SET}) for version in versions])
    expected = FACTORY if max(versions) <= FACTORY_VERSION else versions.index(max(versions))
    assert both(loader, flash) == expected


def test_three_starts_without_confirmation_then_the_other_slot_then_the_factory(loader: HostLoader) -> None:
    flash = Flash([slot(told(version), IMAGE, {COMPLETE: SET}) for version in (200, 201)])
    assert [both(loader, flash) for _ in range(7)] == [1, 1, 1, 0, 0, 0, FACTORY]


def test_a_flash_that_takes_no_mark_starts_no_trial(loader: HostLoader) -> None:
    """Nobody could count it; what is confirmed needs no mark. A mark that is only torn counts."""
    slots = [slot(told(200), IMAGE, {COMPLETE: SET, CONFIRMED: SET}), slot(told(201), IMAGE, {COMPLETE: SET})]
    assert both(loader, Flash(slots, worn=True)) == 0
    assert both(loader, Flash(slots[1:], worn=True)) == FACTORY
    torn = Flash(slots, torn=True)
    assert [both(loader, torn) for _ in range(4)] == [1, 1, 1, 0]


@pytest.mark.parametrize("key", [bytes(64), b"\xff" * 64, PUBLIC[32:] + PUBLIC[:32]])
def test_without_a_key_of_its_own_a_meter_takes_no_update(loader: HostLoader, key: bytes) -> None:
    assert both(loader, Flash((slot(told(), IMAGE, {COMPLETE: SET}), b"")), key) == FACTORY


@pytest.mark.parametrize("seed", range(4))
def test_thousands_of_states_of_both_slots(loader: HostLoader, seed: int) -> None:
    """Any manifest, any marks, any damage to the image, in both slots at once, on flashes that take marks or do not."""
    draw = random.Random(seed)
    chosen = Counter[int]()

    def any_slot() -> bytes:
        if draw.random() < 0.1:
            return draw.choice((b"", bytes(boot_slot.IMAGE_AT), draw.randbytes(5000)))
        kind = "right" if draw.random() < 0.7 else draw.choice(WRONG)
        marks = {mark: draw.choice((*[UNSET] * 7, SET, SET, draw.choice(TORN))) for mark in (*MARKS[1:], TOLD)}
        marks[COMPLETE] = draw.choice((*[SET] * 5, UNSET, draw.choice(TORN)))
        image = bytearray(IMAGE)
        if draw.random() < 0.1:
            image[draw.randrange(len(image))] ^= 1 << draw.randrange(8)
        return slot(told(draw.choice((99, 100, 101, 200, 201)), kind), bytes(image), marks)

    for _ in range(700):
        flash = Flash((any_slot(), any_slot()), worn=draw.random() < 0.1, torn=draw.random() < 0.1)
        key = draw.choice((PUBLIC, PUBLIC, PUBLIC, bytes(64)))
        chosen[both(loader, flash, key)] += 1
    assert min(chosen[0], chosen[1], chosen[FACTORY]) > 50


def test_the_verifier_has_room_for_any_signature(loader: HostLoader) -> None:
    """A short arena would refuse right signatures: none of two hundred is, and none wrong is taken."""
    verify = loader.library.p256_verify
    for number in range(200):
        digest = random.Random(number).randbytes(32)
        whole = signed_digest(digest)
        assert verify(PUBLIC, digest, whole) & 1
        assert not verify(PUBLIC, digest, whole[:-1] + bytes((whole[-1] ^ 1 << number % 8,))) & 1


def signed_digest(digest: bytes) -> bytes:
    """The signature over a digest, r | s."""
    r, s = utils.decode_dss_signature(KEY.sign(digest, ec.ECDSA(utils.Prehashed(hashes.SHA256()))))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")
