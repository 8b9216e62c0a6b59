"""Printed tariffs as JSON: what a person publishes and the books keep, word for word, and the record it stands for.

`{"blocks": [[10000, 127], [40000, 279], [0, 448]], "utc_offset_minutes": 60}` is Niger 2006; every other member has a
default. Amounts are whole numbers or texts ("412.34"), in minor units; a JSON number with a point is refused.
"""

import json
from collections.abc import Mapping
from typing import Any

from headend.billing.compile import PrintedBlock, PrintedTariff, Tax
from headend.refusals import Code, Refused
from protocol.rules.calendar import Offsets

_AMOUNTS = ("minimum", "sewer_percent", "sewer_per_m3", "levy_per_m3", "standing_day", "standing_month")
_MEMBERS = {"blocks", "utc_offset_minutes", "transitions", "tax1", "tax2", *_AMOUNTS}
TEXT_MAX = 10_000


def canonical(printed: Mapping[str, Any]) -> str:
    """The text under which a printed tariff is kept: members sorted, no blanks. Raises Refused."""
    try:
        text = json.dumps(printed, sort_keys=True, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError):
        raise Refused(Code.TARIFF_PRINTED, "printed", "not JSON") from None
    if len(text) > TEXT_MAX:
        raise Refused(Code.TARIFF_PRINTED, "printed", f"longer than {TEXT_MAX} characters")
    return text


def parse(text: str, households: int) -> PrintedTariff:
    """The record of a canonical text for a tap of so many households. Raises Refused, naming the member."""
    printed = json.loads(text)
    if not isinstance(printed, dict):
        raise Refused(Code.TARIFF_PRINTED, "printed", "not an object")
    unknown = sorted(printed.keys() - _MEMBERS)
    if unknown:
        raise Refused(Code.TARIFF_PRINTED, unknown[0], "no such member")
    return PrintedTariff(
        blocks=tuple(PrintedBlock(upto_l, price) for upto_l, price in _pairs(printed, "blocks")),
        offsets=Offsets(_whole(printed.get("utc_offset_minutes", 0), "utc_offset_minutes"), _transitions(printed)),
        households=households,
        tax1=_tax(printed, "tax1"),
        tax2=_tax(printed, "tax2"),
        **{name: printed[name] for name in _AMOUNTS if name in printed},
    )


def _whole(value: Any, field: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise Refused(Code.TARIFF_PRINTED, field, "not a whole number")
    return value


def _pairs(printed: Mapping[str, Any], field: str) -> list[tuple[int, Any]]:
    """A list of pairs whose first is a whole number."""
    pairs = printed.get(field, [])
    if not isinstance(pairs, list) or not all(isinstance(pair, list) and len(pair) == 2 for pair in pairs):
        raise Refused(Code.TARIFF_PRINTED, field, "not a list of pairs")
    return [(_whole(first, field), second) for first, second in pairs]


def _transitions(printed: Mapping[str, Any]) -> tuple[tuple[int, int], ...]:
    return tuple((slot, _whole(minutes, "transitions")) for slot, minutes in _pairs(printed, "transitions"))


def _tax(printed: Mapping[str, Any], field: str) -> Tax | None:
    tax = printed.get(field)
    if tax is None:
        return None
    if not isinstance(tax, dict) or set(tax) != {"percent", "roles"} or not isinstance(tax["roles"], list):
        raise Refused(Code.TARIFF_PRINTED, field, 'not {"percent": …, "roles": […]}')
    return Tax(tax["percent"], frozenset(map(str, tax["roles"])))
