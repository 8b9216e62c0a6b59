"""Types that endpoints share. Every pattern ends with `(?![\\s\\S])`: `$` lets a trailing line feed pass."""

import base64
import binascii
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from headend.api.problems import Problem

INTEGER_MAX = 2**53 - 1
MINOR_MAX = 10**12
PAGE_LIMIT_MAX = 500
_UNIX_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

MeterIdText = Annotated[
    str,
    Meta(
        pattern=r"^[0-9a-f]{16}(?![\s\S])",
        description="meter_id: 8 bytes as 16 lower-case hex digits",
        examples=["0000000000000001"],
    ),
]
Label = Annotated[
    str,
    Meta(
        pattern=r"^(?=.*\S)[^\x00-\x1f\x7f-\x9f]{1,80}(?![\s\S])",
        description="1 to 80 characters, not all of them blank, no control characters",
    ),
]
CurrencyCode = Annotated[str, Meta(pattern=r"^[A-Z]{3}(?![\s\S])", description="ISO 4217", examples=["XOF"])]
CustomerNumber = Annotated[
    str,
    Meta(
        pattern=r"^[0-9]{8}(?![\s\S])",
        description="8 digits, the last two check digits (ISO 7064 MOD 97-10)",
        examples=["00000195"],
    ),
]
Litres = Annotated[int, Meta(ge=0, le=INTEGER_MAX)]
Instant = Annotated[
    str,
    Meta(
        max_length=35,
        description="RFC 3339 with an offset, 2020 to 2099",
        examples=["2026-11-22T07:30:00Z"],
        extra_json_schema={"format": "date-time"},
    ),
]
Phone = Annotated[str, Meta(pattern=r"^\+[1-9][0-9]{6,14}(?![\s\S])", description="E.164", examples=["+22790123456"])]
Language = Annotated[str, Meta(pattern=r"^(fr|en)(?![\s\S])")]


class Request(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What comes in: declared fields only."""


class Response(msgspec.Struct, frozen=True):
    """What goes out."""


class Money(Response):
    """An exact amount in minor units of its currency (1 F CFA; 1 Kenyan cent; 1 Tunisian millime)."""

    amount: int
    currency: CurrencyCode


class PageQuery(Request):
    """Keyset paging: follow `next` until it is null."""

    limit: Annotated[int, Meta(ge=1, le=PAGE_LIMIT_MAX)] = 50
    cursor: Annotated[str, Meta(max_length=200)] = ""


def cursor_of(*keys: int | str) -> str:
    """An opaque cursor standing after the row with these keys."""
    return base64.urlsafe_b64encode(msgspec.json.encode(keys)).decode().rstrip("=")


def keys_of(cursor: str, *types: type) -> tuple[Any, ...] | None:
    """The keys that `cursor_of` was given; None for the first page. Problem `invalid_cursor` for anything else."""
    if cursor == "":
        return None
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        raw = base64.b64decode(padded.encode("ascii"), altchars=b"-_", validate=True)
        keys: tuple[Any, ...] = msgspec.json.decode(raw, type=tuple[types], strict=True)  # type: ignore[valid-type]
    except (ValueError, binascii.Error, msgspec.MsgspecError):
        raise Problem("invalid_cursor") from None
    if any(isinstance(key, int) and abs(key) > INTEGER_MAX for key in keys):
        raise Problem("invalid_cursor")
    return keys


def instant(unix_s: int) -> str:
    """Unix seconds as RFC 3339 in UTC: 0 → "1970-01-01T00:00:00Z"."""
    return datetime.fromtimestamp(unix_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def unix_s_of(text: str, pointer: str, problem: str = "invalid_body") -> int:
    """RFC 3339 with an offset, whole seconds, 2020 to 2099, as Unix seconds; else Problem at `pointer`."""
    at_us = _microseconds(text)
    if at_us is None or at_us % 1_000_000:
        expected = "Expected an RFC 3339 time with an offset and whole seconds between 2020 and 2100"
        raise Problem(problem, ((pointer, f"{expected}, as 2026-11-22T07:30:00Z"),))
    return at_us // 1_000_000


def unix_us_of(text: str, pointer: str, problem: str = "invalid_body") -> int:
    """The same with fractions of a second allowed, as Unix microseconds."""
    at_us = _microseconds(text)
    if at_us is None:
        expected = "Expected an RFC 3339 time with an offset between 2020 and 2100"
        raise Problem(problem, ((pointer, f"{expected}, as 2026-11-22T07:30:00.125Z"),))
    return at_us


def _microseconds(text: str) -> int | None:
    try:
        at = datetime.fromisoformat(text) if len(text) <= 35 and "T" in text else None
    except ValueError:
        at = None
    if at is None or at.tzinfo is None or not 2020 <= at.year < 2100:
        return None
    return (at - _UNIX_EPOCH) // timedelta(microseconds=1)
