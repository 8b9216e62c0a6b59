"""A reading for people: names, units and words instead of numbers, in English or French."""

from __future__ import annotations

import time
from typing import Any

from protocol.rules.calendar import slot_start
from protocol.wire.messages import VALVE_CLOSED, VALVE_FAULT, VALVE_MOVING, VALVE_OPEN

from .fields import FIELDS, Field
from .texts import LANGUAGES

_VALVE = {
    VALVE_OPEN: ("open", "ouverte"),
    VALVE_CLOSED: ("closed", "fermée"),
    VALVE_MOVING: ("moving", "en mouvement"),
    VALVE_FAULT: ("stuck", "bloquée"),
}
UNKNOWN, PASSES, HOLDS = 0, 1, 2
_FLOW = {
    UNKNOWN: ("nobody can say", "on ne peut pas dire"),
    PASSES: ("water passes", "l’eau passe"),
    HOLDS: ("it holds", "elle tient"),
}
_MODE = {
    0: ("meter", "compteur"),
    1: ("safe mode, silent", "mode sûr, muet"),
    2: ("safe mode, telling the headend", "mode sûr, le dit à la tête de réseau"),
    3: ("never provisioned", "jamais mis en service"),
}
# Bits of "alarms" (docs/SPEC.md, Appendix B).
ALARMS = (
    ("leak", "fuite"),
    ("burst", "rupture"),
    ("tampering", "effraction"),
    ("low battery", "pile faible"),
    ("blocked", "bouché"),
    ("battery at its last reserve", "dernière réserve de pile"),
    ("flash lost", "flash perdue"),
    ("backflow", "retour d’eau"),
)


def lines(values: dict[str, Any], lang: str) -> list[str]:
    """One line for each value, aligned."""
    at = LANGUAGES.index(lang)
    known = [field for field in FIELDS if field.name in values]
    width = max((len((field.en, field.fr)[at]) for field in known), default=0)
    return [f"{(field.en, field.fr)[at]:<{width}}  {text_of(field, values[field.name], lang)}" for field in known]


def shown(name: str, value: Any, lang: str) -> str:
    """One value by its name."""
    return text_of(next(field for field in FIELDS if field.name == name), value, lang)


def text_of(field: Field, value: Any, lang: str) -> str:
    """One value with its unit."""
    at = LANGUAGES.index(lang)
    if value is None:
        return "-"
    if not isinstance(value, int):
        return str(value)
    words = {"valve": _VALVE, "flow": _FLOW, "mode": _MODE}.get(field.unit)
    if words is not None:
        return words[value][at] if value in words else str(value)
    special = {"mills": money, "time": instant, "slot": _slot}.get(field.unit)
    if special is not None:
        return special(value)
    if field.unit == "yes":
        return (("no", "yes"), ("non", "oui"))[at][bool(value)]
    if field.unit == "alarms":
        return alarms(value, lang)
    if field.unit == "reason":
        return _reason(value, lang)
    unit = "demi-heures" if field.unit == "half-hours" and lang == "fr" else field.unit
    return f"{value} {unit}".rstrip()


def money(mills: int) -> str:
    """Units of the currency, with three places."""
    whole, rest = divmod(abs(mills), 1000)
    return f"{'-' if mills < 0 else ''}{whole}.{rest:03}"


def instant(unix_s: int) -> str:
    """UTC, which is what a meter keeps."""
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(unix_s)) if 0 <= unix_s < 1 << 33 else str(unix_s)


def _slot(slot: int) -> str:
    return f"{slot} ({instant(slot_start(slot))[:16]} UTC)"


def alarms(bits: int, lang: str) -> str:
    """The names of the alarms that stand, or none."""
    at = LANGUAGES.index(lang)
    named = [names[at] for bit, names in enumerate(ALARMS) if bits >> bit & 1]
    return ", ".join(named) or ("none", "aucune")[at]


def _reason(code: int, lang: str) -> str:
    from protocol.rules import reasons

    return reasons.sentence(code, lang) if code in reasons.SENTENCES else str(code)
