"""The headend, when there is a network: a few JSON requests over https, with the standard library.

The API key goes into a header and nowhere else. A request that can be repeated without harm is all that is ever sent:
each one is idempotent by its own content, so a lost answer is simply asked for again.
"""

from __future__ import annotations

import hashlib
import ipaddress
import json
import urllib.error
import urllib.request
from http.client import HTTPException
from typing import Any
from urllib.parse import urlsplit

from .refusals import Refusal

TIMEOUT_S = 30
ANSWER_MAX = 4_000_000


def checked_address(address: str) -> str:
    """https anywhere, http on this machine only; without the last slash."""
    try:
        parts = urlsplit(address)
        local = parts.scheme == "http" and _is_loopback(parts.hostname or "")
        plain = not (parts.query or parts.fragment or parts.username or parts.password) and bool(parts.hostname)
        assert parts.port is None or parts.port > 0
    except (ValueError, AssertionError):
        raise Refusal("headend_address", address=address) from None
    if not plain or not (parts.scheme == "https" or local):
        raise Refusal("headend_address", address=_without_user(address))
    return address.rstrip("/")


class Headend:
    """`address` as checked_address gives it."""

    def __init__(self, address: str, api_key: str, lang: str) -> None:
        self.address = checked_address(address)
        self._opener = _opener(local=address.startswith("http:"))
        self._headers = {
            "Authorization": f"Bearer {api_key}",
            "Accept-Language": lang,
            "Accept": "application/json",
            "Content-Type": "application/json",
        }

    def get(self, path: str) -> dict[str, Any]:
        return self._request("GET", path, None)

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """The same body again is the same request: the headend acts once and answers alike."""
        data = json.dumps(body, ensure_ascii=False, sort_keys=True).encode("utf-8", "surrogatepass")
        return self._request("POST", path, data, hashlib.sha256(path.encode() + b" " + data).hexdigest()[:40])

    def _request(self, method: str, path: str, body: bytes | None, key: str = "") -> dict[str, Any]:
        headers = {**self._headers, "Idempotency-Key": key} if key else self._headers
        request = urllib.request.Request(self.address + path, body, headers, method=method)
        try:
            with self._opener.open(request, timeout=TIMEOUT_S) as answer:
                return self._document(answer.read(ANSWER_MAX + 1))
        except urllib.error.HTTPError as failure:
            with failure:
                raise self._problem(failure.code, failure.read(ANSWER_MAX + 1)) from None
        except (OSError, HTTPException) as failure:
            why = getattr(failure, "reason", None) or failure
            raise Refusal("headend_unreachable", address=self.address, why=why) from None

    def _document(self, data: bytes) -> dict[str, Any]:
        try:
            document = json.loads(data) if len(data) <= ANSWER_MAX else None
        except (ValueError, RecursionError):
            document = None
        if not isinstance(document, dict):
            raise Refusal("headend_nonsense", address=self.address, field="JSON")
        return document

    def _problem(self, status: int, data: bytes) -> Refusal:
        """A refusal (4xx) is final and tells why; anything else may be different the next time."""
        if status >= 500 or status in (408, 425, 429):
            return Refusal("headend_failed", status=status)
        try:
            problem = self._document(data)
        except Refusal as refusal:
            return refusal
        wrong = problem.get("errors")
        told = [each for each in wrong if isinstance(each, dict)] if isinstance(wrong, list) else []
        errors = [f"{each.get('pointer')}: {each.get('detail')}" for each in told]
        detail = "; ".join([str(problem.get("detail", problem.get("title", status))), *errors])
        return Refusal("headend_refused", problem=problem.get("code", status), detail=detail)


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirect would carry the API key to whoever it names."""

    def redirect_request(self, *_arguments: Any) -> None:
        return None


def _opener(local: bool) -> urllib.request.OpenerDirector:
    """To this machine no proxy is asked, whatever the environment names."""
    return urllib.request.build_opener(_NoRedirects, *([urllib.request.ProxyHandler({})] if local else []))


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _without_user(address: str) -> str:
    scheme, separator, rest = address.partition("://")
    return scheme + separator + rest.rpartition("@")[2]
