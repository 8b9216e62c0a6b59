"""The addresses of the page: `/`, its stream `/events`, its files under `/static/`."""

import json
from contextlib import aclosing
from pathlib import Path

from aiohttp import web

from headend.api.access import on_this_machine_only
from headend.api.language import FRENCH, LANGUAGES, preferred
from headend.api.problems import Problem
from headend.web.live import LIVE, Sent

_STATIC = Path(__file__).parent / "static"
_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
# Read once: three small files of ours, so no path of the request ever reaches the disk.
_FILES = {path.name: path.read_bytes() for path in sorted(_STATIC.iterdir()) if path.suffix in _TYPES}


async def page(request: web.Request) -> web.Response:
    """The live page, whole and readable without JavaScript."""
    language = _language(request)
    html = await request.app[LIVE].page(language)
    headers = {"Content-Language": language, "Vary": "Accept-Language", "Cache-Control": "no-store"}
    response = web.Response(text=html, content_type="text/html", headers=headers)
    response.enable_compression()
    return response


async def events(request: web.Request) -> web.StreamResponse:
    """Server-sent events (WHATWG HTML §9.2): `story`, `home` and `fragment`, each a JSON string of HTML."""
    live = request.app[LIVE]
    if live.is_full:
        raise Problem("too_many_readers")
    language, after = _language(request), _after(request)
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
    await response.prepare(request)
    await response.write(b"retry: 2000\n\n")
    async with aclosing(live.events(language, after)) as stream:
        try:
            async for sent in stream:
                await response.write(_encoded(sent))
        except ConnectionError:
            # The reader went away: that is how a stream ends.
            return response
    return response


async def static(request: web.Request) -> web.Response:
    """The style sheet, the script and the icon."""
    name = request.match_info["name"]
    body = _FILES.get(name)
    if body is None:
        raise Problem("no_route", path=request.path[:200])
    headers = {"Cache-Control": "no-cache"}
    response = web.Response(body=body, content_type=_TYPES[Path(name).suffix], charset="utf-8", headers=headers)
    response.enable_compression()
    return response


def add_routes(app: web.Application) -> None:
    app.router.add_get("/", on_this_machine_only(page))
    app.router.add_get("/events", on_this_machine_only(events))
    app.router.add_get("/static/{name}", static)


def _encoded(sent: Sent | None) -> bytes:
    if sent is None:
        return b": still here\n\n"
    number = "" if sent.number is None else f"id: {sent.number}\n"
    return f"{number}event: {sent.kind}\ndata: {json.dumps(sent.text, ensure_ascii=False)}\n\n".encode()


def _language(request: web.Request) -> str:
    """`?lang=` if it names one of ours, else the browser's wish, else French."""
    asked = request.query.get("lang", "")
    return asked if asked in LANGUAGES else preferred(request.headers.get("Accept-Language", ""), FRENCH)


def _after(request: web.Request) -> int:
    """The last story line the reader has: the browser's own memory first, then what the page was served with."""
    text = request.headers.get("Last-Event-ID") or request.query.get("after", "0")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else 0
