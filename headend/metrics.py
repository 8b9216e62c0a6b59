"""What `/metrics` tells, in the Prometheus exposition format: counters kept as things happen, the rest read when asked.

Nothing of a customer, meter or payment is in a name or label; every label has a fixed set of values.
"""

import asyncio
import platform
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version

from aiohttp import web
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from sqlalchemy import Connection

from headend.api.store import Store
from headend.downlink.reply import Reply
from headend.ingest.contact import counted
from headend.ingest.received import Answer, Received
from headend.ledger.checks import check_books
from protocol.errors import WireRefused
from protocol.wire.envelope import read_header

# By their number on the wire (docs/SPEC.md).
UPLINKS = ("day", "range", "poll", "event", "anchor", "gap", "device", "extended")
DOWNLINKS = ("statement", "time", "nack", "tariff", "policy", "command", "plan", "extended")
HEARD = (("hour", 3600), ("day", 86_400), ("week", 604_800), ("month", 2_592_000))
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_BATCH_SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 500)
_SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)


@dataclass(frozen=True)
class Checked:
    """The last check of the whole books: when, by the headend's clock, and how many faults it found."""

    at_us: int
    faults: int


class Metrics:
    """The counters of one running headend."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._checked: Checked | None = None
        self.registry = registry = CollectorRegistry()
        self._uplinks = Counter("guelta_uplinks", "Uplinks heard", ["type", "outcome"], registry=registry)
        self._downlinks = Counter("guelta_downlinks", "Downlinks handed to a bearer", ["type"], registry=registry)
        self._commit_s = Histogram(
            "guelta_commit_seconds", "From the first job of a batch to durable", buckets=_SECONDS, registry=registry
        )
        self._batch = Histogram("guelta_commit_jobs", "Jobs in one commit", buckets=_BATCH_SIZES, registry=registry)
        waiting = Gauge("guelta_writer_waiting", "Jobs that wait for the writer", registry=registry)
        waiting.set_function(lambda: store.writer.waiting)
        build = Gauge("guelta_build_info", "Always 1", ["version", "python"], registry=registry)
        build.labels(version("guelta"), platform.python_version()).set(1)
        registry.register(_Books(self))
        store.writer.observe = self.committed

    def heard(self, received: Received, answer: Answer) -> None:
        """One uplink and what became of it; its answer counts as handed over."""
        outcome = "duplicate" if answer.duplicate else "accepted"
        if answer.refusal is not None:
            outcome = answer.refusal.name.lower()
        self._uplinks.labels(_type_of(received.frame), outcome).inc()
        if answer.reply is not None:
            self.sent(answer.reply)

    def sent(self, reply: Reply) -> None:
        for message in reply.messages:
            self._downlinks.labels(DOWNLINKS[message.type]).inc()

    def committed(self, jobs: int, took_s: float) -> None:
        """Called by the writer's thread after each batch."""
        self._commit_s.observe(took_s)
        self._batch.observe(jobs)

    @property
    def faults(self) -> int:
        """What the last check of the books found."""
        return 0 if self._checked is None else self._checked.faults

    def check(self, connection: Connection) -> None:
        """Check the whole books now."""
        self._checked = Checked(self._store.clock.unix_us(), len(check_books(connection)))

    def books(self) -> Iterator[Metric]:
        """What the database says at this moment."""
        yield from self._store.reader.read(lambda connection: list(self._read(connection)))

    def _read(self, connection: Connection) -> Iterator[Metric]:
        now_us = self._store.clock.unix_us()
        yield _meters(connection, now_us)
        yield _by_label(connection, "guelta_open_cases", "Findings to be worked", "kind", _OPEN_CASES)
        yield _restored(connection)
        yield _one(connection, "guelta_statements_waiting", "Meters that have not echoed their last statement", _BEHIND)
        yield _one(connection, "guelta_last_batch", "Number of the last commit of the books", _LAST_BATCH)
        if self._checked is not None:
            age_s = (now_us - self._checked.at_us) / 1_000_000
            yield GaugeMetricFamily("guelta_ledger_check_age_seconds", "Since the last check of the books", age_s)
            yield GaugeMetricFamily("guelta_ledger_check_faults", "What the last check found", self._checked.faults)


METRICS: web.AppKey[Metrics] = web.AppKey("metrics", Metrics)


async def page(request: web.Request) -> web.Response:
    """GET /metrics."""
    body = await asyncio.to_thread(generate_latest, request.app[METRICS].registry)
    return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE, "Cache-Control": "no-store"})


class _Books:
    """The part that is read when asked."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def describe(self) -> list[Metric]:
        return []

    def collect(self) -> Iterator[Metric]:
        return self._metrics.books()


_OPEN_CASES = "SELECT kind, count(*) FROM case_file WHERE closed_us IS NULL GROUP BY kind"
_LAST_BATCH = "SELECT coalesce(max(id), 0) FROM batch"
_THERE = "l.meter_id NOT IN (SELECT meter_id FROM retirement)"
_BEHIND = (
    "SELECT count(*) FROM meter_link l WHERE l.statement_echo < (SELECT max(number) FROM statement s "
    "WHERE s.meter_id = l.meter_id AND s.generation = l.generation) AND " + _THERE
)


def _type_of(frame: bytes) -> str:
    try:
        return UPLINKS[read_header(frame).type]
    except WireRefused:
        return "unreadable"


def _meters(connection: Connection, now_us: int) -> Metric:
    """How many meters were last heard within the hour, within the day but not the hour, and so on.

    Meters that were taken away are not among them, spares are.
    """
    counts = dict.fromkeys([*(name for name, _ in HEARD), "longer", "never"], 0)
    for (heard_us,) in connection.exec_driver_sql(f"SELECT l.heard_us FROM meter_link l WHERE {_THERE}"):
        age_s = None if heard_us is None else (now_us - heard_us) // 1_000_000
        within = "never" if age_s is None else next((name for name, limit in HEARD if age_s <= limit), "longer")
        counts[within] += 1
    family = GaugeMetricFamily("guelta_meters", "Meters by when they were last heard", labels=["last_heard"])
    for name, count in counts.items():
        family.add_metric([name], count)
    return family


def _restored(connection: Connection) -> Metric:
    """How the meters stand since the last restore; all 0 where there was none."""
    family = GaugeMetricFamily("guelta_restored_meters", "Meters since the last restore", labels=["state"])
    for state, count in counted(connection).items():
        family.add_metric([state], count)
    return family


def _by_label(connection: Connection, name: str, meaning: str, label: str, query: str) -> Metric:
    family = GaugeMetricFamily(name, meaning, labels=[label])
    for value, count in connection.exec_driver_sql(query):
        family.add_metric([str(value)], count)
    return family


def _one(connection: Connection, name: str, meaning: str, query: str) -> Metric:
    return GaugeMetricFamily(name, meaning, connection.exec_driver_sql(query).scalar_one())
