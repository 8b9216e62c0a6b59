"""What a tariff would change if it were published now, without posting anything (IW-71).

The slots that are posted already are rated under the draft exactly as publishing would rate them, so the answer is what
would then be posted: per meter and in all, by account.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from headend.billing import rating_base
from headend.billing.correct import divide, missing_by_account, notices_of, posted_by_account
from headend.billing.knowledge import knowledge_of
from headend.billing.rerate import rate_again
from headend.billing.tariffs import Draft
from headend.ingest import meter_state
from headend.ledger import chart
from headend.meters.lookup import holding_of_meter, present_holding
from headend.storage.writer import Tx


@dataclass(frozen=True, slots=True)
class Tried:
    """What one meter's correction would move: per class of account mills to debit (+) and to credit (−), summing to 0.

    `announced_mills` of the receivable's part would reach the wallet when its notice is over (SEMANTICS B6).
    """

    meter_id: bytes
    by_class: dict[str, int]
    announced_mills: int


def meters_of(tx: Tx, code: str, after: bytes, limit: int) -> list[bytes]:
    """The meters that a tariff code concerns, by their id."""
    rows = tx.cursor.execute(
        "SELECT DISTINCT v.meter_id FROM contract c JOIN served v ON v.contract_id = c.id WHERE c.tariff_code = ? "
        "AND v.meter_id > ? ORDER BY v.meter_id LIMIT ?",
        (code, after, limit),
    )
    return [meter_id for (meter_id,) in rows.fetchall()]


def try_on_meter(tx: Tx, draft: Draft, meter_id: bytes) -> Tried:
    """What publishing the draft now would post for one meter."""
    state = meter_state.load(tx, meter_id)
    knowledge = knowledge_of(tx, meter_id).with_draft(draft.code, draft.known(tx))
    division = divide(rate_again(tx, state, knowledge, rating_base.load(tx, state, knowledge)))
    holding = holding_of_meter(tx, meter_id)
    notices = notices_of(tx, holding, knowledge, division)
    by_class = _by_class(tx, missing_by_account(tx, holding, division, notices))
    borne_mills = _by_class(tx, posted_by_account(tx, holding))[chart.WALLET]
    wallet_mills = sum(mills for (kind, _), mills in division.bearers.items() if kind == "wallet")
    announced_mills = wallet_mills - borne_mills - by_class[chart.WALLET]
    if present_holding(tx, holding.contract_id) is None:
        by_class[chart.RECEIVABLE] += by_class.pop(chart.WALLET)
    return Tried(meter_id, {name: mills for name, mills in sorted(by_class.items()) if mills}, announced_mills)


def total(tried: Iterable[Tried]) -> dict[str, int]:
    """All of them together, by class of account."""
    sums: dict[str, int] = defaultdict(int)
    for one in tried:
        for name, mills in one.by_class.items():
            sums[name] += mills
    return {name: mills for name, mills in sorted(sums.items()) if mills}


def _by_class(tx: Tx, by_account: dict[int, int]) -> dict[str, int]:
    by_class: dict[str, int] = defaultdict(int)
    for account, mills in by_account.items():
        (class_,) = tx.cursor.execute("SELECT class_ FROM account WHERE id = ?", (account,)).fetchone()
        by_class[class_] += mills
    return by_class
