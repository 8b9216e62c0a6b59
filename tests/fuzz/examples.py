"""An example of a shape that the API takes, made from its JSON schema: what a search begins with."""

from typing import Any

import msgspec

# A text for each pattern that a schema names; the rest have examples in their schema.
_TEXTS = (
    "x",
    "1",
    "a1",
    "2026-11-22T07:30:00Z",
    "0" * 16,
    "0" * 32,
    "0" * 64,
    "0" * 128,
    "00" * 11,
    "j1",
    "+22790123456",
)


def example_of(shape: Any) -> Any:
    """A value of that shape, or what comes near to it."""
    (schema,), parts = msgspec.json.schema_components([shape], ref_template="#/{name}")
    return _made(schema, parts)


def _made(schema: dict[str, Any], parts: dict[str, Any]) -> Any:
    if "$ref" in schema:
        return _made(parts[schema["$ref"].rpartition("/")[2]], parts)
    for name in ("const", "default"):
        if schema.get(name) is not None:
            return schema[name]
    if schema.get("examples") or schema.get("enum"):
        return (schema.get("examples") or schema["enum"])[0]
    if "anyOf" in schema:
        return _made(schema["anyOf"][0], parts)
    kind = schema.get("type")
    if kind == "object":
        return {name: _made(inner, parts) for name, inner in schema.get("properties", {}).items()}
    if kind == "array":
        return [_made(schema["items"], parts)] if isinstance(schema.get("items"), dict) else []
    if kind == "integer":
        return int(schema.get("minimum", 1)) or 1
    if kind == "boolean":
        return True
    return _text(schema) if kind == "string" else None


def _text(schema: dict[str, Any]) -> str:
    import re

    pattern = schema.get("pattern")
    return next((text for text in _TEXTS if pattern is None or re.search(pattern, text)), "x")
