"""The composition root: a headend from its settings, clock and random source; nothing else makes these parts.

Start order: database, books, keys, then listeners, then what was left unanswered. Stop order is the reverse, so that
what was accepted is committed before the process ends.
"""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass

import aiohttp
import structlog
from aiohttp import web

from headend.api import routes, sim
from headend.api.access import REMOTE, known_host, on_this_machine_only
from headend.api.aftermath import KEYRING, PUSH, RELEASE_KEY, STORY
from headend.api.edge import add_safe_headers, edge
from headend.api.endpoint import BODY_BYTES_MAX
from headend.api.keys import any_usable
from headend.api.openapi import encoded
from headend.api.store import STORE, Store
from headend.bearers import chirpstack
from headend.bearers.http import uplinks_handler
from headend.bearers.udp import UdpBearer, serve_udp
from headend.clock import Clock
from headend.downlink.reply import Reply
from headend.exclusive import alone_with
from headend.ingest.pipeline import Ingest
from headend.ingest.received import Answer, Received
from headend.ledger.books import open_books
from headend.life import CHECK_PERIOD_S, check_in_turn, show_life
from headend.meters.keyring import Keyring
from headend.meters.wrapped import kek_ids_of, open_keyring
from headend.metrics import METRICS, Metrics
from headend.metrics import page as metrics_page
from headend.payments.amounts import EXPONENTS
from headend.payments.serve import settle_unanswered
from headend.rating_in_turn import rating_in_turn
from headend.settings import Address, ChirpStackSettings, Settings, SettingsRefused, read_token
from headend.storage import migrate
from headend.storage.reader import Reader
from headend.storage.writer import Writer
from headend.web import pages
from headend.web.live import LIVE, Live
from headend.web.rendering import Renderer
from headend.web.story import Story

log = structlog.get_logger("headend")

Random = Callable[[int], bytes]


@dataclass(frozen=True)
class Running:
    """A started headend and where it listens; `udp` is None without a UDP bearer."""

    app: web.Application
    http: tuple[str, int]
    udp: tuple[str, int] | None


def create_app(
    settings: Settings,
    store: Store,
    keyring: Keyring,
    ingest: Ingest,
    push: Callable[[Reply], None],
    news: asyncio.Event,
    metrics: Metrics,
) -> web.Application:
    """The HTTP application over parts that are open already. Nothing is started and nothing is listened on.

    `news` is set whenever a meter was heard, so that the page looks at once.
    """
    app = web.Application(middlewares=[edge, known_host], client_max_size=BODY_BYTES_MAX)
    story = Story(first_number=store.started_ms)
    app[STORE] = store
    app[KEYRING] = keyring
    app[RELEASE_KEY] = settings.release_key
    app[PUSH] = push
    app[STORY] = story
    app[LIVE] = Live(store, story, Renderer(settings.simulated), news)
    app[REMOTE] = settings.allow_remote
    app[METRICS] = metrics
    app[CHECK_PERIOD_S] = settings.ledger_check_s
    app.on_response_prepare.append(add_safe_headers)
    document = encoded(routes.ENDPOINTS)

    async def openapi(_request: web.Request) -> web.Response:
        return web.Response(body=document, content_type="application/json", charset="utf-8")

    app.router.add_get("/openapi.json", openapi)
    routes.add_routes(app)
    pages.add_routes(app)
    app.router.add_post("/v1/uplinks", uplinks_handler(store.writer, ingest, store.clock, _heard(metrics, news)))
    app.router.add_get("/metrics", on_this_machine_only(metrics_page))
    if settings.simulated:
        sim.add_routes(app, store.clock)
    app.cleanup_ctx.append(_watch)
    app.cleanup_ctx.append(rating_in_turn)
    app.cleanup_ctx.append(check_in_turn)
    app.cleanup_ctx.append(show_life)
    return app


@contextlib.asynccontextmanager
async def running(settings: Settings, clock: Clock, random: Random, started_ms: int) -> AsyncIterator[Running]:
    """A whole headend, from the lock on its database to its listeners, until the block is left."""
    with alone_with(settings.database):
        migrate.upgrade(settings.database)
        with (
            contextlib.closing(Writer(settings.database, clock, settings.high_water)) as writer,
            contextlib.closing(Reader(settings.database)) as reader,
        ):
            keyring = open_keyring(settings.key_file, random, await reader.fetch(kek_ids_of))
            store = Store(clock, writer, reader, started_ms)
            await store.write(lambda tx: open_books(tx, settings.utility, *_currency(settings.currency)))
            if settings.allow_remote and not await store.read(any_usable):
                raise SettingsRefused(
                    "--allow-remote: no API key is in use yet; make one with 'guelta key create' first"
                )
            async with _listening(settings, store, keyring, Ingest(keyring, random)) as started:
                yield started


def _where_it_is_kept(settings: Settings) -> str:
    """A disk that is lost takes along what is on it: the high-water file belongs on another one."""
    file = settings.high_water
    if file is None:
        return "none"
    beside = file.stat().st_dev == settings.database.stat().st_dev
    return "on the database's disk: name a file on another one with --high-water" if beside else "on another disk"


@contextlib.asynccontextmanager
async def _listening(settings: Settings, store: Store, keyring: Keyring, ingest: Ingest) -> AsyncIterator[Running]:
    udp: UdpBearer | None = None
    news = asyncio.Event()
    metrics = Metrics(store)
    heard = _heard(metrics, news)
    token = "" if settings.chirpstack is None else read_token(settings.chirpstack.token_file)
    if settings.udp is not None:
        here = (settings.udp.host, settings.udp.port)
        with _listening_refused("--udp", settings.udp):
            udp = await serve_udp(store.writer, ingest, store.clock, *here, heard)
    outbox = None if settings.chirpstack is None else _outbox(settings.chirpstack, token)
    pushes = tuple(bearer.push for bearer in (udp, outbox) if bearer is not None)
    app = create_app(settings, store, keyring, ingest, lambda reply: _push(pushes, metrics, reply), news, metrics)
    if outbox is not None:
        bearer = chirpstack.ChirpStackBearer(store.writer, ingest, store.clock, outbox, heard)
        app.router.add_post(chirpstack.PATH, bearer.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=5, handle_signals=False)
    try:
        if outbox is not None:
            outbox.start()
        await runner.setup()
        site = web.TCPSite(runner, settings.http.host, settings.http.port)
        with _listening_refused("--http", settings.http):
            await site.start()
        left_over = await settle_unanswered(app)
        facts = {"notifications_settled": left_over, "high_water": _where_it_is_kept(settings)}
        log.info("started", mode=settings.mode, clock=settings.clock, **facts)
        host, port = runner.addresses[0][:2]
        yield Running(app, (host, port), None if settings.udp is None or udp is None else (settings.udp.host, udp.port))
    finally:
        app[LIVE].close()
        await runner.cleanup()
        if outbox is not None:
            await outbox.close()
        if udp is not None:
            await udp.close()
        log.info("stopped")


def _outbox(server: ChirpStackSettings, token: str) -> chirpstack.Outbox:
    """The way to a network server."""
    return chirpstack.Outbox(chirpstack.Api(aiohttp.ClientSession(), server.url, token))


@contextlib.contextmanager
def _listening_refused(option: str, where: Address) -> Iterator[None]:
    """An address that cannot be listened on is a wrong option."""
    try:
        yield
    except OSError as refused:
        number = refused.errno or 0
        why = os.strerror(number) if number > 0 else refused.strerror
        raise SettingsRefused(f"{option} {where.host}:{where.port}: {why}; choose another address or port") from None


async def _watch(app: web.Application) -> AsyncIterator[None]:
    """Keep the page current while the application runs."""
    watching = asyncio.create_task(app[LIVE].run())
    yield
    watching.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await watching


def _heard(metrics: Metrics, news: asyncio.Event) -> Callable[[Received, Answer], None]:
    """What follows each uplink, whatever carried it."""

    def heard(received: Received, answer: Answer) -> None:
        metrics.heard(received, answer)
        news.set()

    return heard


def _push(pushes: tuple[Callable[[Reply], None], ...], metrics: Metrics, reply: Reply) -> None:
    """Each bearer takes what is its own; what none takes, the meter gets with its next uplink."""
    metrics.sent(reply)
    for push in pushes:
        push(reply)


def _currency(code: str) -> tuple[str, int]:
    if code not in EXPONENTS:
        raise SettingsRefused(f"--currency {code}: not known; use one of {', '.join(EXPONENTS)}")
    return code, EXPONENTS[code]
