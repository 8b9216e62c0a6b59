"""JSON taken literally: declared fields only, each once, integers as integers.

msgspec refuses `true`, `"1500"`, `1e3` and unknown fields, but keeps the last of two equal keys; two readers of
`{"amount": 1, "amount": 1000}` could then disagree, so duplicates are refused here (RFC 8259 §4 leaves them open).
"""

import json
import re
from collections.abc import Iterable
from typing import Any, TypeVar

import msgspec

from headend.api.problems import Problem

T = TypeVar("T")

_PLACE = re.compile(r"^(.*?)(?: - at `(\$.*)`)?$", re.DOTALL)
_STEP = re.compile(r"\.([^.\[]+)|\[(\d+|\.\.\.)\]")
_FIELD = re.compile(r"field `([^`]+)`")


class _Twice(str):
    """In the place of an object: the key that stands twice in it."""


def decode(raw: bytes, shape: type[T], problem: str = "invalid_body") -> T:
    """The bytes as `shape`; Problem `malformed_json` or `problem` with a pointer to the field."""
    try:
        found = json.loads(raw.decode("utf-8"), object_pairs_hook=_once, parse_constant=_refuse_constant)
        twice = _twice(found, "")
    except (ValueError, RecursionError):
        raise Problem("malformed_json") from None
    if twice is not None:
        raise Problem(problem, (twice,))
    try:
        return msgspec.json.decode(raw, type=shape, strict=True)
    except msgspec.ValidationError as wrong:
        raise Problem(problem, (located(str(wrong)),)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Problem("malformed_json") from None


def located(message: str) -> tuple[str, str]:
    """msgspec's sentence as (JSON pointer, sentence): "… - at `$.blocks[0].price`" → "/blocks/0/price"."""
    found = _PLACE.match(message)
    assert found is not None
    text, place = found.group(1), found.group(2) or "$"
    steps = [name or index for name, index in _STEP.findall(place)]
    named = _FIELD.search(text)
    if named is not None:
        steps.append(named.group(1))
    return "".join("/" + _escaped(step) for step in steps), text


def _escaped(step: str) -> str:
    return step.replace("~", "~0").replace("/", "~1")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any] | _Twice:
    seen = dict(pairs)
    if len(seen) == len(pairs):
        return seen
    left = set(seen)
    for name, _ in pairs:
        if name not in left:
            return _Twice(name[:80])
        left.remove(name)
    raise AssertionError("fewer keys than pairs")


def _twice(found: Any, place: str) -> tuple[str, str] | None:
    """Where a key stands twice, as (JSON pointer, sentence); None if none does."""
    if isinstance(found, _Twice):
        return place + "/" + _escaped(found), f"duplicate field `{found}`"
    inside: Iterable[tuple[Any, Any]] = ()
    if isinstance(found, dict):
        inside = found.items()
    elif isinstance(found, list):
        inside = enumerate(found)
    each = (_twice(value, f"{place}/{_escaped(str(step))}") for step, value in inside)
    return next((place for place in each if place is not None), None)


def _refuse_constant(name: str) -> None:
    raise ValueError(name)
