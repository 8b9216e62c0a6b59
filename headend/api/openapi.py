"""The OpenAPI 3.1 document, read off the route table: nothing here is written twice.

`python -m headend.api.openapi > docs/openapi.json` renews the committed copy; a test fails when it is stale.
"""

import json
from functools import cache
from typing import Any

import msgspec

from headend.api.endpoint import BY_KEY, BY_SIGNATURE, Endpoint
from headend.api.problem_catalogue import CATALOGUE
from headend.api.problems import MEDIA_TYPE, ProblemDocument

VERSION = "1"
_REF = "#/components/schemas/{name}"
_JSON = "application/json"

_SECURITY = {
    "apiKey": {
        "type": "http",
        "scheme": "bearer",
        "description": "An API key from `guelta key create`, with scopes read, operate, provision, admin, field.",
    },
    "billerSignature": {
        "type": "apiKey",
        "in": "header",
        "name": "webhook-signature",
        "description": "Standard Webhooks: `v1,` + base64 of HMAC-SHA256(secret, webhook-id.webhook-timestamp.body), "
        "± 5 minutes; webhook-id and webhook-timestamp are needed too; several signatures may stand side by side "
        "during a rotation.",
    },
}


def document(endpoints: tuple[Endpoint, ...]) -> dict[str, Any]:
    """The whole document for these rows."""
    shapes = [ProblemDocument]
    for endpoint in endpoints:
        shapes += [shape for part in ("body", "return") if (shape := endpoint.shape(part)) not in (None, bytes)]
    schemas, components = msgspec.json.schema_components(shapes, ref_template=_REF)
    for component in components.values():
        if "description" in component:
            # Python 3.13 takes the indentation off docstrings; the document is the same whatever made it.
            component["description"] = " ".join(component["description"].split())
    by_shape = dict(zip(map(repr, shapes), schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in endpoints:
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint, by_shape)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Guelta headend",
            "version": VERSION,
            "description": "Prepaid water: meters, money, tariffs and books. Money is an integer number of minor units "
            "with its currency; volumes are litres; times are RFC 3339 in UTC. Refusals are problem+json (RFC 9457) "
            "with a stable code.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {"schemas": components, "securitySchemes": _SECURITY},
    }


@cache
def encoded(endpoints: tuple[Endpoint, ...]) -> bytes:
    """The document as stable, readable JSON."""
    return (json.dumps(document(endpoints), ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode()


def _operation(endpoint: Endpoint, by_shape: dict[str, Any]) -> dict[str, Any]:
    parameters = _parameters(endpoint)
    operation: dict[str, Any] = {
        "operationId": endpoint.name,
        "summary": endpoint.summary,
        "tags": [endpoint.tag],
        "parameters": parameters,
        "responses": _responses(endpoint, by_shape),
        "security": _security(endpoint),
    }
    if endpoint.handler.__doc__:
        operation["description"] = " ".join(endpoint.handler.__doc__.split())
    body = endpoint.shape("body")
    if body is not None:
        schema = {"type": "string", "format": "binary"} if body is bytes else by_shape[repr(body)]
        operation["requestBody"] = {"required": True, "content": {endpoint.media_type: {"schema": schema}}}
    return operation


def _security(endpoint: Endpoint) -> list[dict[str, list[str]]]:
    if endpoint.security == BY_KEY:
        return [{"apiKey": [scope]} for scope in endpoint.scopes]
    return [{"billerSignature": []}] if endpoint.security == BY_SIGNATURE else []


def _parameters(endpoint: Endpoint) -> list[dict[str, Any]]:
    parameters = []
    for place, part in (("path", "path"), ("query", "query")):
        shape = endpoint.shape(part)
        if shape is None:
            continue
        [_], components = msgspec.json.schema_components([shape], ref_template=_REF)
        schema = components[shape.__name__]
        for name, field in schema["properties"].items():
            parameters.append(
                {
                    "name": name,
                    "in": place,
                    "required": place == "path" or name in schema.get("required", []),
                    "schema": field,
                }
            )
    if endpoint.writes and not endpoint.by_content:
        pattern = {"type": "string", "pattern": r"^[A-Za-z0-9_-]{8,64}(?![\s\S])"}
        parameters.append({"name": "Idempotency-Key", "in": "header", "required": True, "schema": pattern})
    if endpoint.security == BY_SIGNATURE:
        for name in ("webhook-id", "webhook-timestamp"):
            parameters.append({"name": name, "in": "header", "required": True, "schema": {"type": "string"}})
    return parameters


def _responses(endpoint: Endpoint, by_shape: dict[str, Any]) -> dict[str, Any]:
    success: dict[str, Any] = {
        "description": "Done",
        "content": {_JSON: {"schema": by_shape[repr(endpoint.shape("return"))]}},
    }
    if endpoint.has_etag:
        success["headers"] = {"ETag": {"schema": {"type": "string"}}}
    responses = {str(endpoint.status): success}
    if endpoint.has_etag:
        responses["304"] = {"description": "Not modified"}
    by_status: dict[int, list[str]] = {}
    for code in codes(endpoint):
        by_status.setdefault(CATALOGUE[code].status, []).append(code)
    for status, names in sorted(by_status.items()):
        responses[str(status)] = {
            "description": "; ".join(f"`{name}`: {CATALOGUE[name].title_en}" for name in names),
            "content": {MEDIA_TYPE: {"schema": by_shape[repr(ProblemDocument)]}},
        }
    return responses


def codes(endpoint: Endpoint) -> list[str]:
    """Every refusal this endpoint can answer with."""
    found = ["internal_error", "storage_failing", "storage_full", "stopping"]
    if endpoint.security == BY_KEY:
        found += ["unauthenticated", "scope_missing"]
    if endpoint.security == BY_SIGNATURE:
        found += ["unknown_provider", "signature_missing", "signature_wrong", "signature_stale", "signature_future"]
    if endpoint.shape("path") is not None:
        found.append("invalid_path")
    found.append("invalid_query")
    if endpoint.shape("query") is not None and "cursor" in getattr(endpoint.shape("query"), "__struct_fields__", ()):
        found.append("invalid_cursor")
    if endpoint.shape("body") is not None:
        found += ["body_too_large", "unsupported_media_type"]
    if endpoint.shape("body") not in (None, bytes) and not endpoint.takes_any_body:
        found += ["malformed_json", "invalid_body"]
    if endpoint.writes and not endpoint.by_content:
        found += ["idempotency_key_missing", "idempotency_key_reused"]
    return [*found, *endpoint.refusals]


def main() -> None:
    """Print the document."""
    import sys

    from headend.api.routes import ENDPOINTS

    sys.stdout.buffer.write(encoded(ENDPOINTS))


if __name__ == "__main__":
    main()
