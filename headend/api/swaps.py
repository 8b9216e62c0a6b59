"""Another meter in the place of one, and meters that are taken away for good."""

from typing import Literal

from headend.api.endpoint import PROVISION, Endpoint
from headend.api.meters import MeterPath
from headend.api.new_meters import AddedMeter, added
from headend.api.shapes import Litres, MeterIdText, Request, Response
from headend.ledger.balances import receivable_balance_mills
from headend.meters.keyring import Keyring
from headend.meters.lookup import contracts_of
from headend.meters.retirement import retire_meter
from headend.meters.swap import execute_swap, prepare_swap
from headend.storage.writer import Tx
from protocol.rules.calendar import slot_of


class SpareToPrepare(Request):
    """The meter that is to take this one's place."""

    new_meter_id: MeterIdText
    litres_per_pulse: Literal[1, 10, 100] = 1


class MeterToSwap(Request):
    """`final_index_l`: litres on the register of the old meter now; without it, what it reported last. `first_index_l`:
    litres on the register of the new one."""

    new_meter_id: MeterIdText
    first_index_l: Litres
    final_index_l: Litres | None = None


class Swapped(Response):
    """The meter that is in the place now. `opening_frame` (hex) starts its wallet over the cable; it also goes out by
    radio when the meter says that it waits for it."""

    meter_id: str
    replaces: str
    customer_number: str
    opening_frame: str


class MeterToRetire(Request):
    """`final_index_l`: litres on its register now; without it, what it reported last."""

    final_index_l: Litres | None = None


class Retired(Response):
    """`owed_mills`: what the holder owes by now, negative for what is owed to the holder; null for a spare."""

    meter_id: str
    state: str
    owed_mills: int | None


def prepare(tx: Tx, keyring: Keyring, path: MeterPath, body: SpareToPrepare) -> AddedMeter:
    """Register a spare for the place of a meter. The answer is what it is provisioned with, without an OPENING: until
    the swap it runs on its installation grace. Again for the same place, the same answer."""
    old, new = bytes.fromhex(path.meter_id), bytes.fromhex(body.new_meter_id)
    return added(prepare_swap(tx, keyring, old, new, body.litres_per_pulse))


def swap(tx: Tx, keyring: Keyring, path: MeterPath, body: MeterToSwap) -> Swapped:
    """Put a spare in the place of a meter: balance, debt plan, block position, paid charges and the customer number go
    on with it; the old meter is retired for good and its keys are destroyed."""
    old, new = bytes.fromhex(path.meter_id), bytes.fromhex(body.new_meter_id)
    now_slot = slot_of(tx.now_us // 1_000_000)
    frame = execute_swap(tx, keyring, old, new, now_slot, body.final_index_l, body.first_index_l)
    (number,) = tx.cursor.execute("SELECT customer_number FROM contract WHERE meter_id = ?", (new,)).fetchone()
    return Swapped(new.hex(), old.hex(), number, frame.hex())


def retire(tx: Tx, path: MeterPath, body: MeterToRetire) -> Retired:
    """Take a meter away for good: its wallet is settled with what the holder owes, its keys are destroyed, and its id
    never lives again. Payments to its customer number wait for a decision from now on."""
    meter_id = bytes.fromhex(path.meter_id)
    retire_meter(tx, meter_id, body.final_index_l)
    contracts = contracts_of(tx, meter_id)
    owed_mills = receivable_balance_mills(tx, contracts[-1].contract_id) if contracts else None
    return Retired(meter_id.hex(), "retired", owed_mills)


_OLD = ("meter_unknown", "meter_retired", "meter_spare", "index_behind")

ENDPOINTS = (
    Endpoint(
        "POST",
        "/v1/meters/{meter_id}/spares",
        prepare,
        "Prepare a spare for a meter's place",
        "Meters",
        PROVISION,
        writes=True,
        status=201,
        refusals=("meter_unknown", "meter_retired", "meter_spare", "meter_exists"),
    ),
    Endpoint(
        "POST",
        "/v1/meters/{meter_id}/swaps",
        swap,
        "Swap a meter",
        "Meters",
        PROVISION,
        writes=True,
        status=201,
        refusals=(*_OLD, "not_the_spare", "first_index"),
    ),
    Endpoint(
        "POST",
        "/v1/meters/{meter_id}/retirement",
        retire,
        "Retire a meter",
        "Meters",
        PROVISION,
        writes=True,
        status=201,
        refusals=("meter_unknown", "meter_retired", "index_behind"),
    ),
)
