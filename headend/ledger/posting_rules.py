"""Posting rules: one function per business event, with the entry it makes.

All amounts are mills: 500 F CFA are 500,000. Accounts in the examples go by their codes; W is the meter's wallet,
`wallet/<meter>/<generation>`. What the meter itself charges (water, standing charges, instalments) is not posted
here but in segments, with the uplink that reports it (headend/ingest/post.py).
"""

from dataclasses import dataclass, replace

from headend.ledger import chart, entries, recovered, statements
from headend.ledger.entries import Entry, Posted, Transfer
from headend.storage.writer import Tx


@dataclass(frozen=True, slots=True)
class Holding:
    """A meter's wallet: which accounts an event of this meter moves."""

    meter_id: bytes
    generation: int
    contract_id: int

    def wallet(self, tx: Tx) -> int:
        return chart.account_id(tx, chart.wallet_code(self.meter_id, self.generation))

    def receivable(self, tx: Tx) -> int:
        return chart.account_id(tx, chart.receivable_code(self.contract_id))


def meter_opened(tx: Tx, holding: Holding) -> None:
    """A meter starts a wallet generation: its wallet, its holder's receivable, statement 0 with C = D = 0. No entry."""
    chart.open_wallet(tx, holding.meter_id, holding.generation)
    if chart.find_account(tx, chart.receivable_code(holding.contract_id)) is None:
        chart.open_receivable(tx, holding.contract_id)
    statements.open_statement(tx, holding.meter_id, holding.generation)


def payment_credited(tx: Tx, key: str, holding: Holding, amount_mills: int, paid_at_us: int, memo: str) -> Posted:
    """A payment reaches a meter. 500 F: debit till 500,000, credit W 500,000; `paid` and C rise by 500,000.

    After a restore, of 300 F that were granted before it: debit till 500,000, credit `recovered` 300,000, W 200,000;
    `paid` rises by 500,000, `recovered` falls by 300,000, C rises by 200,000 (SEMANTICS A5).
    """
    transfers = (Transfer(chart.account_id(tx, chart.TILL), holding.wallet(tx), amount_mills),)
    entry = _of("payment", key, paid_at_us, memo, transfers, holding)
    return _post_perhaps_again(tx, entry, holding, "paid_mills", amount_mills, paid_at_us)


def payment_suspended(tx: Tx, key: str, amount_mills: int, paid_at_us: int, memo: str) -> Posted:
    """A payment matches no customer. 500 F: debit till 500,000, credit suspense 500,000; no statement."""
    transfers = (Transfer(chart.account_id(tx, chart.TILL), chart.account_id(tx, chart.SUSPENSE), amount_mills),)
    return entries.post(tx, Entry("suspense", key, paid_at_us, memo, transfers))


def suspense_resolved(tx: Tx, key: str, holding: Holding, amount_mills: int, paid_at_us: int, memo: str) -> Posted:
    """Someone found whose it is. 500 F: debit suspense 500,000, credit W 500,000; `paid` and C rise by 500,000."""
    transfers = (Transfer(chart.account_id(tx, chart.SUSPENSE), holding.wallet(tx), amount_mills),)
    entry = _of("suspense-resolved", key, tx.now_us, memo, transfers, holding)
    return _post_perhaps_again(tx, entry, holding, "paid_mills", amount_mills, paid_at_us)


def payment_reversed(
    tx: Tx,
    key: str,
    paid_meter_id: bytes,
    holding: Holding,
    payment_entry: int,
    amount_mills: int,
    unspent_mills: int,
    paid_at_us: int,
    memo: str,
) -> Posted:
    """A provider takes a payment back. Of 500 F, 200 F are unspent: debit W 200,000 and receivable 300,000, credit till
    500,000; `reversed` and D rise by 200,000. What the customer used is owed, not a negative wallet (SEMANTICS E2).
    W is that of `holding`, the payer's present one, whichever meter was paid for.
    """
    till = chart.account_id(tx, chart.TILL)
    taken_mills = min(amount_mills, max(0, unspent_mills))
    transfers = []
    if taken_mills:
        transfers.append(Transfer(holding.wallet(tx), till, taken_mills))
    if taken_mills < amount_mills:
        transfers.append(Transfer(holding.receivable(tx), till, amount_mills - taken_mills))
    entry = _of("reversal", key, tx.now_us, memo, tuple(transfers), holding, reverses=payment_entry)
    entry = replace(entry, meter_id=paid_meter_id)
    return _post_perhaps_again(tx, entry, holding, "reversed_mills", taken_mills, paid_at_us)


def debt_recognised(tx: Tx, key: str, holding: Holding, amount_mills: int, memo: str) -> Posted:
    """A debt from before is to be collected by instalments. 2,500 F: debit receivable 2,500,000, credit arrears.

    Each instalment the meter takes then stands in the `debt` column of a segment: debit W 1,000,000, credit receivable.
    """
    transfers = (Transfer(holding.receivable(tx), chart.account_id(tx, chart.ARREARS), amount_mills),)
    return entries.post(tx, _of("debt", key, tx.now_us, memo, transfers, holding))


def instalments_adopted(tx: Tx, key: str, holding: Holding, collected_mills: int, memo: str) -> Posted:
    """R as an ANCHOR told it is not what the books made of the count (SEMANTICS B7). 300 F more: debit W 300,000,
    credit receivable 300,000; 300 F less: the other way round. R is the meter's own counter: no statement.
    """
    wallet, receivable = holding.wallet(tx), holding.receivable(tx)
    if collected_mills < 0:
        wallet, receivable = receivable, wallet
    transfers = (Transfer(wallet, receivable, abs(collected_mills)),)
    return entries.post(tx, _of("instalments", key, tx.now_us, memo, transfers, holding))


def unreported_charged(
    tx: Tx, key: str, holding: Holding, transfers: tuple[Transfer, ...], wallet_mills: int, memo: str
) -> Posted:
    """A register shows more than its meter reported before its wallet closed (SEMANTICS A4). 80 F of water, 50 F in the
    wallet: debit W 50,000 and receivable 30,000, credit water 80,000; `rating_debit` and D rise by 50,000.
    """
    entry = _of("unreported", key, tx.now_us, memo, transfers, holding)
    return _post_and_grant(tx, entry, holding, "rating_debit_mills", wallet_mills)


def remainder_charged(tx: Tx, key: str, holding: Holding, role: str, mills: int) -> Posted:
    """What several wallets of a holder left below a mill comes to one. 0.4 mill in the last wallet, 0.7 in this one:
    debit W 1, credit water 1; `rating_debit` and D rise by 1 (SEMANTICS B3).
    """
    transfers = (Transfer(holding.wallet(tx), chart.account_id(tx, role), mills),)
    entry = _of("remainder", key, tx.now_us, "below a mill, in this wallet and those before it", transfers, holding)
    return _post_and_grant(tx, entry, holding, "rating_debit_mills", mills)


def wallet_closed(tx: Tx, kind: str, key: str, holding: Holding, balance_mills: int, memo: str) -> None:
    """A wallet ends (SEMANTICS A4), by a renewal or a swap (`kind`). 300 F left: debit W 300,000, credit moving
    300,000; `moved_out` and D rise by 300,000. 20 F of emergency credit used: credit W 20,000, debit moving;
    `moved_in` and C rise by 20,000.
    """
    _move(tx, kind, key, holding, chart.account_id(tx, chart.MOVING), -balance_mills, memo)


def wallet_reopened(tx: Tx, kind: str, key: str, holding: Holding, balance_mills: int, memo: str) -> None:
    """The next wallet begins with what the last one ended with; `moving` holds nothing then."""
    _move(tx, kind, key, holding, chart.account_id(tx, chart.MOVING), balance_mills, memo)


def wallet_settled(tx: Tx, key: str, holding: Holding, balance_mills: int, memo: str) -> None:
    """A holder's last meter is taken away. 300 F left: debit W 300,000, credit receivable 300,000; `moved_out` and D
    rise by 300,000: so much less is owed, and below zero it is owed to the holder. 20 F of emergency credit used: debit
    receivable 20,000, credit W; `moved_in` and C rise by 20,000.
    """
    _move(tx, "retirement", key, holding, holding.receivable(tx), -balance_mills, memo)


def _move(tx: Tx, kind: str, key: str, holding: Holding, other: int, into_wallet_mills: int, memo: str) -> None:
    """Between a wallet and another account."""
    wallet = holding.wallet(tx)
    if into_wallet_mills > 0:
        entry = _of(kind, key, tx.now_us, memo, (Transfer(other, wallet, into_wallet_mills),), holding)
        _post_and_grant(tx, entry, holding, "moved_in_mills", into_wallet_mills)
    elif into_wallet_mills < 0:
        entry = _of(kind, key, tx.now_us, memo, (Transfer(wallet, other, -into_wallet_mills),), holding)
        _post_and_grant(tx, entry, holding, "moved_out_mills", -into_wallet_mills)


def debt_forgiven(tx: Tx, key: str, holding: Holding, amount_mills: int, memo: str) -> Posted:
    """A debt is not to be collected any more. 1,500 F of one: debit arrears 1,500,000, credit receivable."""
    transfers = (Transfer(chart.account_id(tx, chart.ARREARS), holding.receivable(tx), amount_mills),)
    return entries.post(tx, _of("debt-forgiven", key, tx.now_us, memo, transfers, holding))


def over_collection_returned(tx: Tx, key: str, holding: Holding, amount_mills: int, memo: str) -> Posted:
    """A meter took an instalment of a plan that was ended. 1,000 F: debit receivable 1,000,000, credit W 1,000,000;
    `moved_in` and C rise by 1,000,000 (SEMANTICS B7).
    """
    transfers = (Transfer(holding.receivable(tx), holding.wallet(tx), amount_mills),)
    entry = _of("over-collected", key, tx.now_us, memo, transfers, holding)
    return _post_perhaps_again(tx, entry, holding, "moved_in_mills", amount_mills)


def rating_corrected(
    tx: Tx,
    key: str,
    rated: Holding,
    bearer: Holding | None,
    transfers: tuple[Transfer, ...],
    wallet_mills: int,
    memo: str,
) -> Posted:
    """Rating again found another amount (SEMANTICS B5); `wallet_mills` is the correction's part that the wallet bears.

    A fall of 40 F found late: debit water 40,000, credit W 40,000; `rating_credit` and C rise by 40,000. A rise of
    40 F under `late = debit`: debit W 40,000, credit water 40,000; `rating_debit` and D rise. Under `waive`, the
    default: debit waived 40,000, credit water 40,000; no statement. Under `debt`: debit receivable instead.
    `rated` is the meter and wallet generation whose slots were rated; W is that of `bearer`, the holder's present one.
    Without one, the receivable takes its place and `wallet_mills` is 0.
    """
    entry = _of("rating", key, tx.now_us, memo, transfers, rated)
    part = "rating_debit_mills" if wallet_mills > 0 else "rating_credit_mills"
    return _post_perhaps_again(tx, entry, rated if bearer is None else bearer, part, abs(wallet_mills))


def credit_recovered(tx: Tx, key: str, holding: Holding, amount_mills: int, memo: str) -> Posted:
    """After a restore C is found 700 F higher, in the high-water file or on the meter: debit recovered 700,000, credit
    W 700,000; `recovered` and C rise by 700,000 (SEMANTICS A5)."""
    transfers = (Transfer(chart.account_id(tx, chart.RECOVERED), holding.wallet(tx), amount_mills),)
    entry = _of("recovered", key, tx.now_us, memo, transfers, holding)
    return _post_and_grant(tx, entry, holding, statements.RECOVERED_C, amount_mills)


def debit_recovered(tx: Tx, key: str, holding: Holding, amount_mills: int, memo: str) -> Posted:
    """The same of D, 40 F higher: debit W 40,000, credit recovered 40,000; `recovered` of D and D rise by 40,000."""
    transfers = (Transfer(holding.wallet(tx), chart.account_id(tx, chart.RECOVERED), amount_mills),)
    entry = _of("recovered", key, tx.now_us, memo, transfers, holding)
    return _post_and_grant(tx, entry, holding, statements.RECOVERED_D, amount_mills)


def _of(
    kind: str,
    key: str,
    effective_us: int,
    memo: str,
    transfers: tuple[Transfer, ...],
    holding: Holding,
    reverses: int | None = None,
) -> Entry:
    return Entry(kind, key, effective_us, memo, transfers, holding.meter_id, holding.generation, reverses)


def _post_and_grant(tx: Tx, entry: Entry, holding: Holding, part: str, amount_mills: int) -> Posted:
    """Post an entry and, if it is new and touches the holding's wallet, raise its C or D by the same amount."""
    posted = entries.post(tx, entry)
    if posted.new and amount_mills:
        statements.grant(tx, holding.meter_id, holding.generation, posted.entry_id, part, amount_mills)
    return posted


def _post_perhaps_again(
    tx: Tx, entry: Entry, holding: Holding, part: str, amount_mills: int, made_us: int = 0
) -> Posted:
    """The same of an event that a restore may have undone: what the meter was given of it already moves no wallet."""
    wallet, account = holding.wallet(tx), chart.find_account(tx, chart.RECOVERED)
    again = None if account is None else entries.repeated(tx, entry, {account: wallet})
    if again is not None or account is None or not amount_mills:
        return again or _post_and_grant(tx, entry, holding, part, amount_mills)
    explained_mills = recovered.explain(tx, holding.meter_id, holding.generation, part, amount_mills, made_us)
    posted = entries.post(tx, replace(entry, transfers=_past(entry.transfers, wallet, account, explained_mills)))
    grant = (posted.entry_id, part, amount_mills, explained_mills)
    statements.grant(tx, holding.meter_id, holding.generation, *grant)
    return posted


def _past(transfers: tuple[Transfer, ...], wallet: int, account: int, mills: int) -> tuple[Transfer, ...]:
    """The transfers with `account` in the wallet's place for the first so many mills."""
    moved: list[Transfer] = []
    for item in transfers:
        past_mills = min(mills, item.amount_mills) if wallet in (item.debit_account, item.credit_account) else 0
        if past_mills:
            debit, credit = (account if side == wallet else side for side in (item.debit_account, item.credit_account))
            moved.append(Transfer(debit, credit, past_mills))
        if past_mills < item.amount_mills:
            moved.append(replace(item, amount_mills=item.amount_mills - past_mills))
        mills -= past_mills
    return tuple(moved)
