"""What tests of swaps do again and again: take a meter off the wall and put another one in its place."""

from collections import Counter
from dataclasses import replace

from headend.billing.knowledge import knowledge_of
from headend.billing.slots import posted_slots
from headend.ledger.checks import account_balances, check_books
from headend.meters.openings import generations_of
from headend.meters.retirement import retire_meter
from headend.meters.swap import execute_swap, prepare_swap
from headend.storage.writer import Tx
from protocol.rules.calendar import slot_start
from protocol.rules.rating import MILL, begin_slot, charge_lines, spend
from tests.headend.virtual_meter import VirtualMeter
from tests.headend.world import World

DAY = 48
FRAME_SLOTS = 90
CHARGED = {"blocks": [[500, 127], [1_500, 279], [0, 448]], "standing_day": 50, "standing_month": 3_000}

Line = tuple[int, int, int]


def meter_id_of(number: int) -> bytes:
    return number.to_bytes(8, "big")


def swapped(
    world: World, old: VirtualMeter, number: int, final_index_l: int | None = None, first_index_l: int = 0
) -> VirtualMeter:
    """Meter `number` in the place of an old one, now; opened by its OPENING, as a technician leaves it."""
    world.clock.set(max(world.clock.unix_us(), slot_start(old.slot) * 1_000_000))
    made = world.writer.run(lambda tx: prepare_swap(tx, world.keyring, old.meter_id, meter_id_of(number), 1))
    frame = world.writer.run(
        lambda tx: execute_swap(tx, world.keyring, old.meter_id, made.meter_id, old.slot, final_index_l, first_index_l)
    )
    return VirtualMeter(replace(made, opening_frame=frame, first_index_l=first_index_l))


def tell_all(world: World, meter: VirtualMeter, first: int = 0) -> None:
    """Report the whole log, in frames that no change of the pack crosses."""
    at = first
    while at < len(meter.log):
        end = at
        while end < min(at + FRAME_SLOTS, len(meter.log)) and meter.log[end].pack == meter.log[at].pack:
            end += 1
        world.receive(meter, meter.report(at, end - at))
        at = end


def exactly(*meters: VirtualMeter) -> int:
    """S of several meters together, at scale 4."""
    return sum(meter.rating.spent_mills * MILL + meter.rating.remainder for meter in meters)


def lines_of(world: World, *meters: VirtualMeter) -> Counter[Line]:
    """What the posted slots cost, by (local month, kind of line, block): at scale 4, out of the books."""

    def read(tx: Tx) -> Counter[Line]:
        found: Counter[Line] = Counter()
        for meter in meters:
            knowledge, (begins,) = knowledge_of(tx, meter.meter_id), generations_of(tx, meter.meter_id)
            state = begins.rating
            for item in posted_slots(tx, meter.meter_id, begins.generation):
                rates = knowledge.at(item.slot).rates
                assert rates is not None
                lines = charge_lines(state, rates.tariff, item.slot, item.litres, item.sure)
                state = begin_slot(state, rates.tariff, item.slot, item.sure)
                for line in lines:
                    found[state.month, line.kind, line.block] += line.amount
                state = spend(state, rates.tariff, item.litres)
        return found

    return world.writer.run(read)


def retired(world: World, meter: VirtualMeter, final_index_l: int | None = None) -> None:
    world.writer.run(lambda tx: retire_meter(tx, meter.meter_id, final_index_l))


def balance(world: World, code: str) -> int:
    return world.reader.read(account_balances)[code]


def faults(world: World) -> list[object]:
    return [*world.reader.read(check_books)]
