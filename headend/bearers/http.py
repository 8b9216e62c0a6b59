"""Frames over HTTP: POST /v1/uplinks with a CBOR array of 1 to 500 [meter_id, frame] pairs (docs/SPEC.md).

Answered after the commit with a CBOR array of [meter_id, downlink frame], none to four per uplink, in the uplinks'
order. A frame that is refused (unknown meter, wrong tag) has no downlink and spoils nothing for the others; a body that
is not such an array is refused whole, as problem+json (RFC 9457).
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from aiohttp import web

from headend.bearers.udp import no_one_listens
from headend.clock import Clock
from headend.downlink.reply import seal
from headend.ingest.pipeline import Ingest
from headend.ingest.received import Answer, Bearer, Received
from headend.storage.writer import Writer
from protocol.errors import WireRefused
from protocol.wire import cbor
from protocol.wire.limits import FRAME_UP_MAX, METER_ID_LENGTH

CONTENT_TYPE = "application/cbor"
PAIRS_MAX = 500
# Per pair: array head 1, meter id 9, frame head 2 and frame; and the outer head.
BODY_MAX = PAIRS_MAX * (1 + 1 + METER_ID_LENGTH + 2 + FRAME_UP_MAX) + 3
ITEMS_MAX = 3 * PAIRS_MAX + 1

log = structlog.get_logger(__name__)


class BodyRefused(Exception):
    """The request is not a list of uplinks: `code` is stable, `detail` says what to change."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(code, detail)
        self.status = status
        self.code = code
        self.detail = detail


def uplinks_handler(
    writer: Writer,
    ingest: Ingest,
    clock: Clock,
    heard: Callable[[Received, Answer], None] = no_one_listens,
) -> Callable[[web.Request], Awaitable[web.Response]]:
    """The handler of POST /v1/uplinks. `heard` is called after the commit, once per uplink."""

    async def take(received: Received) -> Answer:
        return await writer.submit(lambda tx: ingest.receive(tx, received))

    async def handle(request: web.Request) -> web.Response:
        try:
            pairs = read_pairs(request.content_type, await _body(request))
        except BodyRefused as refused:
            return problem(refused)
        at_us = clock.unix_us()
        uplinks = [Received(meter_id, frame, Bearer.HTTP, None, at_us) for meter_id, frame in pairs]
        answers = await asyncio.gather(*map(take, uplinks), return_exceptions=True)
        failed = [answer for answer in answers if isinstance(answer, BaseException)]
        if failed:
            # Nothing says which are durable, so none is acknowledged; what is in the books answers as a duplicate.
            log.error("uplinks_failed", error=repr(failed[0]), uplinks=len(failed))
            raise failed[0]
        downlinks = []
        for received, answer in zip(uplinks, answers, strict=True):
            assert isinstance(answer, Answer)
            if answer.reply is not None:
                downlinks += [[received.meter_id, frame] for frame in seal(answer.reply)]
            heard(received, answer)
        return web.Response(body=cbor.encode(downlinks), content_type=CONTENT_TYPE)

    return handle


async def _body(request: web.Request) -> bytes:
    """The body, never more than a full request holds."""
    if request.headers.get("Content-Encoding", "identity") != "identity":
        raise BodyRefused(415, "content-encoding", "send the body uncompressed")
    if request.content_length is not None and request.content_length > BODY_MAX:
        raise BodyRefused(413, "body-too-long", f"send at most {BODY_MAX} bytes")
    body = await request.content.read(BODY_MAX + 1)
    while body and len(body) <= BODY_MAX and not request.content.at_eof():
        more = await request.content.read(BODY_MAX + 1 - len(body))
        if not more:
            break
        body += more
    if len(body) > BODY_MAX:
        raise BodyRefused(413, "body-too-long", f"send at most {BODY_MAX} bytes")
    return body


def read_pairs(content_type: str, body: bytes) -> list[tuple[bytes, bytes]]:
    """The [meter_id, frame] pairs of a body. Raises BodyRefused."""
    if content_type != CONTENT_TYPE:
        raise BodyRefused(415, "content-type", f"send {CONTENT_TYPE}")
    try:
        pairs: Any = cbor.decode(body, 2, ITEMS_MAX, BODY_MAX)
    except WireRefused as refused:
        raise BodyRefused(400, refused.name, str(refused)) from None
    if not isinstance(pairs, list) or not 1 <= len(pairs) <= PAIRS_MAX:
        raise BodyRefused(400, "pairs", f"send an array of 1 to {PAIRS_MAX} pairs")
    for index, pair in enumerate(pairs):
        if not isinstance(pair, list) or len(pair) != 2 or not all(isinstance(part, bytes) for part in pair):
            raise BodyRefused(400, "pair", f"pair {index}: send [meter_id, frame], two byte strings")
        if len(pair[0]) != METER_ID_LENGTH:
            raise BodyRefused(400, "meter-id", f"pair {index}: a meter id has {METER_ID_LENGTH} bytes")
    return [(pair[0], pair[1]) for pair in pairs]


def problem(refused: BodyRefused) -> web.Response:
    """The refusal as problem+json (RFC 9457)."""
    document = {
        "type": f"urn:guelta:problem:{refused.code}",
        "title": "These are no uplinks",
        "status": refused.status,
        "code": refused.code,
        "detail": refused.detail,
    }
    body = json.dumps(document).encode()
    return web.Response(status=refused.status, body=body, content_type="application/problem+json")
