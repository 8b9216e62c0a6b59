"""Rating again: T − M − A, posted as one explained correction; repeated or in another order it ends in the same place.

T is what today's knowledge makes of a meter's slots, M what its own packs made of them when it counted (equal to its
reported S unless it diverges, and that is a case, never a correction), A the signed sum of corrections posted so far
(SEMANTICS B5). What T − M divides into — by role, and by who bears it — is computed anew from the whole log of the
wallet generation each time, and only the difference from what is already posted is posted: so nothing can count twice.

Who bears it (B6), per local month and tariff: a fall is credited; a rise follows the tariff's `late`: waived (the
utility bears it), debt (owed, outside the wallet) or debit (taken from the wallet).
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace

from headend.billing.apportion import apportion
from headend.billing.published import Known, Rates, known_at, pack_rates, rates_of, timeline
from headend.billing.slots import RatedSlot, posted_slots, spread_unsure
from headend.ingest.meter_state import MeterState
from headend.ledger import chart
from headend.ledger.entries import Transfer
from headend.ledger.posting_rules import Holding, rating_corrected
from headend.meters.lookup import Contract, contracts_of, holding_of_meter
from headend.storage.writer import Tx
from protocol.rules.rating import NEW, RatingState, begin_slot, charge_lines, spend

BEARERS = ("credit", "waive", "debt", "debit")


@dataclass(frozen=True, slots=True)
class Finding:
    """What today's knowledge makes of all posted slots: T, T − M in mills, and how it divides at scale 4."""

    today: RatingState
    total_mills: int
    roles: tuple[int, ...]
    bearers: tuple[int, ...]


def correct_meter(tx: Tx, state: MeterState) -> MeterState:
    """Post what is missing between A and T − M of a meter; returns its state with T and A brought up to date."""
    finding = rate_again(tx, state)
    holding = holding_of_meter(tx, state.meter_id)
    accounts = _Accounts.of(tx, holding)
    posted = _posted(tx, state)
    wanted: dict[int, int] = defaultdict(int)
    for account, mills in zip(accounts.roles, apportion(finding.roles, finding.total_mills), strict=True):
        wanted[account] -= mills
    for account, mills in zip(accounts.bearers, apportion(finding.bearers, finding.total_mills), strict=True):
        wanted[account] += mills
    missing = {account: wanted[account] - posted[account] for account in wanted.keys() | posted.keys()}
    transfers = match(missing)
    if transfers:
        key = f"rating:{state.meter_id.hex()}:{state.generation}:{_corrections(tx, state) + 1}"
        memo = f"rated again up to slot {state.frontier_slot}"
        rating_corrected(tx, key, holding, transfers, missing[accounts.wallet], memo)
    return replace(state, today=finding.today, corrected_mills=finding.total_mills)


def rate_again(tx: Tx, state: MeterState) -> Finding:
    """T and M side by side over every posted slot of the wallet generation."""
    contracts = contracts_of(tx, state.meter_id)
    known = {contract.tariff_code: timeline(tx, contract.tariff_code) for contract in contracts}
    packs: dict[int, Rates] = {}
    slots = posted_slots(tx, state.meter_id, state.generation)
    metered = today = NEW
    units: dict[tuple[int, str], int] = defaultdict(int)
    roles = [0] * 6
    for as_metered, as_known in zip(slots, spread_unsure(slots), strict=True):
        if as_metered.pack_version not in packs:
            packs[as_metered.pack_version] = _pack(tx, state.meter_id, as_metered.pack_version)
        own = packs[as_metered.pack_version]
        now, late = _rates_today(contracts, known, as_known.slot, own)
        metered, metered_roles = _rate(metered, own, as_metered)
        today, today_roles = _rate(today, now, as_known)
        for role in range(6):
            roles[role] += today_roles[role] - metered_roles[role]
        units[today.month, late] += sum(today_roles) - sum(metered_roles)
    return Finding(today, today.spent_mills - metered.spent_mills, tuple(roles), _bearers(units))


def match(missing: dict[int, int]) -> tuple[Transfer, ...]:
    """Transfers that give each account what it misses: positive to be debited, negative to be credited; the sum is 0.

    {wallet: −40, water: +30, sewer: +10}: debit water 30 and sewer 10, credit wallet 40.
    """
    debits = [[account, mills] for account, mills in sorted(missing.items()) if mills > 0]
    credits = [[account, -mills] for account, mills in sorted(missing.items()) if mills < 0]
    transfers = []
    while debits and credits:
        amount_mills = min(debits[0][1], credits[0][1])
        transfers.append(Transfer(debits[0][0], credits[0][0], amount_mills))
        for side in (debits, credits):
            side[0][1] -= amount_mills
            if side[0][1] == 0:
                side.pop(0)
    assert not debits and not credits, "a correction must balance"
    return tuple(transfers)


@dataclass(frozen=True, slots=True)
class _Accounts:
    """The accounts a correction moves: six roles, and one per bearer in the order of BEARERS."""

    roles: tuple[int, ...]
    bearers: tuple[int, ...]
    wallet: int

    @classmethod
    def of(cls, tx: Tx, holding: Holding) -> "_Accounts":
        wallet = holding.wallet(tx)
        roles = tuple(chart.account_id(tx, role) for role in chart.CHARGE_ROLES)
        return cls(roles, (wallet, chart.account_id(tx, chart.WAIVED), holding.receivable(tx), wallet), wallet)


def _bearers(units: dict[tuple[int, str], int]) -> tuple[int, ...]:
    """Who bears the units of month and lateness, at scale 4: falls are credited whatever the tariff says."""
    bearers = dict.fromkeys(BEARERS, 0)
    for (_, late), amount in units.items():
        bearers["credit" if amount < 0 else late] += amount
    return tuple(bearers.values())


def _posted(tx: Tx, state: MeterState) -> dict[int, int]:
    """What rating corrections have debited (+) and credited (−) each account of this meter so far."""
    rows = tx.cursor.execute(
        "SELECT t.debit_account, t.credit_account, t.amount_mills FROM transfer t JOIN entry e ON e.id = t.entry_id "
        "WHERE e.meter_id = ? AND e.generation = ? AND e.kind = 'rating'",
        (state.meter_id, state.generation),
    )
    posted: dict[int, int] = defaultdict(int)
    for debit_account, credit_account, amount_mills in rows.fetchall():
        posted[debit_account] += amount_mills
        posted[credit_account] -= amount_mills
    return posted


def _corrections(tx: Tx, state: MeterState) -> int:
    row = tx.cursor.execute(
        "SELECT count(*) FROM entry WHERE meter_id = ? AND generation = ? AND kind = 'rating'",
        (state.meter_id, state.generation),
    ).fetchone()
    return int(row[0])


def _pack(tx: Tx, meter_id: bytes, version: int) -> Rates:
    rates = pack_rates(tx, meter_id, version)
    if rates is None:
        raise LookupError(f"meter {meter_id.hex()} has posted under pack {version}, which is not in the books")
    return rates


def _rates_today(
    contracts: list[Contract], known: dict[str, tuple[Known, ...]], slot: int, own: Rates
) -> tuple[Rates, str]:
    """(prices of a slot by today's knowledge, what a late rise does). Before any tariff: what the meter's pack says."""
    contract = contract_at(contracts, slot)
    tariff = known_at(known[contract.tariff_code], slot)
    if tariff is None:
        return own, "waive"
    return rates_of(tariff.printed, contract.households), tariff.late


def contract_at(contracts: list[Contract], slot: int) -> Contract:
    """The holder of a slot; slots before the first contract are the first holder's."""
    return next((contract for contract in reversed(contracts) if contract.start_slot <= slot), contracts[0])


def _rate(state: RatingState, rates: Rates, item: RatedSlot) -> tuple[RatingState, tuple[int, ...]]:
    """A slot's state after and its cost per role at scale 4."""
    lines = charge_lines(state, rates.tariff, item.slot, item.litres, item.sure)
    after = spend(begin_slot(state, rates.tariff, item.slot, item.sure), rates.tariff, item.litres)
    return after, _sum_roles(rates.roles_of(line) for line in lines)


def _sum_roles(parts: Iterator[tuple[int, ...]]) -> tuple[int, ...]:
    total = [0] * 6
    for roles in parts:
        for index, amount in enumerate(roles):
            total[index] += amount
    return tuple(total)
