"""Bodies of REST, each with every shape that an endpoint takes: taken literally or refused with a pointer, told in both
languages; what is taken and written again is taken to mean the same (I25). The first byte chooses the shape."""

import json
from functools import cache
from typing import Any

import msgspec

from headend.api import strict_json
from headend.api.problems import Problem
from headend.api.routes import ENDPOINTS
from tests.fuzz.examples import example_of


@cache
def shapes() -> tuple[Any, ...]:
    """The bodies that are JSON, in the order of the routes, each once."""
    found = [endpoint.shape("body") for endpoint in ENDPOINTS]
    return tuple(dict.fromkeys(shape for shape in found if shape is not None and shape is not bytes))


def seeds() -> list[bytes]:
    good = [bytes([number]) + json.dumps(example_of(shape)).encode() for number, shape in enumerate(shapes())]
    return [
        *good,
        b'\x00{"a": 1, "a": 2}',
        b'\x01{"\\ud800": 1, "\\ud800": 2}',
        b"\x02[[[[1]]]]",
        b"\x03\xff",
        b"\x041e9",
    ]


def one(data: bytes) -> None:
    shape = shapes()[sum(data[:1]) % len(shapes())]
    try:
        body = strict_json.decode(data[1:], shape)
    except Problem as refused:
        for language in ("en", "fr"):
            document = msgspec.json.encode(refused.document(language, "0" * 16))
            assert msgspec.json.decode(document)["code"] == refused.code
        return
    again = msgspec.json.encode(body)
    assert strict_json.decode(again, shape) == body
