"""The edge of the HTTP side: a trace per request, problem+json for every failure, safe headers for every answer."""

import asyncio
import secrets
import time

import msgspec
import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from headend.api.language import preferred
from headend.api.problems import MEDIA_TYPE, Problem
from headend.storage import failing
from headend.storage.writer import WriterClosed

log = structlog.get_logger("headend.http")

# No external script, style, font, frame or form target; images may be inline for the icon.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
SAFE_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


@web.middleware
async def edge(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Run the handler; turn what it raises into a document; log one line."""
    trace = secrets.token_hex(8)
    started = time.perf_counter_ns()
    structlog.contextvars.bind_contextvars(trace=trace)
    try:
        response = await _answered(request, handler, trace)
    finally:
        structlog.contextvars.unbind_contextvars("trace")
    # A body that was not read must not be taken for the next request.
    if not request.content.is_eof() and response.status >= 400:
        response.force_close()
    took_ms = (time.perf_counter_ns() - started) // 1_000_000
    log.info("request", trace=trace, method=request.method, path=request.path, status=response.status, took_ms=took_ms)
    return response


async def add_safe_headers(_request: web.Request, response: web.StreamResponse) -> None:
    """For `on_response_prepare`: every answer, a stream's too."""
    for name, value in SAFE_HEADERS.items():
        response.headers.setdefault(name, value)
    # What runs here, and in which version, is nobody's business.
    response.headers["Server"] = "guelta"


async def _answered(request: web.Request, handler: Handler, trace: str) -> web.StreamResponse:
    try:
        return await handler(request)
    except Problem as problem:
        return refused(request, problem, trace)
    except web.HTTPNotFound:
        return refused(request, Problem("no_route", path=request.path[:200]), trace)
    except web.HTTPMethodNotAllowed as wrong:
        allowed = ", ".join(sorted(wrong.allowed_methods))
        response = refused(
            request,
            Problem("method_not_allowed", path=request.path[:200], method=request.method, allowed=allowed),
            trace,
        )
        response.headers["Allow"] = allowed
        return response
    except web.HTTPRequestEntityTooLarge:
        return refused(request, Problem("body_too_large", limit=request.client_max_size), trace)
    except web.HTTPException as known:
        return known
    except WriterClosed:
        return refused(request, Problem("stopping"), trace)
    except asyncio.CancelledError:
        raise
    except Exception as failure:
        log.exception("request_failed", method=request.method, path=request.path)
        return refused(request, Problem(_code_of(failure)), trace)


def _code_of(failure: Exception) -> str:
    """A disk without room and a disk that fails are the operator's to mend, and the request's to repeat."""
    if failing.is_full(failure):
        return "storage_full"
    return "storage_failing" if failing.is_failing(failure) else "internal_error"


def refused(request: web.Request, problem: Problem, trace: str) -> web.Response:
    """The problem as a response in the reader's language."""
    language = preferred(request.headers.get("Accept-Language", ""))
    body = msgspec.json.encode(problem.document(language, trace))
    headers = {"Cache-Control": "no-store", "Content-Language": language, "Vary": "Accept-Language"}
    if problem.status == 401 and problem.code == "unauthenticated":
        headers["WWW-Authenticate"] = 'Bearer realm="guelta"'
    return web.Response(status=problem.status, body=body, content_type=MEDIA_TYPE, headers=headers)
