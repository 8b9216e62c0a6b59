"""Updates on the meter: what is refused and changes nothing, and how a trial ends (FEATURES B9)."""

from typing import Any

import pytest

from firmware import boot, boot_slot, flash_record, keepsake, slot_writer, updating
from firmware.boards.base import FOR_ANOTHER_IMAGE
from firmware.boot_slot import COMPLETE, CONFIRMED, FACTORY, REJECTED, TOLD, TRIAL, is_set
from protocol.compat import sha256
from protocol.wire import event_codes, manifest, update_codes
from protocol.wire.console_codes import NOT_NOW
from protocol.wire.messages import Fragment
from tests.firmware.release import MAKER, SIGN_OF_A_STRANGER
from tests.firmware.test_keepsake import MemoryEeprom, TestBoard, booted, provisioned
from tests.firmware.update_cuts import SlotRam, image_of, install

IMAGE = image_of(120, 3_000)
DAY_S = 86_400


class WornRam(SlotRam):
    """Takes no program any more, and says nothing."""

    def program_at(self, at: int, data: bytes) -> None:
        pass


def home(running_slot: int = FACTORY, slots: SlotRam | None = None) -> tuple[TestBoard, Any]:
    """A meter that lives, with slots, after its first instants."""
    board, _ = provisioned()
    return board, life(board, running_slot, SlotRam() if slots is None else slots)


def life(board: TestBoard, running_slot: int, slots: SlotRam) -> Any:
    board.slots, board.running_slot, board.release_key, board.hardware = slots, running_slot, MAKER.key, "unix"
    meter = boot.boot(board)
    boot.begin_trial(meter)
    meter.wake_up()
    meter.tick()
    meter.state.valve_moving, meter.valve.motor_since_us = 0, None  # the move after a boot has come to its end
    return meter


def on_trial(marks: tuple[int, ...] = (COMPLETE, TRIAL)) -> SlotRam:
    slots = SlotRam()
    install(slots, 0, MAKER.update(IMAGE, 120), marks)
    return slots


def bring(meter: Any, update: tuple[bytes, bytes]) -> Any:
    """The answers of the console until one refuses, or the last."""
    said = updating.command(meter, ["update-begin", update[0]])
    while said[0] == "ready" and said[1] < len(update[1]):
        said = updating.command(meter, ["update-data", said[1], update[1][said[1] : said[1] + 512]])
    return updating.command(meter, ["update-end"]) if said[0] == "ready" else said


REFUSED = [
    (update_codes.HARDWARE, MAKER.update(IMAGE, 120, hardware="qemu-mps2")),
    (update_codes.DOWNGRADE, MAKER.update(IMAGE, 100)),
    (update_codes.TOO_OLD, MAKER.update(IMAGE, 120, min_version=101)),
    (update_codes.TOO_LARGE, MAKER.update(IMAGE, 120, size=manifest.IMAGE_MAX + 1)),
    (update_codes.SIGNATURE, MAKER.update(IMAGE, 120, sign=SIGN_OF_A_STRANGER)),
    (update_codes.MANIFEST, (b"GLTB" + MAKER.update(IMAGE, 120)[0][4:], IMAGE)),
    (update_codes.MANIFEST, (MAKER.update(IMAGE, 120)[0][:-1], IMAGE)),
]


@pytest.mark.parametrize(("code", "update"), REFUSED, ids=lambda value: str(value)[:4])
def test_a_manifest_that_is_refused_changes_nothing(code: int, update: tuple[bytes, bytes]) -> None:
    board, meter = home()
    before, wallet = bytes(board.slots.content), meter.state.encode()
    assert updating.command(meter, ["update-begin", update[0]]) == ["refused", code]
    assert bytes(board.slots.content) == before and board.slots.journal == []
    assert meter.state.encode() == wallet
    assert updating.command(meter, ["update"])[1:3] == [FACTORY, 0]
    assert updating.command(meter, ["update"])[-1] == code


def test_a_good_update_is_taken_and_starts_when_it_is_told_to() -> None:
    board, meter = home()
    assert bring(meter, MAKER.update(IMAGE, 120)) == ["verified"]
    assert updating.command(meter, ["update"]) == [100, FACTORY, 0, 120, 3_000, 3_000, 0]
    assert updating.command(meter, ["update-start"]) == ["restarting"]
    assert meter.ended == FOR_ANOTHER_IMAGE
    assert boot_slot.choose(board.slots, "unix", MAKER.key, 100) == 0


def test_what_does_not_hash_begins_again() -> None:
    board, meter = home()
    wrong = MAKER.update(IMAGE, 120, hashed=sha256(b"another"))
    assert bring(meter, wrong) == ["refused", update_codes.HASH]
    assert boot_slot.manifest_of(board.slots, 0) is None
    assert updating.command(meter, ["update-end"]) == ["refused", update_codes.NOTHING_BEGUN]
    assert bring(meter, MAKER.update(IMAGE, 120)) == ["verified"]


def test_the_other_refusals(monkeypatch: pytest.MonkeyPatch) -> None:
    good = MAKER.update(IMAGE, 120)
    board, meter = home()
    for asked in (["update-data", 0, b"x"], ["update-end"], ["update-start"]):
        assert updating.command(meter, asked) == ["refused", update_codes.NOTHING_BEGUN]
    assert updating.command(meter, ["update-begin", good[0]]) == ["ready", 0]
    assert updating.command(meter, ["update-data", 256, b"x"]) == ["refused", update_codes.OFFSET]
    assert updating.command(meter, ["update-data", 0, IMAGE[:512]]) == ["ready", 512]
    assert updating.command(meter, ["update-data", 0, IMAGE[:512]]) == ["ready", 512]  # its answer was lost
    assert updating.command(meter, ["update-end"]) == ["refused", update_codes.OFFSET]
    meter.state.valve_moving = 1
    before = bytes(board.slots.content)
    for asked in (["update-begin", good[0]], ["update-data", 512, b"x"], ["update-end"], ["update-start"]):
        assert updating.command(meter, asked) == ["refused", update_codes.VALVE_MOVING]
    assert bytes(board.slots.content) == before
    for asked in (["update-begin"], ["update-data", 512, b""], ["update-data", 512, bytes(513)], ["update-x"]):
        assert updating.command(meter, asked) == ["refused", 3]
    monkeypatch.setattr(slot_writer, "p256_verify", lambda key, digest, signature: None)
    assert updating.command(home()[1], ["update-begin", good[0]]) == ["refused", update_codes.NO_VERIFIER]
    assert updating.command(home(0, on_trial())[1], ["update-begin", good[0]]) == ["refused", update_codes.ON_TRIAL]
    monkeypatch.undo()
    assert updating.command(home(slots=WornRam())[1], ["update-begin", good[0]]) == ["refused", update_codes.FLASH]
    board, meter = home()
    board.slots = None
    assert updating.command(meter, ["update-begin", good[0]]) == ["refused", update_codes.NO_SLOTS]
    assert updating.command(meter, ["update"])[-1] == update_codes.NO_SLOTS


def test_no_downgrade_below_what_once_proved_itself_though_its_slot_is_gone() -> None:
    board, meter = home()
    assert keepsake.keep(board.eeprom, keepsake.VERSION, (130).to_bytes(4, "big"))
    assert updating.command(meter, ["update-begin", MAKER.update(IMAGE, 120)[0]]) == ["refused", 21]
    assert updating.command(meter, ["update-begin", MAKER.update(IMAGE, 131)[0]]) == ["ready", 0]


# Trial ---
def hear(board: TestBoard, meter: Any) -> None:
    """Something authentic comes by radio."""
    taken = meter.downlink.take
    meter.downlink.take = lambda frame: True
    frames = [b"authentic", None]
    board.receive = lambda: frames.pop(0) if frames else None
    meter.tick()
    meter.downlink.take = taken


def events_told(meter: Any) -> list[tuple[int, int]]:
    return [(entry.code, entry.argument) for entry, _ in meter.events.waiting] + [
        (entry.code, entry.argument) for entry in meter.events.told
    ]


def test_a_downlink_after_an_uplink_of_this_boot_confirms_and_is_told_once() -> None:
    slots = on_trial()
    board, meter = home(0, slots)
    meter.wake_up()
    meter.tick()  # says that it is back
    assert not is_set(slots, 0, CONFIRMED)
    hear(board, meter)
    assert is_set(slots, 0, CONFIRMED) and not meter.ended
    assert keepsake.look(board.eeprom, keepsake.VERSION)[1] == (120).to_bytes(4, "big")
    for _ in range(3):
        meter.tick()
    assert events_told(meter).count((event_codes.FIRMWARE_CONFIRMED, 120)) >= 1 and is_set(slots, 0, TOLD)
    again = life(board, 0, slots)
    again.wake_up()
    again.tick()
    assert event_codes.FIRMWARE_CONFIRMED not in [code for code, _ in events_told(again)]


def test_a_day_without_an_answer_ends_the_trial_and_the_one_before_tells_it() -> None:
    slots = on_trial()
    board, meter = home(0, slots)
    wallet = meter.state.encode()
    meter.wake_up()
    meter.tick()
    assert not meter.ended
    board.home.now_s += DAY_S
    meter.listen()
    assert meter.ended == FOR_ANOTHER_IMAGE and is_set(slots, 0, REJECTED)
    assert boot_slot.choose(slots, "unix", MAKER.key, 100) == FACTORY
    back = life(board, FACTORY, slots)
    assert back.state.balance_mills == meter.state.balance_mills and len(wallet)
    back.wake_up()
    back.tick()
    assert (event_codes.FIRMWARE_REJECTED, 120) in events_told(back)
    back.state.valve_moving, back.valve.motor_since_us = 0, None
    journal = list(slots.journal)
    assert bring(back, MAKER.update(IMAGE, 120)) == ["refused", update_codes.TRIED]
    assert by_frames(back, MAKER.update(IMAGE, 120)) == (120, 0, update_codes.IDLE, update_codes.TRIED)
    assert slots.journal == journal
    assert bring(back, MAKER.update(IMAGE, 121)) == ["verified"]


def test_a_trial_that_is_over_waits_for_the_valve() -> None:
    """A reset in mid-move would leave the motor to the next boot."""
    slots = on_trial()
    board, meter = home(0, slots)
    board.home.now_s += DAY_S
    meter.state.valve_moving = 1
    meter.listen()
    assert not meter.ended and not is_set(slots, 0, REJECTED)
    meter.state.valve_moving = 0
    meter.listen()
    assert meter.ended == FOR_ANOTHER_IMAGE and is_set(slots, 0, REJECTED)


def test_three_boots_without_proof_fall_back() -> None:
    slots = on_trial((COMPLETE,))
    assert [boot_slot.choose(slots, "unix", MAKER.key, 100) for _ in range(4)] == [0, 0, 0, FACTORY]


def test_firmware_on_trial_that_cannot_read_the_state_goes_before_it_writes() -> None:
    """A state of a later format is no lost state: the trial ends, and outside of a trial it is never written over."""
    board, _ = home()
    for copy in ("a/state", "b/state"):
        record = board.files.content[copy]
        sequence, chain, payload = flash_record.unpack(record)
        board.files.content[copy] = flash_record.pack(sequence, chain, b"\xfe" + payload[1:])
    before = dict(board.files.content)
    board.slots, board.running_slot, board.release_key, board.hardware = on_trial(), 0, MAKER.key, "unix"

    class Restarted(Exception):
        pass

    def restart() -> None:
        raise Restarted

    board.restart = restart
    with pytest.raises(Restarted):
        booted(board)
    assert is_set(board.slots, 0, REJECTED)
    assert {name: board.files.content[name] for name in ("a/state", "b/state")} == {
        name: before[name] for name in ("a/state", "b/state")
    }
    board.running_slot = FACTORY
    safe = booted(board)
    assert (type(safe).__name__, safe.argument) == ("SafeMode", 2)
    assert board.files.content["a/state"] == before["a/state"]


def test_a_box_without_identity_is_confirmed_by_cable_and_a_meter_is_not() -> None:
    """It has no radio to prove itself by; a meter has, and nobody's word takes its place."""
    blank = board_without_identity(on_trial(), 0)
    box = boot.boot(blank)
    assert type(box).__name__ == "Factory"
    boot.begin_trial(box)
    assert updating.command(box, ["update"])[:3] == [120, 0, 1]
    assert updating.command(box, ["update-confirm"]) == ["confirmed"]
    assert is_set(blank.slots, 0, CONFIRMED)
    assert keepsake.look(blank.eeprom, keepsake.VERSION)[1] == (120).to_bytes(4, "big")
    assert updating.command(box, ["update-confirm"]) == ["confirmed"]
    blank.home.now_s += DAY_S
    box.listen()
    assert not box.ended and not is_set(blank.slots, 0, REJECTED)
    factory = boot.boot(board_without_identity(SlotRam(), FACTORY))
    assert updating.command(factory, ["update-confirm"]) == ["refused", update_codes.NOTHING_BEGUN]
    slots = on_trial()
    assert updating.command(home(0, slots)[1], ["update-confirm"]) == ["refused", NOT_NOW]
    assert not is_set(slots, 0, CONFIRMED)


def board_without_identity(slots: SlotRam, running_slot: int) -> TestBoard:
    board = TestBoard(None, MemoryEeprom(), blank=True)
    board.slots, board.running_slot, board.release_key, board.hardware = slots, running_slot, MAKER.key, "unix"
    return board


def test_an_update_touches_neither_wallet_nor_log() -> None:
    board, meter = home()
    meter.wake_up()
    before = {name: content for name, content in board.files.content.items() if "state" not in name}
    balance = meter.state.balance_mills
    assert bring(meter, MAKER.update(IMAGE, 120)) == ["verified"]
    assert {name: content for name, content in board.files.content.items() if "state" not in name} == before
    assert meter.state.balance_mills == balance


# By frames ---
def by_frames(meter: Any, update: tuple[bytes, bytes], cut_after: int = 0) -> Any:
    """What the meter asks for, answered in order; the PROGRESS it ends with."""
    file = update[0] + update[1]
    version = int.from_bytes(update[0][24:28], "big")
    handled = updating.of(meter)
    handled.fragment(Fragment(version, 0, b""), 0)
    for number in range(3 * len(file) // 32):
        at = handled.ask(0).next_offset
        if at >= len(file) or handled.outcome or (cut_after and number >= cut_after):
            break
        handled.fragment(Fragment(version, at, file[at : at + 32]), 0)
    return handled.ask(0)


def test_fragments_bring_an_update_and_the_meter_asks_for_each() -> None:
    board, meter = home()
    update = MAKER.update(IMAGE, 120)
    assert by_frames(meter, update) == (120, 132 + 3_000, update_codes.VERIFIED, 0)
    assert board.slots.read(0, 4096, 3_000) == IMAGE
    meter.update.fragment(Fragment(120, 132 + 3_000, b""), 0)
    assert not meter.ended
    assert meter.update.ask(0)[2] == update_codes.VERIFIED
    assert meter.ended == FOR_ANOTHER_IMAGE


def test_fragments_go_on_after_a_reset_and_a_refusal_is_told() -> None:
    board, meter = home()
    update = MAKER.update(IMAGE, 120)
    assert by_frames(meter, update, cut_after=30)[2] == update_codes.TAKING
    after = life(board, FACTORY, board.slots)
    assert after.update is not None and after.update.ask(0)[:3] == (120, 132 + 768, update_codes.TAKING)
    assert by_frames(after, update)[2:] == (update_codes.VERIFIED, 0)
    assert by_frames(home()[1], MAKER.update(IMAGE, 120, sign=SIGN_OF_A_STRANGER)) == (120, 0, 0, 24)
