"""Notices: what a correction tells the holder, and what it may therefore take from the wallet by now (SEMANTICS B6).

A correction never closes a valve within the notice period of its message. So what the wallet is to bear more is first
the holder's receivable, under a notice; it reaches the wallet when the notice is over. What is given back is at once.
"""

from dataclasses import dataclass

from headend.billing.published import utility_offsets
from headend.ledger.posting_rules import Holding
from headend.storage.writer import Tx
from headend.wording import ENGLISH, FRENCH, currency_label, date, exact_money
from protocol.rules.calendar import SECONDS_PER_DAY, date_of_day, local_day, slot_of

WALLET = "wallet"
DEBT = "debt"

_PRICE_FR = "Le prix de votre eau déjà consommée a été corrigé\u00a0: "
_PRICE_EN = "The price of water you have used was corrected: "
# (kind, whether it is a rise): French, English.
_TEXTS = {
    (WALLET, False): (
        _PRICE_FR + "{amount} vous sont rendus sur votre crédit.",
        _PRICE_EN + "{amount} are given back to your credit.",
    ),
    (WALLET, True): (
        _PRICE_FR + "{amount} de plus. Ils seront pris sur votre crédit le {day}, pas avant.",
        _PRICE_EN + "{amount} more. They are taken from your credit on {day}, not before.",
    ),
    (DEBT, False): (
        _PRICE_FR + "votre dette baisse de {amount}.",
        _PRICE_EN + "your debt falls by {amount}.",
    ),
    (DEBT, True): (
        _PRICE_FR + "{amount} de plus sont ajoutés à votre dette. Votre crédit n’est pas touché.",
        _PRICE_EN + "{amount} more are added to your debt. Your credit is not touched.",
    ),
}


@dataclass(frozen=True, slots=True)
class Notice:
    """What all corrections together take from a holder by now (negative: give), of one kind; and how it is announced.

    `days` is how long a rise of the wallet's part is announced before it is taken.
    """

    kind: str
    contract_id: int
    total_mills: int
    days: int


def announce(tx: Tx, holding: Holding, notice: Notice) -> int | None:
    """Record what changed since the last notice of this kind, with its message.

    Returns when a rise is due, None when nothing has changed or nothing is to wait for.
    """
    before_mills = _announced(tx, holding, notice.kind, notice.contract_id)
    amount_mills = notice.total_mills - before_mills
    if amount_mills == 0:
        return None
    waits = notice.kind == WALLET and amount_mills > 0
    due_us = tx.now_us + (notice.days * SECONDS_PER_DAY * 1_000_000 if waits else 0)
    row = {"meter_id": holding.meter_id, "generation": holding.generation, "contract_id": notice.contract_id}
    row |= {"kind": notice.kind, "amount_mills": amount_mills, "before_mills": before_mills, "due_us": due_us}
    texts = {f"text_{language}": _text(tx, notice, amount_mills, due_us, language) for language in (FRENCH, ENGLISH)}
    tx.append("rating_notice", {**row, **texts})
    return due_us if waits and due_us > tx.now_us else None


def bearable_mills(tx: Tx, holding: Holding, notice: Notice) -> int:
    """What of a total the wallet bears by now: no more than stood before any rise whose notice still runs, or is to.

    30 announced and due, then 20 more: 30 until the 20 are due. 30 announced, 10 of it taken back, 20 more: 20.
    """
    (lowest,) = tx.cursor.execute(
        "SELECT min(before_mills) FROM rating_notice WHERE meter_id = ? AND generation = ? AND kind = ? "
        "AND contract_id = ? AND due_us > ?",
        (holding.meter_id, holding.generation, WALLET, notice.contract_id, tx.now_us),
    ).fetchone()
    caps = [notice.total_mills] if lowest is None else [notice.total_mills, int(lowest)]
    if notice.days:
        caps.append(_announced(tx, holding, WALLET, notice.contract_id))
    return min(caps)


def announced_bearers(tx: Tx, holding: Holding) -> set[tuple[str, int]]:
    """(kind, holder) of every notice of this wallet so far."""
    rows = tx.cursor.execute(
        "SELECT DISTINCT kind, contract_id FROM rating_notice WHERE meter_id = ? AND generation = ?",
        (holding.meter_id, holding.generation),
    )
    return {(kind, contract_id) for kind, contract_id in rows.fetchall()}


def _announced(tx: Tx, holding: Holding, kind: str, contract_id: int) -> int:
    (total,) = tx.cursor.execute(
        "SELECT coalesce(sum(amount_mills), 0) FROM rating_notice WHERE meter_id = ? AND generation = ? "
        "AND kind = ? AND contract_id = ?",
        (holding.meter_id, holding.generation, kind, contract_id),
    ).fetchone()
    return int(total)


def _text(tx: Tx, notice: Notice, amount_mills: int, due_us: int, language: str) -> str:
    currency, exponent = tx.cursor.execute("SELECT currency, exponent FROM utility").fetchone()
    due_day = local_day(slot_of(due_us // 1_000_000), utility_offsets(tx))
    text = _TEXTS[notice.kind, amount_mills > 0][language == ENGLISH]
    amount = f"{exact_money(abs(amount_mills), exponent, language)}\u00a0{currency_label(currency)}"
    return text.format(amount=amount, day=date(*date_of_day(due_day), language))
