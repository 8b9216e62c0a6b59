"""One request, step by step: who, where, what → the handler → its answer. Nothing reaches a handler undecoded."""

import hashlib
import re
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import msgspec
from aiohttp import web

from headend.api import idempotency, strict_json
from headend.api.aftermath import KEYRING, RELEASE_KEY, Aftermath, carry_out
from headend.api.command_refusals import problem_code
from headend.api.endpoint import JSON, Endpoint
from headend.api.keys import Caller, caller_of
from headend.api.problems import Problem
from headend.api.store import STORE, Store
from headend.refusals import Counted, Refused
from headend.storage.audit import Actor
from headend.storage.writer import Tx

T = TypeVar("T")
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_IDEMPOTENCY_KEY = re.compile(r"^[A-Za-z0-9_-]{8,64}(?![\s\S])")


def serve(endpoint: Endpoint) -> Handler:
    """The aiohttp handler of a key-protected or open row of the route table."""

    async def handle(request: web.Request) -> web.StreamResponse:
        store = request.app[STORE]
        caller = await _admit(endpoint, request, store)
        raw = await body_of(request, endpoint) if endpoint.shape("body") is not None else b""
        given = _decoded(endpoint, request, raw)
        given |= {"caller": caller, "now_unix_s": store.now_unix_s(), "keyring": request.app[KEYRING]}
        given["release_key"] = request.app[RELEASE_KEY]
        if endpoint.writes:
            return answered(endpoint, request, await _write(endpoint, request, store, caller, raw, given))
        try:
            result = await store.read(lambda connection: _call(endpoint, given | {"connection": connection}))
        except Refused as refused:
            raise _problem_of(refused) from None
        return answered(endpoint, request, msgspec.json.encode(result))

    return handle


async def body_of(request: web.Request, endpoint: Endpoint) -> bytes:
    """The raw body of a request to this endpoint."""
    return await read_body(request, endpoint.body_bytes_max, endpoint.media_type)


async def read_json(request: web.Request, limit: int) -> bytes:
    """The raw body of a request that carries JSON."""
    return await read_body(request, limit, JSON)


async def read_body(request: web.Request, limit: int, media_type: str) -> bytes:
    """The raw body: of this media type, uncompressed, bounded before it is read whole."""
    if request.content_type != media_type or request.headers.get("Content-Encoding", "identity") != "identity":
        raise Problem("unsupported_media_type", expected=media_type)
    if (request.content_length or 0) > limit:
        raise Problem("body_too_large", limit=limit)
    raw = bytearray()
    async for chunk in request.content.iter_any():
        raw += chunk
        if len(raw) > limit:
            raise Problem("body_too_large", limit=limit)
    return bytes(raw)


async def _admit(endpoint: Endpoint, request: web.Request, store: Store) -> Caller | None:
    if endpoint.security != "key":
        return None
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    caller = None
    if scheme.lower() == "bearer":
        caller = await store.read(lambda connection: caller_of(connection, token.strip()))
    if caller is None:
        raise Problem("unauthenticated")
    if caller.scopes.isdisjoint(endpoint.scopes):
        raise Problem("scope_missing", scope=endpoint.scope)
    return caller


def _decoded(endpoint: Endpoint, request: web.Request, raw: bytes) -> dict[str, Any]:
    given: dict[str, Any] = {}
    path_shape = endpoint.shape("path")
    if path_shape is not None:
        given["path"] = from_text(dict(request.match_info), path_shape, "invalid_path")
    query_shape = endpoint.shape("query")
    if query_shape is not None:
        given["query"] = from_text(_each_once(request), query_shape, "invalid_query")
    elif request.query_string:
        raise Problem("invalid_query", (("?" + next(iter(request.query), ""), "This address takes no parameters"),))
    body_shape = endpoint.shape("body")
    if body_shape is bytes:
        given["body"] = raw
    elif body_shape is not None:
        given["body"] = strict_json.decode(raw, body_shape)
    return given


def from_text(fields: dict[str, str], shape: type[T], problem: str) -> T:
    """Path or query text as `shape`; a number is its plain digits, all else is as in a body."""
    if any("\ud800" <= letter <= "\udfff" for text in (*fields, *fields.values()) for letter in text):
        raise Problem(problem, (("?", "Expected text in UTF-8"),))  # so the server hands on bytes that are none
    try:
        found = msgspec.convert(fields, shape, strict=False)
    except msgspec.ValidationError as wrong:
        pointer, text = strict_json.located(str(wrong))
        raise Problem(problem, (("?" + pointer[1:], text),)) from None
    for name, given in fields.items():
        value = getattr(found, name)
        # Lax conversion would read "1e1" as ten.
        if isinstance(value, int) and str(value) != given:
            raise Problem(problem, (("?" + name, "Expected `int` as plain digits"),))
    return found


def _each_once(request: web.Request) -> dict[str, str]:
    names = [name for name, _ in request.query.items()]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise Problem("invalid_query", (("?" + twice, f"duplicate field `{twice}`"),))
    return {name: request.query[name] for name in names}


def _call(endpoint: Endpoint, given: dict[str, Any]) -> Any:
    return endpoint.handler(**{name: given[name] for name in endpoint.needs})


async def _write(
    endpoint: Endpoint, request: web.Request, store: Store, caller: Caller | None, raw: bytes, given: dict[str, Any]
) -> bytes:
    """Run the handler in the writer's transaction, once per Idempotency-Key; the same commit stores its answer.

    A `Counted` refusal is told after the commit of what was written before it.
    """
    assert caller is not None
    key = request.headers.get("Idempotency-Key", "")
    if not endpoint.by_content and _IDEMPOTENCY_KEY.match(key) is None:
        raise Problem("idempotency_key_missing")
    digest = hashlib.sha256(b"\n".join((request.method.encode(), request.raw_path.encode(), raw))).digest()

    keyring, aftermath = request.app[KEYRING], Aftermath()
    given = given | {"aftermath": aftermath, "idempotency_key": f"api/{caller.key_id}/{key}"}

    def job(tx: Tx) -> bytes | Counted:
        tx.actor = Actor("key", caller.name, f"{endpoint.method} {endpoint.path}")
        try:
            if endpoint.by_content:
                return msgspec.json.encode(_call(endpoint, given | {"tx": tx}))
            before = idempotency.earlier_answer(tx, keyring, caller.key_id, key, digest)
            if before is not None:
                return before
            answer = msgspec.json.encode(_call(endpoint, given | {"tx": tx}))
        except Counted as refused:
            return refused
        idempotency.remember(tx, keyring, caller.key_id, key, digest, endpoint.status, answer)
        return answer

    try:
        answer = await store.write(job)
    except Refused as refused:
        raise _problem_of(refused) from None
    if isinstance(answer, Counted):
        raise _problem_of(answer)
    carry_out(request.app, aftermath)
    return answer


# Where a command's field has another name in the request. A code is checked before, by its shape.
_NAMES_IN_REQUESTS = {"customer_name": "holder", "code or title": "title"}


def _problem_of(refused: Refused) -> Problem:
    """A command's refusal as a document, pointing at the field it names."""
    *path, name = refused.field.split("/")
    pointer = "/".join(["", *path, _NAMES_IN_REQUESTS.get(name, name.replace(" ", "_"))])
    given = refused.detail or refused.field
    return Problem(problem_code(refused.code), ((pointer, refused.remedy),), detail=given[:200])


def answered(endpoint: Endpoint, request: web.Request, body: bytes) -> web.Response:
    headers = {"Cache-Control": "no-store"}
    if endpoint.has_etag:
        etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
        headers |= {"ETag": etag, "Cache-Control": "private, no-cache", "Vary": "Authorization"}
        if etag in [tag.strip().removeprefix("W/") for tag in request.headers.get("If-None-Match", "").split(",")]:
            return web.Response(status=304, headers=headers)
    return web.Response(status=endpoint.status, body=body, content_type=JSON, charset="utf-8", headers=headers)
