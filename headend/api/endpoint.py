"""An endpoint is a row of a table: method, path, who may, and a handler whose annotations are the contract.

A handler is an ordinary function. It names what it needs, and the endpoint layer (dispatch.py) hands it over decoded:

    connection  a query-only database connection, on one committed state
    tx          the writer's open transaction, for a row that `writes` (storage/writer.py)
    now_unix_s  the instant of the request by the headend's clock
    caller      who holds the API key
    idempotency_key  the caller's, for the books
    keyring     wraps and unwraps secrets
    aftermath   what is to follow the commit (aftermath.py), for a row that `writes`
    release_key the public key of releases, empty where none is set
    path, query, body   msgspec structs, as annotated; a body annotated `bytes` is a file as it is

It returns a msgspec struct, or raises `Problem`. The OpenAPI document is read off the same rows (openapi.py).
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, get_type_hints

READ = "read"
OPERATE = "operate"
PROVISION = "provision"
ADMIN = "admin"
FIELD = "field"
SCOPES = (READ, OPERATE, PROVISION, ADMIN, FIELD)

BY_KEY = "key"
BY_SIGNATURE = "signature"
OPEN = "open"

BODY_BYTES_MAX = 64 * 1024
IMPORT_BYTES_MAX = 4 * 1024 * 1024

_HANDED_OVER = frozenset(
    {"connection", "tx", "now_unix_s", "caller", "keyring", "aftermath", "idempotency_key", "path", "query", "body"}
    | {"release_key"}
)
JSON = "application/json"
BYTES = "application/octet-stream"


@dataclass(frozen=True)
class Endpoint:
    """One row of the route table. `refusals` are the problem codes of its own, beyond those every endpoint shares.

    `takes_any_body`: whatever stands in the body is kept and answered, never refused for what it says.
    `or_scope`: another scope that is enough. `by_content`: the same request means the same, so it needs no
    Idempotency-Key and its answer is not kept.
    """

    method: str
    path: str
    handler: Callable[..., Any]
    summary: str
    tag: str
    scope: str = READ
    security: str = BY_KEY
    writes: bool = False
    status: int = 200
    refusals: tuple[str, ...] = ()
    has_etag: bool = False
    body_bytes_max: int = BODY_BYTES_MAX
    takes_any_body: bool = False
    or_scope: str | None = None
    by_content: bool = False

    @property
    def scopes(self) -> tuple[str, ...]:
        """Any of these is enough."""
        return (self.scope,) if self.or_scope is None else (self.scope, self.or_scope)

    @property
    def name(self) -> str:
        return self.handler.__name__

    @property
    def media_type(self) -> str:
        """What its body is sent as."""
        return BYTES if self.shape("body") is bytes else JSON

    @property
    def needs(self) -> tuple[str, ...]:
        """What the handler asks for, by parameter name."""
        names = tuple(inspect.signature(self.handler).parameters)
        assert _HANDED_OVER.issuperset(names), (self.path, names)
        return names

    def shape(self, part: str) -> Any:
        """The struct annotated for `path`, `query`, `body` or `return`; None if the handler has none."""
        return get_type_hints(self.handler, include_extras=True).get(part)
