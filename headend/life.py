"""What keeps an eye on a running headend: systemd is told that it is ready and alive, and the books are checked."""

import asyncio
import contextlib
import os
import socket
from collections.abc import AsyncIterator

import structlog
from aiohttp import web

from headend.api.store import STORE
from headend.metrics import METRICS
from headend.storage.writer import WriterClosed

log = structlog.get_logger("headend")

FIRST_CHECK_S = 60

CHECK_PERIOD_S: web.AppKey[int] = web.AppKey("check_period_s", int)


def notify(state: str) -> bool:
    """Tell systemd (sd_notify): READY=1, WATCHDOG=1, STOPPING=1. False where no one asked to be told."""
    name = os.environ.get("NOTIFY_SOCKET", "")
    if not name:
        return False
    # A name that begins with '@' is in Linux's abstract namespace.
    address = "\0" + name[1:] if name.startswith("@") else name
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
        sender.sendto(state.encode(), address)
    return True


def watchdog_period_s() -> float | None:
    """How often systemd wants a sign of life, halved; None where it does not."""
    text = os.environ.get("WATCHDOG_USEC", "")
    return int(text) / 2_000_000 if text.isascii() and text.isdigit() and int(text) > 0 else None


async def show_life(app: web.Application) -> AsyncIterator[None]:
    """While the application runs, tell systemd; for `cleanup_ctx`. A sign of life has been through the writer."""
    period_s = watchdog_period_s()
    task = None if period_s is None else asyncio.create_task(_beat(app, period_s))
    yield
    notify("STOPPING=1")
    await _end(task)


async def check_in_turn(app: web.Application) -> AsyncIterator[None]:
    """The whole books, checked a minute after the start and then each period; for `cleanup_ctx`."""
    period_s = app[CHECK_PERIOD_S]
    task = asyncio.create_task(_check(app, period_s)) if period_s else None
    yield
    await _end(task)


async def _beat(app: web.Application, period_s: float) -> None:
    with contextlib.suppress(WriterClosed):
        while True:
            await app[STORE].write(lambda tx: None)
            notify("WATCHDOG=1")
            await asyncio.sleep(period_s)


async def _check(app: web.Application, period_s: int) -> None:
    await asyncio.sleep(min(FIRST_CHECK_S, period_s))
    while True:
        await app[STORE].read(app[METRICS].check)
        if app[METRICS].faults:
            log.error("books_do_not_agree", faults=app[METRICS].faults, remedy="guelta ledger check")
        await asyncio.sleep(period_s)


async def _end(task: "asyncio.Task[None] | None") -> None:
    if task is not None:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
