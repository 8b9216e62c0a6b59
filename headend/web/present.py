"""From facts to words: the page's values in one language."""

from headend.api.local_time import local_unix_s
from headend.api.shapes import instant
from headend.web import texts
from headend.web.facts import ALARM_BITS, LOW_CREDIT, VALVES, Facts, HomeFacts
from headend.web.story import Numbered
from headend.web.view import DAY_SLOTS, Books, Home, Line, Now, Totals, bars_path, gap_count, gaps_path
from protocol.rules import reason_codes, reasons
from protocol.rules.calendar import date_of_day, local_day, slot_of

_MILLS_PER_MINOR = 1000


def home(facts: Facts, one: HomeFacts, language: str) -> Home:
    """One card."""
    status = one.status or 0
    valve = "unknown" if one.status is None else VALVES[status & 3]
    return Home(
        meter_id=one.meter_id.hex(),
        name=one.name,
        valve=valve,
        reason=texts.unbroken(_reason(one, language)),
        # Rounded down, as a payout would be: the page never promises more than there is.
        balance_minor=one.balance_mills // _MILLS_PER_MINOR,
        low_credit=bool(status & LOW_CREDIT),
        on_its_way=one.statement_number != one.statement_echo,
        disagrees=one.open_cases > 0,
        litres_today=_litres_today(facts, one),
        gap_count=gap_count(one.recent, one.before),
        bars_path=bars_path(one.recent),
        gaps_path=gaps_path(one.recent, one.before),
        midnight=DAY_SLOTS - facts.today,
        seen=_seen(facts, one.heard_unix_s, language),
        tariff=texts.TEXTS[language]["number_n"].format(n=one.pack_version) if one.pack_version else "–",
        alarms=(*(("flash_lost",) if one.flash_lost else ()), *(n for n, bit in ALARM_BITS.items() if status & bit)),
    )


def totals(facts: Facts) -> Totals:
    """The four figures."""
    return Totals(
        homes=len(facts.homes),
        with_water=sum(1 for one in facts.homes if one.status is not None and VALVES[one.status & 3] == "open"),
        credit_minor=sum(one.balance_mills for one in facts.homes) // _MILLS_PER_MINOR,
        litres_today=sum(_litres_today(facts, one) for one in facts.homes),
        paid_today_minor=facts.paid_today_mills // _MILLS_PER_MINOR,
    )


def books(facts: Facts, balanced: bool, chain_ok: bool) -> Books:
    """The books line; a meter with an open case does not agree."""
    agreeing = sum(1 for one in facts.homes if one.open_cases == 0)
    return Books(facts.entries, balanced, chain_ok, agreeing, len(facts.homes))


def now(facts: Facts, language: str, simulated: bool) -> Now:
    """The headend's time, local."""
    local = local_unix_s(facts.now_unix_s, facts.offsets)
    year, month, day = date_of_day(local_day(slot_of(facts.now_unix_s), facts.offsets))
    date = texts.date(year, month, day, language)
    return Now(instant(facts.now_unix_s), texts.weekday(local, language), date, texts.clock_time(local), simulated)


def line(facts: Facts, numbered: Numbered, language: str) -> Line:
    """One line of the story."""
    told = numbered.told
    local = local_unix_s(told.at_unix_s, facts.offsets)
    who, what = (told.who_fr, told.what_fr) if language == "fr" else (told.who_en, told.what_en)
    at_text = texts.day_and_time(local, language)
    return Line(numbered.number, instant(told.at_unix_s), at_text, who, texts.unbroken(what), told.tone)


def _litres_today(facts: Facts, one: HomeFacts) -> int:
    return sum(litres for litres in one.recent[DAY_SLOTS - facts.today :] if litres is not None)


def _reason(one: HomeFacts, language: str) -> str:
    """Why the valve stands so. The meter tells it when the valve moves; what happened since shows in the balance."""
    if one.status is None:
        return texts.TEXTS[language]["no_news"]
    valve = VALVES[one.status & 3]
    if valve == "open" and one.balance_mills > 0:
        return reasons.sentence(reason_codes.CREDIT, language)
    fitting = {"open": reason_codes.OPEN_REASONS, "closed": reason_codes.CLOSED_REASONS}.get(valve, ())
    if one.reason in fitting and one.reason != reason_codes.CREDIT:
        return reasons.sentence(one.reason, language)
    return texts.TEXTS[language]["why_" + valve]


def _seen(facts: Facts, unix_s: int | None, language: str) -> str:
    if unix_s is None:
        return texts.TEXTS[language]["never"]
    local = local_unix_s(unix_s, facts.offsets)
    is_today = local // 86400 == local_unix_s(facts.now_unix_s, facts.offsets) // 86400
    return texts.clock_time(local) if is_today else texts.day_and_time(local, language)
