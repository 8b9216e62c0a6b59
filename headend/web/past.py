"""What happened before this start, from the books: payments credited and what meters reported, as story lines."""

from sqlalchemy import Connection, text

from headend.ledger.payments import MILLS_PER_MINOR_UNIT
from headend.web.facts import events_after, last_event
from headend.web.meter_events import told
from headend.web.story import MONEY, Told
from headend.web.texts import currency_label, money

LINES_MAX = 60


def past(connection: Connection) -> list[Told]:
    """The last lines by time, oldest first."""
    events = [told(event) for event in events_after(connection, last_event(connection) - LINES_MAX)]
    lines = sorted([*_payments(connection)[::-1], *events], key=lambda line: line.at_unix_s)
    return lines[-LINES_MAX:]


def credited(
    at_unix_s: int,
    who: str,
    provider: str,
    amount_minor: int,
    currency: str,
    exponent: int,
    statement_number: int | None,
) -> Told:
    """A payment that reached a meter, as a line in both languages."""
    label = currency_label(currency)
    amount_fr, amount_en = (f"{money(amount_minor, exponent, language)} {label}" for language in ("fr", "en"))
    what_fr = f"a payé {amount_fr} par {provider} ; le relevé n° {statement_number} part vers le compteur."
    what_en = f"paid {amount_en} through {provider}; statement no. {statement_number} is on its way."
    return Told(at_unix_s, who, who, what_fr, what_en, MONEY)


def _payments(connection: Connection) -> list[Told]:
    query = text(
        "SELECT b.committed_us, p.provider, p.amount_mills, p.currency, u.exponent, s.number, sp.label FROM payment p "
        "JOIN utility u JOIN batch b ON b.id = p.batch_id JOIN statement s ON s.entry_id = p.entry_id "
        "JOIN contract c ON c.id = (SELECT v.contract_id FROM served v WHERE v.meter_id = p.meter_id "
        "ORDER BY v.start_slot DESC LIMIT 1) "
        "JOIN service_point sp ON sp.id = c.service_point_id ORDER BY p.id DESC LIMIT :limit"
    )
    return [
        credited(
            row.committed_us // 1_000_000,
            row.label,
            row.provider,
            row.amount_mills // MILLS_PER_MINOR_UNIT,
            row.currency,
            row.exponent,
            row.number,
        )
        for row in connection.execute(query, {"limit": LINES_MAX})
    ]
