"""Adding meters: identity, a fresh root key, holder and wallet, first packs, and the OPENING that starts its wallet."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from headend.billing.packs import bring_tariffs
from headend.billing.plans import set_policy
from headend.billing.published import known_at, timeline
from headend.downlink.desired import reserve
from headend.downlink.reply import seal
from headend.downlink.wallet import opening_message
from headend.ingest import meter_link, meter_state
from headend.ledger.payments import is_text
from headend.ledger.posting_rules import Holding, meter_opened
from headend.meters.customer_number import customer_number
from headend.meters.keyring import Keyring
from headend.meters.lookup import Contract
from headend.meters.openings import WalletOpening, open_generation
from headend.refusals import Code, Refused
from headend.storage.writer import Tx
from protocol.rules.policy import NEW, Policy
from protocol.wire.limits import METER_ID_LENGTH, SLOT_MAX, VOLUME_MAX
from protocol.wire.messages import DOWN_POLICY, DOWN_TARIFF

LITRES_PER_PULSE = (1, 10, 100)  # what a meter can be provisioned with (firmware/identity.py, whole litres)
HOUSEHOLDS_MAX = 255
FIRST_GENERATION = 1

# Open while there is credit, closed without; 500 minor units left are a warning. What a utility wants beyond that
# (friendly hours, lifeline, emergency credit) it says with `set_policy`.
PLAIN_POLICY = NEW._replace(low_credit_mills=500_000)


@dataclass(frozen=True, slots=True)
class NewMeter:
    """A meter to add. `first_index_l` is on its register now; `start_slot` the first slot its holder pays for."""

    meter_id: bytes
    tariff_code: str
    customer_name: str
    start_slot: int
    first_index_l: int = 0
    litres_per_pulse: int = 1
    households: int = 1
    phone: str | None = None
    language: Literal["fr", "en"] = "fr"
    service_point: str = ""
    policy: Policy = PLAIN_POLICY


@dataclass(frozen=True, slots=True)
class InitialPack:
    """A pack as the meter is given it over the cable."""

    version: int
    from_slot: int
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Provisioning:
    """Everything that goes into a meter, once, over a cable. It holds the root key: never log it, never send it."""

    meter_id: bytes
    customer_number: str
    generation: int
    epoch: int
    litres_per_pulse: int
    first_index_l: int
    root: bytes = field(repr=False)
    opening_frame: bytes = field(repr=False)
    tariff: InitialPack
    policy: InitialPack


def add_meter(tx: Tx, keyring: Keyring, new: NewMeter) -> Provisioning:
    """Add one meter with its holder. Raises Refused, naming the field; then nothing was changed."""
    _check(tx, new)
    generation = FIRST_GENERATION
    tx.cursor.execute(
        "INSERT INTO meter (meter_id, generation, epoch, litres_per_pulse, first_index_l, first_slot, state, added_us) "
        "VALUES (?, ?, 0, ?, ?, ?, 'active', ?)",
        (new.meter_id, generation, new.litres_per_pulse, new.first_index_l, new.start_slot, tx.now_us),
    )
    root = keyring.new_root(tx, new.meter_id, generation)
    contract, number = _sign_contract(tx, new)
    meter_opened(tx, Holding(new.meter_id, generation, contract.contract_id))
    begins = WalletOpening(new.meter_id, generation, tx.batch_id, new.first_index_l, new.start_slot)
    open_generation(tx, begins)
    meter_state.save(tx, meter_state.opened(begins))
    bring_tariffs(tx, contract, new.start_slot)
    set_policy(tx, new.meter_id, new.policy)
    link = meter_link.new_link(new.meter_id, generation, 0, new.start_slot)
    keys = keyring.keys_of(tx, new.meter_id, generation, 0)
    link, reply = reserve(link, keys, [opening_message(tx, new.meter_id, generation)])
    tariff, policy = _first_pack(tx, new.meter_id, DOWN_TARIFF), _first_pack(tx, new.meter_id, DOWN_POLICY)
    meter_link.save(tx, replace(link, tariff_echo=tariff.version, policy_echo=policy.version))
    return Provisioning(
        new.meter_id,
        number,
        generation,
        0,
        new.litres_per_pulse,
        new.first_index_l,
        root,
        seal(reply)[0],
        tariff,
        policy,
    )


def import_meters(tx: Tx, keyring: Keyring, meters: Sequence[NewMeter]) -> list[Provisioning]:
    """Add all of them or none: the first refusal undoes the job."""
    made = []
    for index, new in enumerate(meters):
        try:
            made.append(add_meter(tx, keyring, new))
        except Refused as refused:
            raise Refused(refused.code, f"meters/{index}/{refused.field}", refused.detail) from None
    return made


def _check(tx: Tx, new: NewMeter) -> None:
    if len(new.meter_id) != METER_ID_LENGTH:
        raise Refused(Code.METER_ID, "meter_id", new.meter_id.hex())
    if tx.cursor.execute("SELECT 1 FROM meter WHERE meter_id = ?", (new.meter_id,)).fetchone():
        raise Refused(Code.METER_EXISTS, "meter_id", new.meter_id.hex())
    if new.litres_per_pulse not in LITRES_PER_PULSE:
        raise Refused(Code.LITRES_PER_PULSE, "litres_per_pulse", str(new.litres_per_pulse))
    if not 0 <= new.first_index_l <= VOLUME_MAX:
        raise Refused(Code.FIRST_INDEX, "first_index_l", str(new.first_index_l))
    if not 0 <= new.start_slot <= SLOT_MAX:
        raise Refused(Code.START_SLOT, "start_slot", str(new.start_slot))
    if not 1 <= new.households <= HOUSEHOLDS_MAX:
        raise Refused(Code.HOUSEHOLDS, "households", str(new.households))
    if new.language not in ("fr", "en"):
        raise Refused(Code.LANGUAGE, "language", new.language)
    for name in ("customer_name", "phone", "service_point"):
        value = getattr(new, name)
        if value and not is_text(value):
            raise Refused(Code.NAME, name)
    if not new.customer_name:
        raise Refused(Code.NAME, "customer_name")
    if known_at(timeline(tx, new.tariff_code), new.start_slot) is None:
        raise Refused(Code.TARIFF_UNKNOWN, "tariff_code", new.tariff_code)


def _sign_contract(tx: Tx, new: NewMeter) -> tuple[Contract, str]:
    """Holder, place and contract of a new meter; the next free customer number."""
    cursor = tx.cursor
    values = (new.customer_name, new.phone, new.language)
    cursor.execute("INSERT INTO customer (name, phone, language) VALUES (?, ?, ?)", values)
    customer_id = cursor.lastrowid
    cursor.execute("INSERT INTO service_point (label) VALUES (?)", (new.service_point or new.customer_name,))
    service_point_id = cursor.lastrowid
    number = customer_number(int(cursor.execute("SELECT coalesce(max(id), 0) + 1 FROM contract").fetchone()[0]))
    cursor.execute(
        "INSERT INTO contract (customer_number, meter_id, customer_id, service_point_id, start_slot, tariff_code, "
        "households) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (number, new.meter_id, customer_id, service_point_id, new.start_slot, new.tariff_code, new.households),
    )
    contract_id = int(cursor.lastrowid)
    return Contract(contract_id, new.meter_id, new.start_slot, new.tariff_code, new.households), number


def _first_pack(tx: Tx, meter_id: bytes, kind: int) -> InitialPack:
    """The pack a meter starts with: version 1 (a tariff that is published for later comes over the air)."""
    row = tx.cursor.execute(
        "SELECT version, from_slot, body FROM pack WHERE meter_id = ? AND kind = ? ORDER BY version LIMIT 1",
        (meter_id, kind),
    ).fetchone()
    return InitialPack(*row)
