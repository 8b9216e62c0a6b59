"""Rating again: T − M − A, posted as one explained correction; repeated or in another order it ends in the same place.

T is what today's knowledge makes of a meter's slots, M what its own packs made of them when it counted (equal to its
reported S unless it diverges, and that is a case, never a correction), A the signed sum of corrections posted so far
(SEMANTICS B5). What T − M divides into — by role, and by who bears it — is the same whenever it is asked (rerate.py),
and only the difference from what is already posted is posted: so nothing can count twice.

Who bears it (B6), per local month and holder: a fall is credited; a rise follows the tariff's `late`: waived (the
utility bears it), debt (owed, outside the wallet) or debit (owed until its notice is over, then taken from the wallet).
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace

from headend.billing import rating_base
from headend.billing.apportion import apportion
from headend.billing.knowledge import Knowledge, knowledge_of
from headend.billing.notices import DEBT, WALLET, Notice, announce, announced_bearers, bearable_mills
from headend.billing.rerate import Finding, Unit, rate_again
from headend.ingest import meter_state
from headend.ingest.meter_state import MeterState
from headend.ledger import chart
from headend.ledger.entries import Transfer
from headend.ledger.posting_rules import Holding, rating_corrected
from headend.meters.lookup import holding_of_meter, present_holding
from headend.meters.openings import generations_of
from headend.storage.writer import Tx

WAIVED = "waived"
# A correction that a restore had undone finds its part of the wallet's in `recovered` (SEMANTICS A5).
_OF_WALLETS = (chart.WALLET, chart.RECOVERED)

# (who bears, holder): WALLET and DEBT are one holder's, WAIVED is the utility's (holder 0).
Bearer = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Division:
    """What corrections come to in all, in whole mills: by role as revenue, by bearer as who pays; both sum to T − M."""

    roles: tuple[int, ...]
    bearers: dict[Bearer, int]


def correct_meter(tx: Tx, state: MeterState) -> MeterState:
    """Post what is missing between A and T − M of a meter; returns its state with T and A brought up to date."""
    knowledge = knowledge_of(tx, state.meter_id)
    finding = rate_again(tx, state, knowledge, rating_base.load(tx, state, knowledge))
    rating_base.save(tx, state, knowledge, finding)
    _post_missing(tx, holding_of_meter(tx, state.meter_id), state.generation, knowledge, finding)
    return replace(state, today=finding.today, corrected_mills=finding.total_mills)


def correct_closed(tx: Tx, meter_id: bytes) -> None:
    """The same for the closed wallet generations of a meter: what they gain or owe is the present wallet's (A4, B6)."""
    knowledge, holding = knowledge_of(tx, meter_id), holding_of_meter(tx, meter_id)
    for begins in generations_of(tx, meter_id):
        if begins.generation < holding.generation:
            finding = rate_again(tx, meter_state.opened(begins), knowledge)
            _post_missing(tx, holding, begins.generation, knowledge, finding)


def _post_missing(tx: Tx, holding: Holding, generation: int, knowledge: Knowledge, finding: Finding) -> None:
    """Announce and post the corrections of one wallet generation; the wallet they move is the holder's present one, in
    whatever meter."""
    counted = replace(holding, generation=generation)
    division = divide(finding)
    notices = notices_of(tx, counted, knowledge, division)
    for notice in notices:
        _announce(tx, counted, notice)
    missing = missing_by_account(tx, counted, division, notices)
    # What an older wallet bore went on to the present one when it was closed, and at the very end to the receivable.
    wallet_mills, bearer = missing.pop(counted.wallet(tx)), present_holding(tx, holding.contract_id)
    missing[holding.receivable(tx) if bearer is None else bearer.wallet(tx)] += wallet_mills
    transfers = match(missing)
    if transfers:
        key = f"rating:{holding.meter_id.hex()}:{generation}:{_corrections(tx, counted) + 1}"
        memo = f"rated again up to slot {finding.highest_slot + 1}"
        rating_corrected(tx, key, counted, bearer, transfers, 0 if bearer is None else wallet_mills, memo)


def divide(finding: Finding) -> Division:
    """The whole mills of T − M by role and by bearer."""
    parts: dict[Bearer, int] = defaultdict(int)
    for unit, amount in finding.units.items():
        parts[bearer_of(unit, amount)] += amount
    bearers = sorted(bearer for bearer, amount in parts.items() if amount)
    shares = apportion([parts[bearer] for bearer in bearers], finding.total_mills)
    roles = apportion(finding.roles, finding.total_mills)
    return Division(roles, dict(zip(bearers, shares, strict=True)))


def bearer_of(unit: Unit, amount: int) -> Bearer:
    """Who bears a unit's fall or rise: falls are credited whatever the tariff says."""
    _, late, contract_id = unit
    if amount < 0 or late == "debit":
        return WALLET, contract_id
    return (DEBT, contract_id) if late == "debt" else (WAIVED, 0)


def notices_of(tx: Tx, holding: Holding, knowledge: Knowledge, division: Division) -> list[Notice]:
    """What every holder is to be told by now: those who bear a part, and those who were told of one before."""
    bearers = announced_bearers(tx, holding) | {bearer for bearer in division.bearers if bearer[0] != WAIVED}
    return [
        Notice(kind, contract_id, division.bearers.get((kind, contract_id), 0), knowledge.notice_days(contract_id))
        for kind, contract_id in sorted(bearers)
    ]


def missing_by_account(tx: Tx, holding: Holding, division: Division, notices: Iterable[Notice]) -> dict[int, int]:
    """What corrections have yet to debit (+) and credit (−) each account: what they come to, less what they did."""
    wallet = holding.wallet(tx)
    missing: dict[int, int] = defaultdict(int, {wallet: 0})
    for role, mills in zip(chart.CHARGE_ROLES, division.roles, strict=True):
        missing[chart.account_id(tx, role)] -= mills
    missing[chart.account_id(tx, chart.WAIVED)] += division.bearers.get((WAIVED, 0), 0)
    for notice in notices:
        borne_mills = bearable_mills(tx, holding, notice) if notice.kind == WALLET else 0
        missing[wallet] += borne_mills
        missing[chart.account_id(tx, chart.receivable_code(notice.contract_id))] += notice.total_mills - borne_mills
    for account, mills in posted_by_account(tx, holding).items():
        (class_,) = tx.cursor.execute("SELECT class_ FROM account WHERE id = ?", (account,)).fetchone()
        missing[wallet if class_ in _OF_WALLETS else account] -= mills
    return missing


def unposted(tx: Tx, holding: Holding, division: Division) -> dict[str, int]:
    """The same by name, the holders' wallet and receivables taken together: which of them bears a part is a matter of
    time (notices.py), that somebody does is not. Empty when all is posted."""
    notices = [Notice(kind, holder, mills, 0) for (kind, holder), mills in division.bearers.items() if kind != WAIVED]
    missing: dict[str, int] = defaultdict(int)
    for account, mills in missing_by_account(tx, holding, division, notices).items():
        (class_,) = tx.cursor.execute("SELECT class_ FROM account WHERE id = ?", (account,)).fetchone()
        missing["holders" if class_ in (*_OF_WALLETS, chart.RECEIVABLE) else class_] += mills
    return {name: mills for name, mills in missing.items() if mills}


def posted_by_account(tx: Tx, holding: Holding) -> dict[int, int]:
    """What rating corrections have debited (+) and credited (−) each account of this meter so far."""
    rows = tx.cursor.execute(
        "SELECT t.debit_account, t.credit_account, t.amount_mills FROM transfer t JOIN entry e ON e.id = t.entry_id "
        "WHERE e.meter_id = ? AND e.generation = ? AND e.kind = 'rating'",
        (holding.meter_id, holding.generation),
    )
    posted: dict[int, int] = defaultdict(int)
    for debit_account, credit_account, amount_mills in rows.fetchall():
        posted[debit_account] += amount_mills
        posted[credit_account] -= amount_mills
    return posted


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


def _announce(tx: Tx, holding: Holding, notice: Notice) -> None:
    """Record a notice if anything changed; the meter is listed for the day on which a rise is due."""
    due_us = announce(tx, holding, notice)
    if due_us is not None:
        values = (holding.meter_id, due_us)
        tx.cursor.execute("INSERT OR IGNORE INTO rating_work (meter_id, due_us) VALUES (?, ?)", values)


def _corrections(tx: Tx, holding: Holding) -> int:
    row = tx.cursor.execute(
        "SELECT count(*) FROM entry WHERE meter_id = ? AND generation = ? AND kind = 'rating'",
        (holding.meter_id, holding.generation),
    ).fetchone()
    return int(row[0])
