"""From where a request may come, besides what its key says."""

from aiohttp import web
from aiohttp.typedefs import Handler

from headend.api.problems import Problem
from headend.settings import is_loopback

# Set when the headend listens for other machines too.
REMOTE: web.AppKey[bool] = web.AppKey("remote", bool)

_FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Real-IP")


@web.middleware
async def known_host(request: web.Request, handler: Handler) -> web.StreamResponse:
    """On loopback, answer to loopback names only: a web page elsewhere may point its own name at 127.0.0.1."""
    if not request.app[REMOTE] and not _names_this_machine(request):
        raise Problem("wrong_host")
    return await handler(request)


def on_this_machine_only(handler: Handler) -> Handler:
    """For pages, which have no sign-in yet: refused from elsewhere, and through a proxy."""

    async def handle(request: web.Request) -> web.StreamResponse:
        is_here = is_loopback(request.remote or "") and _names_this_machine(request)
        if not is_here or any(name in request.headers for name in _FORWARDED):
            raise Problem("page_on_this_machine_only")
        return await handler(request)

    return handle


def _names_this_machine(request: web.Request) -> bool:
    host = request.headers.get("Host", "")
    name = host.partition("]")[0] if host.startswith("[") else host.rpartition(":")[0] or host
    return is_loopback(name.removeprefix("["))
