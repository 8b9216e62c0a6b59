"""Work that falls due by the headend's own clock: listed meters get their packs and are rated again, each in its turn.

A few small jobs at a time, so that uplinks and payments never wait for a publication. What is left when the headend
stops is still listed when it starts.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import structlog
from aiohttp import web

from headend.api.store import STORE, Store
from headend.billing.work import due_meters, postpone, work_off
from headend.storage.writer import Tx, WriterClosed

log = structlog.get_logger("headend")

LOOK_EVERY_S = 0.5
METERS_AT_ONCE = 8
RETRY_AFTER_US = 3_600_000_000


async def rating_in_turn(app: web.Application) -> AsyncIterator[None]:
    """Work while the application runs; for `cleanup_ctx`."""
    working = asyncio.create_task(_work(app[STORE]))
    yield
    working.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await working


async def _work(store: Store) -> None:
    with contextlib.suppress(WriterClosed):
        while True:
            while due := await _due(store):
                await asyncio.gather(*(_one(store, meter_id) for meter_id in due))
            await asyncio.sleep(LOOK_EVERY_S)


async def _due(store: Store) -> list[bytes]:
    now_us = store.clock.unix_us()
    return await store.read(lambda connection: due_meters(Tx(connection, 0, now_us), METERS_AT_ONCE))


async def _one(store: Store, meter_id: bytes) -> None:
    """One meter; one that cannot be rated is told and tried again later, and holds up no other."""
    try:
        await store.write(lambda tx: work_off(tx, meter_id))
    except WriterClosed:
        raise
    except Exception:
        log.exception("rating_failed", meter=meter_id.hex())
        await store.write(lambda tx: postpone(tx, meter_id, tx.now_us + RETRY_AFTER_US))
