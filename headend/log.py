"""Logs on stderr: lines for a person on a terminal, JSON otherwise; secrets are redacted on the way."""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any, TextIO

import structlog
from aiohttp.http_exceptions import HttpProcessingError

REDACTED = "[redacted]"

_SECRET_NAMES = re.compile(
    r"secret|root|password|authorization|signature|api_key|token|kek|wrapped|phone", re.IGNORECASE
)
_SECRET_TEXTS = re.compile(
    r"guelta_[0-9a-f]{64}|whsec_[A-Za-z0-9+/=]{20,}|\bBearer\s+\S+"
    r"|\b(?:[0-9A-HJKMNP-TV-Z]{4}-){3}[0-9A-HJKMNP-TV-Z]{4}\b"  # a job's token
)


def redact(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Hide values by the name of their field and by their look, at any depth."""
    return {name: REDACTED if _SECRET_NAMES.search(name) else _cleaned(value) for name, value in event.items()}


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return _SECRET_TEXTS.sub(REDACTED, value)
    if isinstance(value, dict):
        return redact(None, "", value)
    if isinstance(value, list | tuple):
        return [_cleaned(item) for item in value]
    return value


class Unreadable(logging.Handler):
    """What aiohttp says of bytes that are no request: one line without those bytes, which may hold a key."""

    def emit(self, record: logging.LogRecord) -> None:
        log = structlog.get_logger("headend")
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, HttpProcessingError):
            log.info("unreadable_request", status=error.code, kind=type(error).__name__)
        else:
            log.error(record.getMessage(), exc_info=record.exc_info)


def configure(stream: TextIO | None = None) -> None:
    """Set up structlog for this process."""
    target = sys.stderr if stream is None else stream
    to_terminal = target.isatty()
    renderer: Any = (
        structlog.dev.ConsoleRenderer() if to_terminal else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    traceback = [] if to_terminal else [structlog.processors.format_exc_info]
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *traceback,
            redact,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(target),
        cache_logger_on_first_use=False,
    )
    server = logging.getLogger("aiohttp.server")
    server.handlers, server.propagate = [Unreadable()], False
