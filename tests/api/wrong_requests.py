"""Wrong requests, made from the OpenAPI document: what each field must not be, for every operation there is.

Nothing here knows an endpoint. An operation that is added is tried like the others, with a valid request made from its
schema and one thing wrong at a time.
"""

import json
import re
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from functools import lru_cache
from re import _constants as constants  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any
from urllib.parse import quote

from jsonschema import Draft202012Validator

JSON = "application/json"
METHODS = ("get", "put", "post", "patch", "delete")
VALUES = (None, True, 1.5, 10**30, [], {}, "", "\u0000", "no such word", "x" * 201)


@dataclass(frozen=True)
class Asked:
    """A request as it goes out; `place` is the pointer of the one field that is wrong, None where no field is."""

    what: str
    code: str
    place: str | None
    path: str
    raw: bytes | None
    content_type: str | None = None  # that of the operation
    idempotency_key: str | None = "a-key-of-our-own"


@dataclass(frozen=True)
class Operation:
    """One method of one address of the document, its schemas resolved."""

    method: str
    address: str
    parameters: tuple[dict[str, Any], ...]
    body: dict[str, Any] | None
    security: str
    codes: str
    media_type: str = JSON

    @property
    def name(self) -> str:
        return f"{self.method.upper()} {self.address}"

    def of(self, place: str) -> list[dict[str, Any]]:
        return [parameter for parameter in self.parameters if parameter["in"] == place]


def operations(document: dict[str, Any]) -> list[Operation]:
    """Every operation; `codes` are the words of its refusals."""
    return [
        Operation(
            method,
            address,
            tuple(resolved(spec.get("parameters", []), document)),
            _body(spec, document),
            next(iter(spec["security"][0]), "") if spec["security"] else "",
            " ".join(answer["description"] for answer in spec["responses"].values()),
            next(iter(spec["requestBody"]["content"])) if "requestBody" in spec else JSON,
        )
        for address, methods in sorted(document["paths"].items())
        for method, spec in methods.items()
        if method in METHODS
    ]


def _body(spec: dict[str, Any], document: dict[str, Any]) -> dict[str, Any] | None:
    if "requestBody" not in spec or JSON not in spec["requestBody"]["content"]:
        return None
    schema: dict[str, Any] = resolved(spec["requestBody"]["content"][JSON]["schema"], document)
    return schema


def resolved(node: Any, document: dict[str, Any]) -> Any:
    """The schema with every `$ref` put in its place."""
    if isinstance(node, dict):
        if "$ref" in node:
            return resolved(document["components"]["schemas"][node["$ref"].rpartition("/")[2]], document)
        return {name: resolved(value, document) for name, value in node.items()}
    return [resolved(value, document) for value in node] if isinstance(node, list) else node


# ---- what is valid -------------------------------------------------------------------------------------------------


@lru_cache
def text_like(pattern: str) -> str:
    """A simple text that a pattern lets pass: of each choice the first, of each repetition the fewest."""
    text = "".join(_shortest(parser.parse(pattern)))
    assert re.search(pattern, text), f"give an example for the pattern {pattern}"
    return text


def _shortest(parsed: Any) -> Iterator[str]:
    for kind, what in parsed:
        if kind is constants.LITERAL:
            yield chr(what)
        elif kind is constants.IN:
            yield _first_of(what)
        elif kind in (constants.MAX_REPEAT, constants.MIN_REPEAT):
            yield from [*_shortest(what[2])] * what[0]
        elif kind is constants.SUBPATTERN:
            yield from _shortest(what[3])
        elif kind is constants.BRANCH:
            yield from _shortest(what[1][0])


def _first_of(choices: Any) -> str:
    kind, what = choices[0]
    if kind is constants.NEGATE:
        return "a"
    return chr(what[0] if kind is constants.RANGE else what)


def valid(schema: dict[str, Any]) -> Any:
    """A value that the schema lets pass, with every field that it names."""
    if "examples" in schema:
        return schema["examples"][0]
    if "enum" in schema:
        return schema["enum"][0]
    if "anyOf" in schema:
        return valid(next(one for one in schema["anyOf"] if one.get("type") != "null"))
    if schema["type"] == "object":
        return {name: valid(field) for name, field in schema.get("properties", {}).items()}
    if schema["type"] == "array":
        return [valid(schema["items"])] * max(1, schema.get("minItems", 0))
    if schema["type"] == "integer":
        return max(schema.get("minimum", 1), 1) if schema.get("maximum", 1) >= 1 else schema["maximum"]
    if schema["type"] == "boolean":
        return False
    return text_like(schema["pattern"]) if "pattern" in schema else "x"


def limits_missing(schema: dict[str, Any], place: str = "") -> Iterator[str]:
    """Fields whose type has no bound: any number, a text or a list of any length."""
    for one in schema.get("anyOf", ()):
        yield from limits_missing(one, place)
    kind = schema.get("type")
    if kind == "integer" and not {"minimum", "maximum"} <= schema.keys():
        yield place
    if kind == "string" and not _bounded(schema):
        yield place
    if kind == "array":
        if "maxItems" not in schema:
            yield place
        yield from limits_missing(schema["items"], place + "/0")
    for name, field in schema.get("properties", {}).items():
        yield from limits_missing(field, f"{place}/{name}")
    if isinstance(schema.get("additionalProperties"), dict):
        # An object of names that are not foreseen, as the values of a step.
        if "maxProperties" not in schema or not _bounded(schema.get("propertyNames", {})):
            yield place
        yield from limits_missing(schema["additionalProperties"], place + "/*")


def _bounded(schema: dict[str, Any]) -> bool:
    pattern = re.sub(r"\(\?[=!].*?\)|\[[^\]]*\]", "c", schema.get("pattern", "*"))
    return "maxLength" in schema or "enum" in schema or not re.search(r"(?<!\\)[*+]|,\}", pattern)


# ---- what is wrong -------------------------------------------------------------------------------------------------


def wrong_values(schema: dict[str, Any], good: Any) -> Iterator[tuple[str, Any]]:
    """(what is wrong, a value) for one field: of everything that is at hand, what its schema does not let pass."""
    check = Draft202012Validator(schema)
    pool = [*VALUES, *_beyond(schema)]
    if isinstance(good, str):
        pool.append(good + "\n")
    if isinstance(good, list):
        pool += [good * (schema.get("maxItems", 0) + 1), [*good, None]]
    for value in pool:
        if not check.is_valid(value):
            yield repr(value)[:40], value
    if schema.get("format") == "date-time":
        for value in ("tomorrow", "2026-11-22", "2026-11-22T07:30:00", "1999-11-22T07:30:00Z"):
            yield value, value


def _beyond(schema: dict[str, Any]) -> Iterator[Any]:
    for one in (schema, *schema.get("anyOf", ())):
        if "minimum" in one:
            yield one["minimum"] - 1
        if "maximum" in one:
            yield one["maximum"] + 1
        if "maxLength" in one:
            yield "x" * (one["maxLength"] + 1)


def wrong_bodies(schema: dict[str, Any], whole: Any, place: str = "") -> Iterator[tuple[str, str, bytes]]:
    """(what, pointer, body): each field of the body wrong once, all others as they should be."""
    good = _at(whole, place)
    for what, value in wrong_values(schema, good):
        yield what, place, _encoded(_with(whole, place, value))
    # An object that may be null is looked into all the same.
    shape = next((one for one in schema.get("anyOf", ()) if one.get("type") == "object"), schema)
    if shape.get("type") == "array":
        yield from wrong_bodies(shape["items"], whole, f"{place}/0")
    if shape.get("type") != "object":
        return
    for name, field in shape.get("properties", {}).items():
        rest = {other: value for other, value in good.items() if other != name}
        if name in shape.get("required", ()):
            yield f"no {name}", f"{place}/{name}", _encoded(_with(whole, place, rest))
        twice = json.dumps(good)[:-1] + f", {json.dumps(name)}: {json.dumps(good[name])}}}"
        yield f"{name} twice", f"{place}/{name}", _encoded(_with(whole, place, "@")).replace(b'"@"', twice.encode())
        yield from wrong_bodies(field, whole, f"{place}/{name}")
    if shape.get("additionalProperties") is False:
        more = {**good, "of_another_release": 1}
        yield "one field more", f"{place}/of_another_release", _encoded(_with(whole, place, more))


def _encoded(value: Any) -> bytes:
    return json.dumps(value).encode()


def _steps(place: str) -> list[str | int]:
    return [int(step) if step.isdigit() else step for step in place.split("/")[1:]]


def _at(whole: Any, place: str) -> Any:
    for step in _steps(place):
        whole = whole[step]
    return whole


def _with(whole: Any, place: str, value: Any) -> Any:
    """A copy of `whole` with another value at the pointer."""
    steps = _steps(place)
    if not steps:
        return value
    changed = deepcopy(whole)
    _at(changed, place.rpartition("/")[0])[steps[-1]] = value
    return changed


# ---- whole requests ------------------------------------------------------------------------------------------------


def path_of(operation: Operation, **changes: str) -> str:
    """The address with a valid value for each parameter in it, unless `changes` gives another text."""
    path = operation.address
    for parameter in operation.of("path"):
        name = parameter["name"]
        path = path.replace("{" + name + "}", quote(changes.get(name, str(valid(parameter["schema"]))), safe=""))
    return path


def query_of(operation: Operation) -> dict[str, str]:
    """A valid value for each parameter that the address needs."""
    return {one["name"]: str(valid(one["schema"])) for one in operation.of("query") if one["required"]}


def wrong_requests(operation: Operation) -> Iterator[Asked]:
    """Every wrong request of one operation."""
    raw = None if operation.body is None else _encoded(valid(operation.body))
    if operation.media_type != JSON:
        raw = b"a file"
    yield from _wrong_paths(operation, raw)
    if "`invalid_query`" in operation.codes:
        yield from _wrong_queries(operation, raw)
    path = _asked_path(operation, query_of(operation))
    if raw is not None:
        yield Asked("text", "unsupported_media_type", None, path, raw, content_type="text/plain")
        yield Asked("large", "body_too_large", None, path, b" " * (5 * 2**20))
    if operation.body is not None and "`invalid_body`" in operation.codes:
        for broken in (b"", b"{", b"\xff", b'{"a": NaN}', b"[" * 5_000, b"{} {}"):
            yield Asked(repr(broken[:10]), "malformed_json", None, path, broken)
        for what, place, body in wrong_bodies(operation.body, valid(operation.body)):
            yield Asked(what, "invalid_body", place, path, body)
    if operation.of("header") and operation.security == "apiKey":
        for key in (None, "", "short", "x" * 65, "with blank", "accentué1"):
            yield Asked(f"key {key}", "idempotency_key_missing", None, path, raw, idempotency_key=key)


def _wrong_paths(operation: Operation, raw: bytes | None) -> Iterator[Asked]:
    for parameter in operation.of("path"):
        for text in _wrong_texts(parameter["schema"]):
            if text.strip(".") and "/" not in text:
                path = path_of(operation, **{parameter["name"]: text})
                yield Asked(repr(text)[:40], "invalid_path", "?" + parameter["name"], path, raw)


def _wrong_queries(operation: Operation, raw: bytes | None) -> Iterator[Asked]:
    query = query_of(operation)
    if operation.security != "billerSignature":
        yield Asked("unknown", "invalid_query", "?colour", _asked_path(operation, {**query, "colour": "blue"}), raw)
    for parameter in operation.of("query"):
        name, good = parameter["name"], str(valid(parameter["schema"]))
        twice = _asked_path(operation, {**query, name: good}) + f"&{name}={quote(good)}"
        yield Asked(f"{name} twice", "invalid_query", "?" + name, twice, raw)
        if parameter["required"]:
            rest = {other: value for other, value in query.items() if other != name}
            yield Asked(f"no {name}", "invalid_query", "?" + name, _asked_path(operation, rest), raw)
        for text in _wrong_texts(parameter["schema"]):
            path = _asked_path(operation, {**query, name: text})
            yield Asked(repr(text)[:40], "invalid_query", "?" + name, path, raw)


def _wrong_texts(schema: dict[str, Any]) -> list[str]:
    """Texts that are not what an address takes there: a number is its plain digits."""
    good = valid(schema)
    if isinstance(good, int):
        return ["x", "1e1", "", "+1", " 1", "01", "1.0", "true", *(str(beyond) for beyond in _beyond(schema))]
    return [value for _, value in wrong_values(schema, good) if isinstance(value, str)]


def _asked_path(operation: Operation, query: dict[str, str]) -> str:
    text = "&".join(f"{name}={quote(value, safe='')}" for name, value in query.items())
    return path_of(operation) + ("?" + text if text else "")
