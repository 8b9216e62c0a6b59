"""What stands in addresses and headers: paths and queries of every endpoint, cursors, instants, languages. Each is read
literally or refused with a pointer (I25). Input: lines; the first byte chooses the shape of the fields `name=value`."""

from functools import cache
from typing import Any

import msgspec

from headend.api.dispatch import from_text
from headend.api.language import LANGUAGES, preferred
from headend.api.problems import Problem
from headend.api.routes import ENDPOINTS
from headend.api.shapes import cursor_of, instant, keys_of, unix_s_of
from tests.fuzz.judge import text_of


@cache
def shapes() -> tuple[Any, ...]:
    """Paths and queries, each once."""
    found = [endpoint.shape(part) for endpoint in ENDPOINTS for part in ("path", "query")]
    return tuple(dict.fromkeys(shape for shape in found if shape is not None))


def seeds() -> list[bytes]:
    fields = [
        bytes([number]) + "\n".join(f"{name}=1" for name in shape.__struct_fields__).encode()
        for number, shape in enumerate(shapes())
    ]
    cursors = [b"\x00cursor=" + cursor_of(*keys).encode() for keys in ((1,), (2, "x"), ("0" * 16, 7))]
    return [*fields, *cursors, b"\x00at=2026-11-22T07:30:00+01:00", b"\x00lang=fr-NE;q=0.8, en;q=1, *;q=0"]


def one(data: bytes) -> None:
    shape, lines = shapes()[sum(data[:1]) % len(shapes())], text_of(data[1:]).split("\n")
    fields = dict(line.partition("=")[::2] for line in lines)
    _read(lambda: from_text(fields, shape, "invalid_query"))
    for value in fields.values():
        for types in ((int,), (int, str), (str, int)):
            keys = _read(lambda value=value, types=types: keys_of(value, *types))
            assert keys is None or keys_of(cursor_of(*keys), *types) == keys
        unix_s = _read(lambda value=value: unix_s_of(value, "/at"))
        assert unix_s is None or unix_s_of(instant(unix_s), "/at") == unix_s
        assert preferred(value) in LANGUAGES


def _read(read: Any) -> Any:
    """What it gives, None where it is refused; the refusal can be told."""
    try:
        return read()
    except Problem as refused:
        for language in LANGUAGES:
            assert msgspec.json.encode(refused.document(language, "0" * 16))
        return None
