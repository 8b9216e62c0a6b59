"""The story lines of payments: what happened to whose money, in words."""

from headend.api.aftermath import Aftermath
from headend.payments.notify import Answered, Kept
from headend.storage.writer import Tx
from headend.web.past import credited
from headend.web.story import BAD, PLAIN, Told
from headend.web.texts import currency_label, money


def tell_outcome(tx: Tx, kept: Kept, answered: Answered, aftermath: Aftermath) -> None:
    """Add the line for this answer to what follows the commit."""
    answer, at_unix_s = answered.answer, tx.now_us // 1_000_000
    money_of = _money(tx, answer.payment)
    if answer.outcome == "credited" and money_of is not None:
        who = _name(tx, answered.meter_id)
        aftermath.tell(credited(at_unix_s, who, kept.provider, *money_of, answer.statement_number))
    elif answer.outcome == "duplicate":
        what_fr = f"répète l’avis de paiement {answer.transaction_id} ; rien n’est crédité deux fois."
        what_en = f"repeats payment notice {answer.transaction_id}; nothing is credited twice."
        aftermath.tell(Told(at_unix_s, kept.provider, kept.provider, what_fr, what_en, PLAIN))
    else:
        aftermath.tell(_waiting(at_unix_s, kept.provider, money_of))


def _waiting(at_unix_s: int, provider: str, money_of: tuple[int, str, int] | None) -> Told:
    amount_fr, amount_en = "un montant illisible", "an unreadable amount"
    if money_of is not None:
        amount_minor, currency, exponent = money_of
        amount_fr = f"{money(amount_minor, exponent, 'fr')} {currency_label(currency)}"
        amount_en = f"{money(amount_minor, exponent, 'en')} {currency_label(currency)}"
    what_fr = f"annonce {amount_fr} sans compte reconnu ; le montant attend une décision."
    what_en = f"announces {amount_en} for no known account; the money waits for a decision."
    return Told(at_unix_s, provider, provider, what_fr, what_en, BAD)


def _money(tx: Tx, payment_id: int | None) -> tuple[int, str, int] | None:
    """(minor units, currency, exponent) of a booked payment."""
    row = tx.cursor.execute(
        "SELECT amount_mills / 1000, payment.currency, exponent FROM payment, utility WHERE payment.id = ?",
        (payment_id,),
    ).fetchone()
    return None if row is None else (int(row[0]), str(row[1]), int(row[2]))


def _name(tx: Tx, meter_id: bytes | None) -> str:
    row = tx.cursor.execute(
        "SELECT p.label FROM served v JOIN contract c ON c.id = v.contract_id "
        "JOIN service_point p ON p.id = c.service_point_id WHERE v.meter_id = ? ORDER BY v.start_slot DESC LIMIT 1",
        (meter_id,),
    ).fetchone()
    return "?" if row is None else str(row[0])
