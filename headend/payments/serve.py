"""The signed requests, step by step: who signed → what it says → the answer. Nothing unsigned is read any further."""

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec
import structlog
from aiohttp import web

from headend.api import strict_json
from headend.api.aftermath import KEYRING, Aftermath, carry_out
from headend.api.dispatch import Handler, answered, body_of, from_text
from headend.api.endpoint import Endpoint
from headend.api.problems import Problem
from headend.api.store import STORE, Store
from headend.downlink.desired import push_statement
from headend.meters.keyring import Keyring
from headend.payments import notify, providers, signature
from headend.payments.notify import Answered, Kept
from headend.payments.shapes import ProviderPath
from headend.payments.signature import Verdict
from headend.payments.telling import tell_outcome
from headend.storage.audit import Actor
from headend.storage.writer import Tx

log = structlog.get_logger("headend.payments")


@dataclass(frozen=True)
class Signed:
    """A request whose bytes come from `provider`, as its secret proves."""

    provider: str
    message_id: str
    raw: bytes


def serve_question(endpoint: Endpoint) -> Handler:
    """Inquire and status: signed reads."""

    async def handle(request: web.Request) -> web.StreamResponse:
        signed = await _authentic(endpoint, request)
        given: dict[str, object] = {"path": from_text(dict(request.match_info), endpoint.shape("path"), "invalid_path")}
        if endpoint.shape("body") is not None:
            given["body"] = strict_json.decode(signed.raw, endpoint.shape("body"))
        result = await request.app[STORE].read(lambda connection: endpoint.handler(connection=connection, **given))
        return answered(endpoint, request, msgspec.json.encode(result))

    return handle


def serve_notify(endpoint: Endpoint) -> Handler:
    """Notify: kept in one commit, answered in the next, the meter told at once."""

    async def handle(request: web.Request) -> web.StreamResponse:
        signed = await _authentic(endpoint, request)
        kept = await request.app[STORE].write(
            lambda tx: notify.keep(tx, signed.provider, signed.message_id, signed.raw)
        )
        told = await settle(request.app, kept)
        return answered(endpoint, request, msgspec.json.encode(told.answer))

    return handle


async def settle(app: web.Application, kept: Kept) -> Answered:
    """Book a kept message; when that is durable, push the statement and tell the story."""
    aftermath = Aftermath()
    told = await app[STORE].write(lambda tx: _settled(tx, app[KEYRING], kept, aftermath))
    log.info("notification", provider=kept.provider, outcome=told.answer.outcome, reason=told.answer.reason)
    carry_out(app, aftermath)
    return told


async def settle_unanswered(app: web.Application) -> int:
    """At the start: book what was kept but not answered when the headend stopped. Returns how many."""
    waiting = await app[STORE].read(notify.unanswered)
    for kept in waiting:
        await settle(app, kept)
    return len(waiting)


def _settled(tx: Tx, keyring: Keyring, kept: Kept, aftermath: Aftermath) -> Answered:
    tx.actor = Actor("provider", kept.provider, f"notification {kept.message_id}")
    told = notify.answer(tx, kept)
    if told.meter_id is not None:
        aftermath.reply(push_statement(tx, keyring, told.meter_id))
    tell_outcome(tx, kept, told, aftermath)
    return told


async def _authentic(endpoint: Endpoint, request: web.Request) -> Signed:
    """Judge the signature over the raw bytes, or over the target where there is no body."""
    store: Store = request.app[STORE]
    provider = from_text({"provider": request.match_info["provider"]}, ProviderPath, "invalid_path").provider
    if request.query_string:
        raise Problem("invalid_query", (("?", "This address takes no parameters"),))
    has_body = endpoint.shape("body") is not None
    raw = await body_of(request, endpoint) if has_body else b""
    headers: Mapping[str, str] = request.headers
    lacking = signature.missing(headers)
    if lacking:
        raise Problem("signature_missing", header=lacking)
    secrets = await store.read(lambda connection: providers.secrets_of(connection, request.app[KEYRING], provider))
    proven = raw if has_body else request.raw_path.encode()
    verdict = signature.verify(secrets, headers, proven, store.now_unix_s())
    if verdict is not Verdict.GOOD:
        raise Problem(verdict.value, provider=provider, header="webhook-signature")
    return Signed(provider, headers["webhook-id"], raw)
