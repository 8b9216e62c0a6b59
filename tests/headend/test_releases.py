"""Firmware by frames, the headend's side: what is offered to whom, in which order, and when it ends (CT-33)."""

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from headend.billing.plans import set_policy
from headend.downlink.reply import seal
from headend.ingest.received import Bearer
from headend.ledger.checks import check_books
from headend.meters.commands import order as command
from headend.meters.registry import PLAIN_POLICY
from headend.meters.retirement import retire_meter
from headend.meters.swap import prepare_swap
from headend.refusals import Code, Refused
from headend.releases import images, releases, updates
from protocol.wire import command_codes, manifest, update_codes
from protocol.wire.event_codes import FIRMWARE_CONFIRMED, FIRMWARE_REJECTED
from protocol.wire.messages import Command, Device, Fragment, Pack, Progress, Statement
from tests.headend.signed import PUBLIC_KEY, image_of, update
from tests.headend.virtual_meter import VirtualMeter
from tests.headend.world import World

OLD, NEW = 100, 10_203
DAY = 48
MINUTE_US = 60_000_000


class Taker:
    """A virtual meter that takes updates: what of the file it holds, in order, and what it says of that."""

    def __init__(self, meter: VirtualMeter) -> None:
        self.meter = meter
        self.version = 0
        self.data = b""
        self.size = 0
        self.running = OLD
        self.started = False

    def progress(self, state: int | None = None, outcome: int = 0) -> bytes:
        if state is None:
            whole = bool(self.size) and len(self.data) == self.size
            state = update_codes.VERIFIED if whole else update_codes.TAKING if self.data else update_codes.IDLE
        return self.meter.seal(Progress(self.version or self.running, len(self.data), state, outcome))

    def device(self, running: int | None = None) -> bytes:
        slot = self.meter.acked_slot or self.meter.log[0].slot
        head = (0, 0, self.meter.statement, slot, 1, self.meter.policy_version, 0)
        return self.meter.seal(Device(*head, 1, 0, 3600, running or self.running, 0, 48, 0))

    def hear(self, message: Any) -> bool:
        """True when it is to be answered at once."""
        if not isinstance(message, Fragment):
            return False
        if message.version != self.version:
            self.version, self.data, self.size = message.version, b"", 0
        if not message.chunk:
            self.started = self.started or (bool(self.size) and message.offset == self.size == len(self.data))
            return True
        if message.offset != len(self.data):
            return message.offset > len(self.data)
        self.data += message.chunk
        if not self.size and len(self.data) >= manifest.LENGTH:
            self.size = manifest.LENGTH + manifest.decode(self.data[: manifest.LENGTH]).size
        return len(self.data) == self.size


@pytest.fixture
def taker(world: World) -> Iterator[Taker]:
    """A meter with a day behind it that has heard all there is to hear, and a release of 1,000 bytes."""
    meter = world.add()
    meter.use([5] * DAY)
    made = Taker(meter)
    add(world, update(NEW))
    for frame in (meter.report(0, DAY), meter.report(0, DAY), made.device()):
        tell(world, made, frame)
    yield made


def add(world: World, data: bytes, key: bytes = PUBLIC_KEY) -> releases.Release:
    return world.writer.run(lambda tx: releases.add_release(tx, data, key))


def want(world: World, meter: VirtualMeter, version: int = NEW, hardware: str | None = None) -> updates.Update:
    return world.writer.run(lambda tx: updates.order(tx, meter.meter_id, version, hardware))


def tell(world: World, taker: Taker, frame: bytes, bearer: Bearer = Bearer.UDP) -> list[Any]:
    """The messages of the answer, which the meter hears."""
    reply = world.lose_answer(taker.meter, frame, bearer).reply
    heard = [taker.meter.hear_frame(frame) for frame in seal(reply)] if reply is not None else []
    for message in heard:
        taker.hear(message)
    return heard


def state_of(world: World, taker: Taker) -> tuple[str, int | None]:
    found = world.reader.read(lambda connection: updates.update_of(connection, taker.meter.meter_id))
    assert found is not None
    return found.state, found.outcome


def cases(world: World) -> list[Any]:
    rows = world.rows("SELECT detail FROM case_file WHERE kind = 'firmware-rejected' ORDER BY id")
    return [json.loads(detail) for (detail,) in rows]


def refused(world: World, data: bytes, key: bytes = PUBLIC_KEY) -> Code:
    before = world.rows("SELECT * FROM release")
    with pytest.raises(Refused) as found:
        add(world, data, key)
    assert world.rows("SELECT * FROM release") == before
    return found.value.code


# ---- releases ------------------------------------------------------------------------------------------------------


def test_what_no_meter_would_take_is_not_taken_here(world: World) -> None:
    good = update(NEW)
    assert refused(world, good, b"") is Code.RELEASE_KEY_UNSET
    assert refused(world, b"") is Code.RELEASE_FILE
    assert refused(world, good[: manifest.LENGTH - 1]) is Code.RELEASE_FILE
    assert refused(world, b"ELF" + good) is Code.RELEASE_FILE
    assert refused(world, good[:-1]) is Code.RELEASE_DAMAGED
    assert refused(world, good + b"\x00") is Code.RELEASE_DAMAGED
    assert refused(world, good[:-1] + bytes([good[-1] ^ 1])) is Code.RELEASE_DAMAGED
    assert refused(world, update(NEW, stranger=True)) is Code.RELEASE_SIGNATURE
    assert refused(world, good, PUBLIC_KEY[::-1]) is Code.RELEASE_SIGNATURE
    assert refused(world, update(NEW, told_size=manifest.IMAGE_MAX + 1)) is Code.RELEASE_TOO_LARGE
    # A manifest says nothing that its signature does not cover: another least version is another manifest.
    assert refused(world, good[:28] + bytes(3) + b"\x01" + good[32:]) is Code.RELEASE_SIGNATURE
    assert not world.reader.read(images.folder_of).exists()
    assert add(world, good).version == NEW


def test_the_same_release_again_is_no_change_and_another_one_needs_another_version(world: World) -> None:
    assert add(world, update(NEW)) == add(world, update(NEW))
    assert refused(world, update(NEW, size=1001)) is Code.RELEASE_EXISTS
    assert refused(world, update(NEW, min_version=7)) is Code.RELEASE_EXISTS
    assert add(world, update(NEW, hardware="qemu-mps2")).hardware == "qemu-mps2"
    found = world.reader.read(releases.listed)
    assert [(one.hardware, one.version, one.size) for one in found] == [("qemu-mps2", NEW, 1000), ("unix", NEW, 1000)]


def test_an_image_is_no_part_of_the_database(world: World) -> None:
    """The nightly backup stays small: what is signed once and never changes is kept beside the books."""
    add(world, update(NEW, size=300_000))
    [file] = world.path.with_name(world.path.name + ".releases").iterdir()
    assert file.read_bytes() == image_of(NEW, 300_000) and file.stat().st_mode & 0o777 == 0o600
    stored = world.path.read_bytes() + world.path.with_name(world.path.name + "-wal").read_bytes()
    assert image_of(NEW, 300_000)[:64] not in stored and update(NEW, size=300_000)[:68] in stored
    audited = world.rows("SELECT length(after) FROM audit WHERE what = 'release'")
    assert audited == [] or audited[0][0] < 1000


# ---- who gets what -------------------------------------------------------------------------------------------------


def test_nobody_is_sent_what_nobody_wants(world: World, taker: Taker) -> None:
    """A release alone moves nothing; a meter that asks without an order, or after it was cancelled, hears nothing."""
    assert all(not isinstance(one, Fragment) for one in tell(world, taker, taker.meter.poll()))
    taker.version = NEW
    assert tell(world, taker, taker.progress()) == []
    want(world, taker.meter)
    assert tell(world, taker, taker.progress())
    world.writer.run(lambda tx: updates.cancel(tx, taker.meter.meter_id))
    assert tell(world, taker, taker.progress()) == []
    other = world.add(2)
    other.use([5] * DAY)
    assert all(not isinstance(one, Fragment) for one in tell(world, Taker(other), other.report(0, DAY)))
    assert state_of(world, taker) == ("cancelled", None)


def test_a_meter_is_asked_where_it_stands_and_then_given_what_comes_next(world: World, taker: Taker) -> None:
    want(world, taker.meter)
    [statement, question] = tell(world, taker, taker.meter.poll())
    assert isinstance(statement, Statement) and question == Fragment(NEW, 0, b"")
    data = update(NEW)
    given = tell(world, taker, taker.progress())
    assert given == [Fragment(NEW, at, data[at : at + 32]) for at in (0, 32, 64, 96)]
    # A meter that stands askew in a page is brought to its end, no farther: there it asks again.
    taker.data = data[: 256 - 40]
    assert tell(world, taker, taker.progress()) == [
        Fragment(NEW, 216, data[216:248]),
        Fragment(NEW, 248, data[248:256]),
    ]
    # It said where it stands, so a report in between is no reason to ask.
    assert [type(one) for one in tell(world, taker, taker.meter.poll())] == [Statement]
    world.clock.set(world.clock.unix_us() + 11 * MINUTE_US)
    assert tell(world, taker, taker.meter.poll())[1:] == [Fragment(NEW, 0, b"")]


def test_over_lorawan_it_is_the_one_frame_that_is_left(world: World, taker: Taker) -> None:
    """One downlink per uplink, and only where nothing else is needed."""
    tell(world, taker, taker.device(), Bearer.LORAWAN)
    want(world, taker.meter)
    asked = [tell(world, taker, taker.device(), Bearer.LORAWAN) for _ in range(3)]
    assert [Fragment(NEW, 0, b"")] in asked
    assert tell(world, taker, taker.progress(), Bearer.LORAWAN) == [Fragment(NEW, 0, update(NEW)[:32])]


def test_a_frame_that_was_carried_by_hand_is_answered_by_nobody(world: World, taker: Taker) -> None:
    want(world, taker.meter)
    taker.version = NEW
    assert tell(world, taker, taker.progress(), Bearer.HAND) == []


def test_money_packs_and_commands_go_first(world: World, taker: Taker) -> None:
    """An update takes what room is left: none while a customer, a price or an order waits."""
    meter = taker.meter
    want(world, meter)
    tell(world, taker, taker.progress())
    world.pay(meter.number, 500, "t1")
    dearer = PLAIN_POLICY._replace(low_credit_mills=PLAIN_POLICY.low_credit_mills + 1)
    world.writer.run(lambda tx: set_policy(tx, meter.meter_id, dearer))
    expires = world.clock.unix_us() // 1_000_000 + 3600
    world.writer.run(lambda tx: command(tx, meter.meter_id, command_codes.TELL, 0, 0, expires))
    taker.version = NEW
    kinds = [type(one) for one in tell(world, taker, taker.progress())]
    assert kinds == [Statement, Command, Pack, Fragment]
    assert meter.balance_mills > 0


def test_an_image_that_is_missing_or_damaged_is_never_sent(world: World, taker: Taker) -> None:
    want(world, taker.meter)
    [file] = world.path.with_name(world.path.name + ".releases").iterdir()
    whole = file.read_bytes()
    for spoil in (lambda: file.write_bytes(whole[:-1] + b"!"), file.unlink):
        spoil()
        assert all(not isinstance(one, Fragment) for one in tell(world, taker, taker.meter.poll()))
        assert tell(world, taker, taker.progress()) == []
    add(world, update(NEW))
    assert tell(world, taker, taker.meter.poll())[1:] == [Fragment(NEW, 0, b"")]


# ---- a whole update ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
def test_a_small_update_arrives_whole_over_bad_air(world: World, taker: Taker, seed: int) -> None:
    """30 % lost each way, frames doubled and out of order, the headend started again in between."""
    chance = random.Random(seed)
    want(world, taker.meter)
    frames: list[bytes] = []
    rounds, here = 0, world
    while not taker.started:
        rounds += 1
        assert rounds < 2000
        if rounds == 40:
            here.close()
            here = World(world.path.parent, chance)
            here.clock.set(world.clock.unix_us())
        here.clock.set(here.clock.unix_us() + 10_000_000)
        asking = taker.progress() if taker.version and chance.random() < 0.9 else taker.meter.poll()
        for up in [asking] * chance.choice((0, 1, 1, 1, 2)):
            reply = here.lose_answer(taker.meter, up).reply
            frames += [] if reply is None else seal(reply)
        coming = [frame for frame in frames for _ in range(chance.choice((0, 1, 1, 1, 2)))]
        chance.shuffle(coming)
        late = len(coming) // 8
        frames, coming = coming[:late], coming[late:]
        for frame in coming:
            taker.hear(taker.meter.hear_frame(frame))
    assert taker.data == update(NEW)
    assert state_of(here, taker) == ("wanted", None)
    taker.running = NEW
    tell(here, taker, taker.device())
    assert state_of(here, taker) == ("done", None)
    assert here.reader.read(check_books) == []
    assert all(not isinstance(one, Fragment) for one in tell(here, taker, taker.meter.poll()))
    here.close()


def test_what_is_whole_is_told_to_start_until_it_does(world: World, taker: Taker) -> None:
    want(world, taker.meter)
    data = update(NEW)
    taker.version, taker.data, taker.size = NEW, data, len(data)
    for outcome in (0, update_codes.VALVE_MOVING):
        assert tell(world, taker, taker.progress(outcome=outcome)) == [Fragment(NEW, len(data), b"")]
    assert tell(world, taker, taker.progress(update_codes.TRIAL)) == []
    assert cases(world) == []


# ---- how it ends ---------------------------------------------------------------------------------------------------


REFUSING = sorted(
    code
    for name, code in vars(update_codes).items()
    if name.isupper() and code >= update_codes.HARDWARE and code not in updates.PASSING
)


@pytest.mark.parametrize("code", REFUSING)
def test_a_meter_that_refuses_is_a_case_once(world: World, taker: Taker, code: int) -> None:
    want(world, taker.meter)
    taker.version = NEW
    for _ in range(2):
        assert tell(world, taker, taker.progress(outcome=code)) == []
    assert state_of(world, taker) == ("refused", code)
    assert cases(world) == [{"version": NEW, "hardware": "unix", "code": code}]
    # Ordered again it is a new try: what was said before does not count.
    world.clock.set(world.clock.unix_us() + MINUTE_US)
    want(world, taker.meter)
    assert tell(world, taker, taker.meter.poll())[1:] == [Fragment(NEW, 0, b"")]


@pytest.mark.parametrize("code", [code for code in updates.PASSING if code])
def test_what_passes_by_itself_is_no_refusal(world: World, taker: Taker, code: int) -> None:
    want(world, taker.meter)
    taker.version = NEW
    assert tell(world, taker, taker.progress(update_codes.TAKING, code))
    assert (state_of(world, taker), cases(world)) == (("wanted", None), [])


def test_an_old_word_of_a_meter_does_not_count(world: World, taker: Taker) -> None:
    """D1: a refusal that was long on its way, told before what came since."""
    want(world, taker.meter)
    taker.version = NEW
    late = taker.progress(outcome=update_codes.SIGNATURE)
    device = taker.device(NEW)
    tell(world, taker, taker.progress())
    tell(world, taker, late)
    assert not any(isinstance(one, Fragment) for one in tell(world, taker, device))
    assert (state_of(world, taker), cases(world)) == (("wanted", None), [])


def test_a_trial_that_fails_is_a_case_however_it_becomes_known(world: World, taker: Taker) -> None:
    """By its event, once, or by a DEVICE that tells the old version again."""
    meter = taker.meter
    want(world, meter)
    tell(world, taker, taker.device(NEW))
    assert state_of(world, taker) == ("done", None)
    tell(world, taker, meter.event(FIRMWARE_REJECTED, 7, NEW))
    tell(world, taker, taker.device(OLD))
    assert state_of(world, taker) == ("rejected", None)
    assert cases(world) == [{"version": NEW, "hardware": "unix", "code": 0}]
    # The event told again is no news for a new order; the one of another version neither.
    world.clock.set(world.clock.unix_us() + MINUTE_US)
    want(world, meter)
    tell(world, taker, meter.event(FIRMWARE_REJECTED, 7, NEW))
    tell(world, taker, meter.event(FIRMWARE_REJECTED, 8, NEW + 1))
    assert state_of(world, taker) == ("wanted", None)
    tell(world, taker, taker.device(NEW))
    tell(world, taker, taker.device(OLD))
    assert (state_of(world, taker), len(cases(world))) == (("rejected", None), 2)


def test_a_confirmation_ends_it_where_no_device_came(world: World, taker: Taker) -> None:
    want(world, taker.meter)
    tell(world, taker, taker.meter.event(FIRMWARE_CONFIRMED, 7, NEW))
    assert state_of(world, taker) == ("done", None)


def test_a_later_version_than_the_one_wanted_is_as_good(world: World, taker: Taker) -> None:
    want(world, taker.meter)
    tell(world, taker, taker.device(NEW + 1))
    assert (state_of(world, taker), cases(world)) == (("done", None), [])


# ---- orders --------------------------------------------------------------------------------------------------------


def order_refused(world: World, meter_id: bytes, version: int = NEW, hardware: str | None = None) -> tuple[Code, str]:
    before = world.rows("SELECT * FROM meter_update")
    with pytest.raises(Refused) as found:
        world.writer.run(lambda tx: updates.order(tx, meter_id, version, hardware))
    assert world.rows("SELECT * FROM meter_update") == before
    return found.value.code, found.value.field


def test_what_a_meter_may_not_run_is_refused_before_a_frame_is_spent(world: World, taker: Taker) -> None:
    meter_id = taker.meter.meter_id
    assert order_refused(world, bytes(8)) == (Code.METER_UNKNOWN, "meter_id")
    assert order_refused(world, meter_id, NEW + 1) == (Code.RELEASE_UNKNOWN, "version")
    assert order_refused(world, meter_id, NEW, "toaster") == (Code.RELEASE_UNKNOWN, "hardware")
    add(world, update(OLD))
    assert order_refused(world, meter_id, OLD) == (Code.UPDATE_NOT_NEWER, "version")
    add(world, update(NEW + 5, min_version=OLD + 1))
    assert order_refused(world, meter_id, NEW + 5) == (Code.UPDATE_STEP, "version")
    add(world, update(NEW, hardware="qemu-mps2"))
    assert order_refused(world, meter_id) == (Code.RELEASE_HARDWARE, "hardware")
    assert want(world, taker.meter, NEW, "unix").hardware == "unix"


def test_neither_a_spare_nor_a_retired_meter_is_updated(world: World, taker: Taker) -> None:
    """Retirement ends what was wanted; what is under way stops with it."""
    spare = (2).to_bytes(8, "big")
    world.writer.run(lambda tx: prepare_swap(tx, world.keyring, taker.meter.meter_id, spare, 1))
    assert order_refused(world, spare) == (Code.METER_SPARE, "meter_id")
    want(world, taker.meter)
    taker.version = NEW
    assert tell(world, taker, taker.progress())
    world.writer.run(lambda tx: retire_meter(tx, taker.meter.meter_id))
    assert tell(world, taker, taker.progress()) == []
    assert state_of(world, taker) == ("cancelled", None)
    assert order_refused(world, taker.meter.meter_id) == (Code.METER_RETIRED, "meter_id")


def test_only_what_is_under_way_can_be_cancelled(world: World, taker: Taker) -> None:
    for _ in range(2):
        with pytest.raises(Refused) as found:
            world.writer.run(lambda tx: updates.cancel(tx, taker.meter.meter_id))
        assert found.value.code is Code.UPDATE_UNKNOWN
        want(world, taker.meter)
        world.writer.run(lambda tx: updates.cancel(tx, taker.meter.meter_id))


def test_the_progress_of_an_update_fills_no_audit(world: World, taker: Taker) -> None:
    """IW-15: the order and its end are audited; thousands of words in between explain themselves."""
    want(world, taker.meter)
    for _ in range(5):
        tell(world, taker, taker.progress())
    rows = world.rows("SELECT what, actor_kind FROM audit WHERE what LIKE '%update%'")
    assert rows == [("meter_update", "system")]


def test_a_release_needs_no_network_and_no_private_key(world: World, tmp_path: Path) -> None:
    """The folder holds what is public anyway: nothing of a key is in it or in the books."""
    add(world, update(NEW))
    names = [file.name for file in world.path.with_name(world.path.name + ".releases").iterdir()]
    assert [len(bytes.fromhex(name)) for name in names] == [32]
