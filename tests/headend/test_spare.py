"""A meter that is heard before it has a holder: stored and answered, nothing posted, and ready for its OPENING (A4)."""

import pytest

from headend.downlink.desired import push_statement
from headend.downlink.reply import seal
from headend.ingest.received import Answer, Bearer, Refusal
from headend.ledger.rebuild import rewrite
from headend.meters.commands import order
from headend.meters.radio import set_radio
from headend.meters.registry import Provisioning
from headend.meters.swap import execute_swap, opening_of_swap, prepare_swap, spare_provisioning
from headend.refusals import Code, Refused
from protocol.wire.command_codes import TELL
from protocol.wire.envelope import read_header
from protocol.wire.event_codes import TAMPER
from protocol.wire.messages import DOWN_EXTENDED, DOWN_STATEMENT, DOWN_TARIFF
from tests.headend.swaps import CHARGED, DAY, faults, meter_id_of, retired, swapped, tell_all
from tests.headend.virtual_meter import VirtualMeter
from tests.headend.world import START_SLOT, World


def spare_of(world: World, old: VirtualMeter, number: int = 9) -> VirtualMeter:
    """A spare for the place of a meter, as it leaves the workshop."""
    made = VirtualMeter(
        world.writer.run(lambda tx: prepare_swap(tx, world.keyring, old.meter_id, meter_id_of(number), 1))
    )
    made.slot = START_SLOT
    return made


def types_of(answer: Answer) -> list[int]:
    return [] if answer.reply is None else [read_header(frame).type for frame in seal(answer.reply)]


@pytest.mark.parametrize("bearer", [Bearer.UDP, Bearer.LORAWAN])
def test_a_spare_is_stored_and_answered_but_has_no_wallet(world: World, bearer: Bearer) -> None:
    """A4: no STATEMENT, no OPENING, no money; its facts and its alarms are kept; twice the same is told apart."""
    spare = spare_of(world, world.add())
    said = [spare.anchor(), spare.unopened(), spare.poll(), spare.event(TAMPER, 1)]
    for frame in (*said, said[0]):
        answer = world.receive(spare, frame, bearer)
        assert answer.refusal is None
        assert not {DOWN_EXTENDED, DOWN_STATEMENT} & set(types_of(answer))
    assert world.one("SELECT count(*) FROM uplink WHERE meter_id = ?", spare.meter_id) == 4
    assert world.rows("SELECT code FROM meter_event WHERE meter_id = ?", spare.meter_id) == [(TAMPER,)]
    assert world.rows("SELECT 1 FROM meter_state WHERE meter_id = ?", spare.meter_id) == []
    assert spare.times, "its clock is set all the same"
    world.writer.run(rewrite)
    assert faults(world) == []


@pytest.mark.parametrize("bearer", [Bearer.UDP, Bearer.LORAWAN])
def test_after_the_swap_the_opening_goes_out_by_itself(world: World, bearer: Bearer) -> None:
    """A4, DESIGN 6: who said that it is unopened gets its OPENING with the next answer, though nobody carries it."""
    old = world.add()
    world.pay(old.number, 700, "t1")
    spare = spare_of(world, old)
    world.receive(spare, spare.unopened(), bearer)
    world.writer.run(lambda tx: execute_swap(tx, world.keyring, old.meter_id, spare.meter_id, START_SLOT, None, 55))
    answer = world.receive(spare, spare.anchor(), bearer)
    assert types_of(answer)[0] == DOWN_EXTENDED
    assert (spare.volume_l, spare.balance_mills) == (55, 700_000)
    spare.use([3] * DAY)
    tell_all(world, spare)
    assert world.one("SELECT volume_l FROM meter_state WHERE meter_id = ?", spare.meter_id) == 55 + 3 * DAY
    world.writer.run(rewrite)
    assert faults(world) == []


def test_the_opening_is_sealed_anew_each_time_it_is_asked_for(world: World) -> None:
    """D1: never a counter twice; whichever arrives, the meter opens once."""
    old = world.add()
    spare = spare_of(world, old)
    frames = [
        world.writer.run(lambda tx: execute_swap(tx, world.keyring, old.meter_id, spare.meter_id, START_SLOT, None, 0)),
        world.writer.run(lambda tx: opening_of_swap(tx, world.keyring, spare.meter_id)),
    ]
    assert read_header(frames[0]).seq != read_header(frames[1]).seq
    for frame in frames:
        assert spare.hear_frame(frame) is not None
    assert faults(world) == []


def test_a_spare_hears_of_prices_and_policies_that_its_place_is_given(world: World) -> None:
    """B4: what is published between the workshop and the wall is not late on the new meter."""
    old = world.add()
    spare = spare_of(world, old)
    world.publish({"blocks": [[0, 300]], "utc_offset_minutes": 60}, START_SLOT + DAY)
    assert DOWN_TARIFF in types_of(world.receive(spare, spare.anchor()))
    assert [pack.blocks for pack in spare.packs][1:] == [((0, 300),)]


def test_a_spare_that_counts_already_is_a_case_and_keeps_its_slots(world: World) -> None:
    """F1: a restore from before the swap, say. Its log is not acknowledged, so nothing of it is lost."""
    old = world.add()
    spare = spare_of(world, old)
    spare.use([3] * DAY * 2)
    for frame in (spare.report(0, DAY), spare.report(DAY, DAY), spare.device()):
        assert world.receive(spare, frame).refusal is Refusal.NO_WALLET
    assert world.rows("SELECT kind, meter_id FROM case_file") == [("no-wallet", spare.meter_id)]
    assert world.rows("SELECT 1 FROM uplink WHERE meter_id = ?", spare.meter_id) == []
    assert faults(world) == []


def test_a_spare_is_prepared_again_for_the_same_place_and_anew_for_another(world: World) -> None:
    """A4: fresh keys, and the tap's own household prices; what was provisioned before is not believed any more."""
    world.publish({**CHARGED, "utc_offset_minutes": 60}, START_SLOT - DAY)
    first, shared = world.add(1), world.add(2, households=3)
    spare = spare_of(world, first)

    def prepared(old: VirtualMeter) -> Provisioning:
        return world.writer.run(lambda tx: prepare_swap(tx, world.keyring, old.meter_id, spare.meter_id, 1))

    assert prepared(first) == spare.record
    assert world.writer.run(lambda tx: spare_provisioning(tx, world.keyring, spare.meter_id)) == spare.record
    anew = prepared(shared)
    assert anew.root != spare.record.root and anew.tariff.body != spare.record.tariff.body
    assert anew.customer_number == shared.number
    assert world.receive(spare, spare.anchor()).refusal is Refusal.BAD_TAG
    with pytest.raises(Refused) as refused:
        world.writer.run(
            lambda tx: execute_swap(tx, world.keyring, first.meter_id, spare.meter_id, START_SLOT, None, 0)
        )
    assert (refused.value.code, refused.value.field) == (Code.NOT_THE_SPARE, "new_meter_id")
    assert world.receive(VirtualMeter(anew), VirtualMeter(anew).anchor()).refusal is None
    assert faults(world) == []


def test_a_spare_that_is_never_used_simply_ends(world: World) -> None:
    spare = spare_of(world, world.add())
    retired(world, spare)
    assert world.receive(spare, spare.anchor()).refusal is Refusal.RETIRED
    assert world.rows("SELECT contract_id, next_meter_id FROM retirement") == [(None, None)]
    assert faults(world) == []


def test_the_old_keys_are_destroyed_and_that_is_audited(world: World) -> None:
    """M17: nobody, not even with the key file, reads or seals as the old meter again; its frames are refused."""
    old = world.add()
    world.pay(old.number, 500, "t1")
    old.use([5] * DAY)
    tell_all(world, old)
    world.writer.run(lambda tx: set_radio(tx, old.meter_id, bytes(8)))
    world.writer.run(lambda tx: order(tx, old.meter_id, TELL, 0, 0, tx.now_us // 1_000_000 + 999))
    late = old.anchor()
    after = swapped(world, old, 2)
    world.writer.run(lambda tx: set_radio(tx, after.meter_id, bytes(8)))
    assert world.rows("SELECT state FROM meter_command") == [("expired",)]
    assert world.writer.run(lambda tx: push_statement(tx, world.keyring, old.meter_id)) is None
    assert world.receive(old, late).refusal is Refusal.RETIRED
    assert world.rows("SELECT meter_id FROM meter_key") == [(after.meter_id,)]
    removed = world.rows(
        "SELECT row_key, before IS NULL, after IS NULL FROM audit WHERE what = 'meter_key' AND after IS NULL"
    )
    assert removed == [(f"{old.meter_id.hex()}/1", 0, 1)]
    with pytest.raises(LookupError):
        world.writer.run(lambda tx: world.keyring.root(tx, old.meter_id, 1))
    assert faults(world) == []
