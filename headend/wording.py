"""Numbers, money and dates as French and English write them: one place for pages, messages and documents."""

FRENCH = "fr"
ENGLISH = "en"
MILL_DIGITS = 3

_MONTHS = {
    FRENCH: ("janv.", "févr.", "mars", "avr.", "mai", "juin", "juil.", "août", "sept.", "oct.", "nov.", "déc."),
    ENGLISH: ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
}
_THOUSANDS = {FRENCH: "\u202f", ENGLISH: ","}
_DECIMAL = {FRENCH: ",", ENGLISH: "."}
_CURRENCY_LABELS = {"XOF": "F\u00a0CFA", "XAF": "F\u00a0CFA", "KES": "KSh", "TND": "DT", "ZAR": "R"}


def number(value: int, language: str) -> str:
    """An integer with grouped thousands and a true minus sign: 12500 → "12 500" (fr), "12,500" (en)."""
    return ("−" if value < 0 else "") + f"{abs(value):,}".replace(",", _THOUSANDS[language])


def money(amount_minor: int, exponent: int, language: str) -> str:
    """Minor units as the currency is written, without its name: 123456 KES cents → "1,234.56"."""
    whole, fraction = divmod(abs(amount_minor), 10**exponent)
    text = number(whole, language)
    if exponent:
        text += _DECIMAL[language] + str(fraction).zfill(exponent)
    return ("−" if amount_minor < 0 else "") + text


def currency_label(currency: str) -> str:
    """What people call it: XOF → "F CFA"."""
    return _CURRENCY_LABELS.get(currency, currency)


def exact_money(amount_mills: int, exponent: int, language: str, below_mill_digits: int = 0) -> str:
    """Mills as the currency is written, with what is below its minor unit as far as there is any, without its name.

    55,200 mills are "55,2" F CFA in French; 57,750,000 mills are "577.50" KSh, and one mill more "577.50001". With
    `below_mill_digits` 4 the amount is at scale 4.
    """
    digits = exponent + MILL_DIGITS + below_mill_digits
    whole, fraction = divmod(abs(amount_mills), 10**digits)
    written = str(fraction).zfill(digits)
    kept = written[:exponent] + written[exponent:].rstrip("0")
    text = number(whole, language) + (_DECIMAL[language] + kept if kept else "")
    return ("−" if amount_mills < 0 else "") + text


def date(year: int, month: int, day: int, language: str) -> str:
    """A date as "22 nov. 2026"."""
    return f"{day} {_MONTHS[language][month - 1]} {year}"
