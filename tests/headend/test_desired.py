"""What a meter is answered beyond its statement: NACK, packs in parts, COMMAND, REKEY, and what LoRaWAN can afford."""

import random
from typing import Any

import pytest

from headend.billing.plans import set_policy
from headend.downlink.desired import push_command
from headend.downlink.packs import next_parts
from headend.downlink.reply import seal
from headend.ingest.received import Answer, Bearer, Refusal
from headend.ledger.checks import check_books
from headend.meters import slot_requests
from headend.meters.commands import order
from headend.meters.registry import PLAIN_POLICY
from headend.meters.rekey import ask_rekey
from headend.refusals import Code, Refused
from protocol.wire import command_codes
from protocol.wire.messages import STATUS_CLOCK_UNSURE, Command, Device, Nack, Rekey, Statement, Time
from tests.headend.virtual_meter import VirtualMeter
from tests.headend.world import START_SLOT, World

DAY = 48
DAY_S = 86_400
LORAWAN = Bearer.LORAWAN


def said(meter: VirtualMeter, answer: Answer) -> list[Any]:
    """The messages of an answer, which the meter hears."""
    return [meter.hear_frame(frame) for frame in seal(answer.reply)] if answer.reply is not None else []


def tell(world: World, meter: VirtualMeter, frame: bytes, bearer: Bearer = Bearer.UDP) -> list[Any]:
    return said(meter, world.lose_answer(meter, frame, bearer))


def only(messages: list[Any], kind: type) -> list[Any]:
    return [message for message in messages if isinstance(message, kind)]


def flat(price: int) -> dict[str, object]:
    return {"blocks": [[0, price]], "utc_offset_minutes": 60}


def many_blocks(count: int) -> dict[str, object]:
    """A tariff whose body needs several frames."""
    blocks = [[100_001 * number, 60_000 + 13 * number] for number in range(1, count)]
    return {"blocks": [*blocks, [0, 65_521]], "utc_offset_minutes": 60, "standing_day": 777}


def settle(world: World, meter: VirtualMeter) -> None:
    """Let a new meter be told all that it has not heard yet."""
    meter.use([5] * DAY)
    tell(world, meter, meter.report(0, DAY), LORAWAN)


# ---- NACK ----------------------------------------------------------------------------------------------------------


def test_f1_the_holes_before_waiting_logs_are_asked_for_together(world: World) -> None:
    """F1, F3: two days of six were lost; one NACK names both, once a further uplink shows that they are missing."""
    meter = world.add()
    meter.use([5] * DAY * 6)
    for day in (0, 2, 4):
        assert only(tell(world, meter, meter.report(DAY * day, DAY)), Nack) == [] or day == 4
    asked = only(tell(world, meter, meter.report(DAY * 5, DAY)), Nack)
    assert asked == [Nack(0, ((START_SLOT + DAY, DAY), (START_SLOT + 3 * DAY, DAY)))]
    for day in (3, 1):
        tell(world, meter, meter.report(DAY * day, DAY))
    assert only(tell(world, meter, meter.poll()), Nack) == []
    assert world.one("SELECT frontier_slot FROM meter_state") == meter.slot


def test_a_long_hole_is_named_in_ranges_that_a_nack_can_carry(world: World) -> None:
    meter = world.add()
    meter.use([5] * DAY * 30)
    tell(world, meter, meter.report(0, DAY))
    tell(world, meter, meter.report(DAY * 29, DAY))
    [asked] = only(tell(world, meter, meter.poll()), Nack)
    assert asked.ranges == tuple((START_SLOT + DAY + 255 * at, 255) for at in range(4))


def test_f3_any_slot_of_the_ring_may_be_asked_for_again_acknowledged_or_not(world: World) -> None:
    """F3: until it is heard; what came in part is asked for in part; nothing is posted twice."""
    meter = world.add()
    meter.use([5] * DAY * 2)
    for day in (0, 1):
        tell(world, meter, meter.report(DAY * day, DAY))
    world.clock.set(world.clock.unix_us() + 2 * DAY_S * 1_000_000)
    world.writer.run(lambda tx: slot_requests.ask(tx, meter.meter_id, START_SLOT + 10, 20))
    for _ in range(2):
        assert only(tell(world, meter, meter.poll()), Nack) == [Nack(0, ((START_SLOT + 10, 20),))]
    answered = tell(world, meter, meter.report(15, 5))
    assert only(answered, Nack) == [Nack(0, ((START_SLOT + 10, 5), (START_SLOT + 20, 10)))]
    assert only(tell(world, meter, meter.report(0, 40)), Nack) == []
    assert world.one("SELECT count(*) FROM slot_request") == 0
    assert world.one("SELECT sum(segment_slots) FROM uplink") == 2 * DAY
    assert world.reader.read(check_books) == []


@pytest.mark.parametrize(("first", "slots"), [(-1, 1), (START_SLOT, 0), (START_SLOT, 1021), (START_SLOT + 40, 9)])
def test_f3_slots_that_are_not_over_or_too_many_are_refused(world: World, first: int, slots: int) -> None:
    meter = world.add()
    world.clock.set(world.clock.unix_us() + DAY_S * 1_000_000)
    with pytest.raises(Refused) as refused:
        world.writer.run(lambda tx: slot_requests.ask(tx, meter.meter_id, first, slots))
    assert refused.value.code is Code.SLOTS_ASKED
    assert world.one("SELECT count(*) FROM slot_request") == 0


# ---- packs by part -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bearer", [Bearer.UDP, LORAWAN])
def test_b4_a_long_tariff_arrives_by_parts_though_a_third_of_them_is_lost(world: World, bearer: Bearer) -> None:
    """B4: round and round until the meter has them all; then the echo ends it."""
    meter = world.add()
    world.publish(many_blocks(8), START_SLOT + 5 * DAY)
    chance = random.Random(3)
    meter.use([1])
    answers = 0
    while len(meter.packs) < 2:
        answers += 1
        answer = world.lose_answer(meter, meter.poll() if bearer is Bearer.UDP else meter.event(6, answers), bearer)
        for frame in seal(answer.reply) if answer.reply is not None else []:
            if chance.random() > 0.3:
                meter.hear_frame(frame)
    assert answers <= (8 if bearer is Bearer.UDP else 24)
    assert len(meter.packs[-1].blocks) == 8
    tell(world, meter, meter.device(), bearer)
    answer = world.lose_answer(meter, meter.event(6, 99), bearer)
    assert answer.reply is None or 3 not in [item.type for item in answer.reply.messages]


def test_no_part_starves_whatever_else_is_missing() -> None:
    """Of three packs of 8, 1 and 3 parts each part has its turn, one by one or three at a time."""
    pending = [tuple((kind, bytes([part])) for part in range(count)) for kind, count in ((3, 8), (4, 1), (6, 3))]
    for room in (1, 3):
        turn, seen = 0, set()
        for _ in range(24):
            parts, turn = next_parts(pending, turn, room)
            assert len(parts) == len(set(parts)) <= room
            seen |= set(parts)
        assert len(seen) == 12


def test_b4_never_more_than_fifteen_tariffs_go_unechoed(world: World) -> None:
    """B4: the version has 4 bits in a log; what is too much waits until the meter has echoed, then follows."""
    meter = world.add()
    for number in range(20):
        world.publish(flat(200 + number), START_SLOT - DAY)
    assert world.one("SELECT max(version) FROM pack WHERE kind = 3") == 16
    tell(world, meter, meter.poll())
    assert [pack.version for pack in meter.packs] == [1, 16]
    meter.use([5] * DAY)
    tell(world, meter, meter.report(0, DAY))
    assert world.rows("SELECT max(version) FROM pack WHERE kind = 3") == [(17,)]
    assert meter.packs[-1].blocks[0][1] == 219, "the newest of all"
    assert world.reader.read(check_books) == []


# ---- COMMAND -------------------------------------------------------------------------------------------------------


def give(world: World, meter: VirtualMeter, code: int, argument: int = 0, cap: int = 0, valid_s: int = DAY_S) -> None:
    expires = world.clock.unix_us() // 1_000_000 + valid_s
    world.writer.run(lambda tx: order(tx, meter.meter_id, code, argument, cap, expires))


def states(world: World) -> list[tuple[Any, ...]]:
    return world.rows("SELECT number, state, outcome FROM meter_command ORDER BY number")


def test_d1_a_command_is_sent_until_its_result_and_the_next_one_only_then(world: World) -> None:
    meter = world.add()
    give(world, meter, command_codes.VALVE_OPEN, 3600, 200)
    give(world, meter, command_codes.REPORT_PERIOD, 48)
    for _ in range(2):
        [first] = only(tell(world, meter, meter.poll()), Command)
        assert (first.id, first.code, first.argument, first.limit) == (1, command_codes.VALVE_OPEN, 3600, 200)
    [second] = only(tell(world, meter, meter.result(first, command_codes.DONE, 1)), Command)
    assert (second.id, second.code, second.argument) == (2, command_codes.REPORT_PERIOD, 48)
    assert only(tell(world, meter, meter.result(second, command_codes.OUT_OF_RANGE, 2)), Command) == []
    assert states(world) == [(1, "done", 0), (2, "refused", 4)]


def test_d1_a_command_that_expired_is_not_sent_any_more_and_a_late_result_still_tells(world: World) -> None:
    meter = world.add()
    give(world, meter, command_codes.TELL, valid_s=100)
    [first] = only(tell(world, meter, meter.poll()), Command)
    world.clock.set(world.clock.unix_us() + 100_000_000)
    assert only(tell(world, meter, meter.poll()), Command) == []
    give(world, meter, command_codes.TELL)
    assert states(world) == [(1, "expired", None), (2, "wanted", None)]
    tell(world, meter, meter.result(first, command_codes.DONE, 1))
    assert states(world)[0] == (1, "done", 0)
    tell(world, meter, meter.result(first, command_codes.EXPIRED, 2))
    assert states(world)[0] == (1, "done", 0), "the first word counts"


def test_a_command_is_pushed_at_once_where_the_bearer_can(world: World) -> None:
    meter = world.add()
    tell(world, meter, meter.poll())
    give(world, meter, command_codes.TELL)
    reply = world.writer.run(lambda tx: push_command(tx, world.keyring, meter.meter_id))
    assert reply is not None
    assert [meter.hear_frame(frame) for frame in seal(reply)] == [Command(1, reply_expiry(world), 5, 0, 0)]


def reply_expiry(world: World) -> int:
    return int(world.one("SELECT expires_unix_s FROM meter_command"))


@pytest.mark.parametrize(
    ("code", "argument", "cap", "valid_s", "refusal", "field"),
    [
        (0, 0, 0, 1, Code.COMMAND, "command"),
        (6, 0, 0, 1, Code.COMMAND, "command"),
        (command_codes.VALVE_OPEN, 0, 5, 1, Code.COMMAND, "argument"),
        (command_codes.VALVE_OPEN, 86_401, 5, 1, Code.COMMAND, "argument"),
        (command_codes.VALVE_OPEN, 60, 0, 1, Code.COMMAND, "cap"),
        (command_codes.VALVE_OPEN, 60, 65_536, 1, Code.COMMAND, "cap"),
        (command_codes.VALVE_CLOSE, 604_801, 0, 1, Code.COMMAND, "argument"),
        (command_codes.VALVE_CLOSE, 60, 1, 1, Code.COMMAND, "cap"),
        (command_codes.VALVE_RELEASE, 1, 0, 1, Code.COMMAND, "argument"),
        (command_codes.REPORT_PERIOD, 5, 0, 1, Code.COMMAND, "argument"),
        (command_codes.REPORT_PERIOD, 96, 0, 1, Code.COMMAND, "argument"),
        (command_codes.TELL, 0, 0, 0, Code.COMMAND_EXPIRY, "expires_at"),
        (command_codes.TELL, 0, 0, 30 * DAY_S + 1, Code.COMMAND_EXPIRY, "expires_at"),
    ],
)
def test_a_command_that_no_meter_takes_is_refused(
    world: World, code: int, argument: int, cap: int, valid_s: int, refusal: Code, field: str
) -> None:
    meter = world.add()
    with pytest.raises(Refused) as refused:
        give(world, meter, code, argument, cap, valid_s)
    assert (refused.value.code, refused.value.field) == (refusal, field)
    assert states(world) == []


def test_the_ninth_waiting_command_is_refused(world: World) -> None:
    meter = world.add()
    for _ in range(8):
        give(world, meter, command_codes.TELL)
    with pytest.raises(Refused) as refused:
        give(world, meter, command_codes.TELL)
    assert refused.value.code is Code.COMMANDS_WAITING


def test_ct_05_the_meter_says_how_far_apart_its_reports_are(world: World) -> None:
    """CT-05: what it echoes is what it does, whatever was ordered."""
    meter = world.add()
    meter.use([1])
    tell(world, meter, meter.device())
    assert world.rows("SELECT report_slots, command_echo FROM meter_link") == [(48, 0)]


# ---- REKEY ---------------------------------------------------------------------------------------------------------


def test_d4_both_epochs_are_heard_until_the_first_uplink_under_the_new_one(world: World) -> None:
    """D4: asked for until then; afterwards the old keys open nothing, and counters and window run on."""
    meter = world.add()
    tell(world, meter, meter.poll())
    assert world.writer.run(lambda tx: ask_rekey(tx, meter.meter_id)) == 1
    for _ in range(2):
        assert only(tell(world, meter, meter.poll()), Rekey) == [Rekey(1)]
    old, before = meter.poll(), world.one("SELECT down_next FROM meter_link")
    meter.change_keys(1)
    meter.use([5] * DAY)
    assert only(tell(world, meter, meter.report(0, DAY)), Rekey) == []
    assert world.lose_answer(meter, old).refusal is Refusal.REPLAYED
    assert world.one("SELECT down_next FROM meter_link") > before
    assert world.rows("SELECT epoch FROM meter") == [(1,)]
    assert world.rows("SELECT DISTINCT epoch FROM uplink ORDER BY 1") == [(0,), (1,)]
    assert world.one("SELECT frontier_slot FROM meter_state") == meter.slot
    assert world.reader.read(check_books) == []


def test_d4_a_forged_frame_of_the_next_epoch_changes_no_keys(world: World) -> None:
    meter = world.add()
    world.writer.run(lambda tx: ask_rekey(tx, meter.meter_id))
    frame = meter.poll()
    forged = bytes([frame[0] & 0xF8 | 1]) + frame[1:]
    assert world.lose_answer(meter, forged).refusal is Refusal.BAD_TAG
    assert world.rows("SELECT epoch, next_epoch FROM meter_link") == [(0, 1)]
    assert world.lose_answer(meter, frame).refusal is None


def test_d4_one_change_of_keys_at_a_time(world: World) -> None:
    meter = world.add()
    world.writer.run(lambda tx: ask_rekey(tx, meter.meter_id))
    with pytest.raises(Refused) as refused:
        world.writer.run(lambda tx: ask_rekey(tx, meter.meter_id))
    assert refused.value.code is Code.REKEY_UNDER_WAY


# ---- LoRaWAN -------------------------------------------------------------------------------------------------------


def test_lorawan_says_nothing_where_nothing_is_missing(world: World) -> None:
    """R01: a daily report that tells all is not answered; its time was told this month."""
    meter = world.add()
    settle(world, meter)
    meter.use([5] * DAY)
    assert tell(world, meter, meter.report(DAY, DAY), LORAWAN) == []


def test_lorawan_spends_its_one_downlink_by_rank(world: World) -> None:
    """R01: statement, command, tariff, keys; each until its echo, one per uplink."""
    meter = world.add()
    settle(world, meter)
    world.pay(meter.number, 500, "t1")
    give(world, meter, command_codes.TELL)
    world.publish(flat(130), START_SLOT + 9 * DAY)
    world.writer.run(lambda tx: ask_rekey(tx, meter.meter_id))
    heard: list[type] = []
    for number in range(6):
        meter.use([5] * DAY)
        frame = meter.report(DAY * (number + 1), DAY)
        [message] = tell(world, meter, frame, LORAWAN)
        heard.append(type(message))
        if isinstance(message, Command):
            assert type(tell(world, meter, meter.result(message, 0, 1), LORAWAN)[0]).__name__ == "Pack"
            tell(world, meter, meter.device(), LORAWAN)
        if isinstance(message, Rekey):
            break
    assert heard == [Statement, Command, Rekey]


def test_lorawan_answers_a_poll_with_the_statement_whatever_was_echoed(world: World) -> None:
    """A customer who waits presses the button: 23 bytes are well spent."""
    meter = world.add()
    settle(world, meter)
    assert [type(message) for message in tell(world, meter, meter.poll(), LORAWAN)] == [Statement]


def test_b4_lorawan_sends_no_third_tariff_to_come_before_there_is_room_for_it(world: World) -> None:
    """B4: a meter refuses it, so it would take the downlink of every uplink, before new keys and acknowledgements."""
    meter = world.add()
    settle(world, meter)
    for day in (20, 40, 60):
        world.publish(flat(100 + day), START_SLOT + day * DAY)
    for _ in range(2):
        tell(world, meter, meter.device(), LORAWAN)
    assert sorted(pack.version for pack in meter.packs) == [1, 2, 3]
    world.writer.run(lambda tx: ask_rekey(tx, meter.meter_id))
    assert [type(message) for message in tell(world, meter, meter.device(), LORAWAN)] == [Rekey]
    world.clock.set(world.clock.unix_us() + 20 * DAY_S * 1_000_000)
    tell(world, meter, meter.device(), LORAWAN)
    assert sorted(pack.version for pack in meter.packs) == [1, 2, 3, 4]


def test_c1_lorawan_acknowledges_to_a_meter_that_still_tells_of_its_former_log(world: World) -> None:
    """C1: else its former log, far ahead in slots, would seem to be acknowledged for as long as the clock was wrong."""
    meter = world.add()
    settle(world, meter)
    ahead = meter.slot
    meter.new_log_generation(START_SLOT - 30 * DAY)
    meter.use([5] * DAY)
    tell(world, meter, meter.report(DAY, DAY), LORAWAN)
    assert world.one("SELECT log_generation FROM meter_state") == 1
    device = Device(0, 0, 0, ahead, 1, 1, 0, 1, 0, 3_600, 100, 0, DAY, 0)
    [told] = tell(world, meter, meter.seal(device), LORAWAN)
    assert (told.log_generation, told.acked_slot) == (1, meter.slot)
    assert tell(world, meter, meter.seal(device._replace(log_generation=1, acked_slot=meter.slot)), LORAWAN) == []


def test_lorawan_asks_for_holes_together_or_when_the_oldest_is_some_days_old(world: World) -> None:
    meter = world.add()
    settle(world, meter)
    meter.use([5] * DAY * 20)
    nacks = {}
    for day in (2, 3, 4, 5, 6):
        nacks[day] = only(tell(world, meter, meter.report(DAY * day, DAY), LORAWAN), Nack)
    assert [day for day, asked in nacks.items() if asked] == [5, 6]
    tell(world, meter, meter.report(DAY, DAY), LORAWAN)
    for day in (8, 10):
        assert only(tell(world, meter, meter.report(DAY * day, DAY), LORAWAN), Nack) == []
    [asked] = only(tell(world, meter, meter.report(DAY * 12, DAY), LORAWAN), Nack)
    assert asked.ranges == tuple((START_SLOT + DAY * day, DAY) for day in (7, 9, 11))


def test_lorawan_acknowledges_every_two_weeks(world: World) -> None:
    """The ring holds months: an acked slot that lags by days costs nothing, a daily one would cost the gateway."""
    meter = world.add()
    settle(world, meter)
    acked = []
    for day in range(1, 32):
        meter.use([5] * DAY)
        if only(tell(world, meter, meter.report(DAY * day, DAY), LORAWAN), Statement):
            acked.append(day)
    assert acked == [14, 28]


def test_c3_lorawan_tells_the_time_to_an_unsure_clock_and_else_monthly(world: World) -> None:
    """C3: before anything but money, because friendly hours wait for it."""
    meter = world.add()
    settle(world, meter)
    assert len(meter.times) == 1
    world.publish(flat(130), START_SLOT + 9 * DAY)
    meter.use([5] * 3, sure=False)
    [message] = tell(world, meter, meter.report(DAY, 3), LORAWAN)
    assert isinstance(message, Time)
    assert STATUS_CLOCK_UNSURE & world.one("SELECT status FROM meter_link")
    world.clock.set(world.clock.unix_us() + 31 * DAY_S * 1_000_000)
    meter.use([5] * 3)
    assert [type(item).__name__ for item in tell(world, meter, meter.report(DAY + 3, 3), LORAWAN)] == ["Pack"]
    assert [type(item) for item in tell(world, meter, meter.device(), LORAWAN)] == [Time]
    assert tell(world, meter, meter.device(), LORAWAN) == []


def test_policies_go_by_lorawan_too(world: World) -> None:
    meter = world.add()
    settle(world, meter)
    world.writer.run(lambda tx: set_policy(tx, meter.meter_id, PLAIN_POLICY._replace(low_credit_mills=1_000)))
    answer = world.lose_answer(meter, meter.event(6, 1), LORAWAN)
    assert answer.reply is not None and [item.type for item in answer.reply.messages] == [4]
