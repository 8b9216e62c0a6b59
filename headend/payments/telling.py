"""The story lines of payments: what happened to whose money, in words."""

from headend.api.aftermath import Aftermath
from headend.payments.notify import Answered, Kept
from headend.storage.writer import Tx
from headend.web.story import BAD, MONEY, PLAIN, Told
from headend.web.texts import currency_label, money


def tell_outcome(tx: Tx, kept: Kept, answered: Answered, aftermath: Aftermath) -> None:
    """Add the line for this answer to what follows the commit."""
    answer = answered.answer
    amount_fr, amount_en = _amounts(tx, answer.payment)
    at_unix_s = tx.now_us // 1_000_000
    if answer.outcome == "credited":
        who = _name(tx, answered.meter_id)
        what_fr = (
            f"a payé {amount_fr} par {kept.provider} ; le relevé n° {answer.statement_number} part vers le compteur."
        )
        what_en = f"paid {amount_en} through {kept.provider}; statement no. {answer.statement_number} is on its way."
        aftermath.tell(Told(at_unix_s, who, who, what_fr, what_en, MONEY))
    elif answer.outcome == "duplicate":
        what_fr = f"répète l’avis de paiement {answer.transaction_id} ; rien n’est crédité deux fois."
        what_en = f"repeats payment notice {answer.transaction_id}; nothing is credited twice."
        aftermath.tell(Told(at_unix_s, kept.provider, kept.provider, what_fr, what_en, PLAIN))
    else:
        what_fr = f"annonce {amount_fr} sans compte reconnu ; le montant attend une décision."
        what_en = f"announces {amount_en} for no known account; the money waits for a decision."
        aftermath.tell(Told(at_unix_s, kept.provider, kept.provider, what_fr, what_en, BAD))


def _amounts(tx: Tx, payment_id: int | None) -> tuple[str, str]:
    """The amount in words of both languages; a phrase when it could not be read."""
    row = tx.cursor.execute(
        "SELECT amount_mills / 1000, payment.currency, exponent FROM payment, utility WHERE payment.id = ?",
        (payment_id,),
    ).fetchone()
    if row is None:
        return "un montant illisible", "an unreadable amount"
    amount_minor, currency, exponent = row
    label = currency_label(currency)
    return f"{money(amount_minor, exponent, 'fr')} {label}", f"{money(amount_minor, exponent, 'en')} {label}"


def _name(tx: Tx, meter_id: bytes | None) -> str:
    row = tx.cursor.execute(
        "SELECT p.label FROM contract c JOIN service_point p ON p.id = c.service_point_id WHERE c.meter_id = ? "
        "ORDER BY c.start_slot DESC LIMIT 1",
        (meter_id,),
    ).fetchone()
    return "?" if row is None else str(row[0])
