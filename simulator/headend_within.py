"""The real headend inside this process, for worlds that must be fast: real books in a real database, no sockets.

Everything goes through the one writer as in `guelta serve`: an uplink, a payment, an act of the office is one commit.
What is sent is sealed after it. Keys and salts come from the world's seed, so that the same world makes the same
bytes. A kill is what SIGKILL leaves: what was committed stays, the answer is never told, and everything that was only
in memory is gone when it is opened again. (tests/crash kills real processes.)
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import headend.storage.sqlite  # noqa: F401  # isort: split  (before anything that loads SQLAlchemy)
from firmware.identity import Identity, encode
from headend.billing import plans
from headend.billing.tariffs import Terms, publish_tariff
from headend.billing.work import work_off_one
from headend.clock import SimClock
from headend.downlink.desired import push_statement
from headend.downlink.reply import Reply, seal
from headend.ingest.pipeline import Ingest
from headend.ingest.received import Bearer, Received
from headend.ledger import payments
from headend.ledger.books import open_books
from headend.ledger.checks import check_books
from headend.meters.keyring import Keyring
from headend.meters.registry import NewMeter, Provisioning, add_meter
from headend.payments import notify
from headend.storage import migrate
from headend.storage.reader import Reader
from headend.storage.sqlite import create_private
from headend.storage.writer import Tx, Writer
from protocol.rules.policy import Policy
from protocol.wire.messages import DOWN_POLICY, DOWN_TARIFF

from .clock import OFFSET_MINUTES, unix_us
from .prng import Stream

UDP, HTTP, LORAWAN = int(Bearer.UDP), int(Bearer.HTTP), int(Bearer.LORAWAN)
TARIFF, PROVIDER, CURRENCY = "home", "wave", "XOF"
_FULL = "database or disk is full"
_ADDRESS = {UDP: "127.0.0.1 5683", HTTP: None, LORAWAN: "0000000000000001"}

Frames = list[tuple[bytes, bytes]]


class Down(Exception):
    """The headend does not answer: it was killed, before or after it committed."""


class Registered(NamedTuple):
    """A meter as its technician gets it: what its owner types, and what goes into the meter by cable."""

    meter_id: bytes
    customer_number: str
    provision_hex: str


class Heard(NamedTuple):
    """What became of an uplink: the number of a refusal or 0, whether it was heard before, and the answer's frames."""

    refusal: int
    duplicate: bool
    frames: tuple[bytes, ...]


class HeadendWithin:
    """A utility's books in `folder`. `now` gives the world's virtual microseconds."""

    def __init__(self, folder: Path, chance: Stream, now: Callable[[], int]) -> None:
        self.folder, self.path = folder, folder / "books.db"
        self.key_file, self.high_water = folder / "keys", folder / "high-water"
        self.up = False
        self.commits = 0
        self._chance, self._now = chance, now
        self._kill: tuple[int, bool] | None = None
        _create_books(self.path)
        self.open()
        self.write(lambda tx: open_books(tx, "Guelta", CURRENCY, 0))

    # Life and death ------------------------------------------------------------------------------------------------

    def open(self) -> None:
        """Start on what is in the folder."""
        self.clock = SimClock(unix_us(self._now()))
        self.writer = Writer(self.path, self.clock, self.high_water, own_thread=False)
        self.reader = Reader(self.path)
        self.keyring = Keyring(self.key_file, self._random)
        self.ingest = Ingest(self.keyring, self._random)
        self.up, self._kill = True, None

    def close(self) -> None:
        """Stop; what was told is in the folder."""
        if self.up:
            self.up = False
            self.writer.close()
            self.reader.close()

    def kill_at(self, commits: int, after_commit: bool) -> None:
        """Die at the n-th commit from now (1 = the next), just before it is durable or just after."""
        self._kill = (self.commits + commits, after_commit)

    def write(self, job: Callable[[Tx], Any]) -> Any:
        """One commit at the world's time. Raises Down when it is, or dies with it."""
        if not self.up:
            raise Down
        self.clock.set(unix_us(self._now()))
        self.commits += 1
        if self._kill is not None and self.commits >= self._kill[0]:
            self._die(job, self._kill[1])
        try:
            return self.writer.run(job)
        except Exception as failure:
            if _FULL not in str(failure):
                raise
            raise Down from None  # nothing is durable, and nobody is told anything

    def _die(self, job: Callable[[Tx], Any], after_commit: bool) -> None:
        if after_commit:
            self.writer.run(job)
        self.close()
        raise Down

    def _random(self, size: int) -> bytes:
        words = b"".join(self._chance.bits64().to_bytes(8, "big") for _ in range(-(-size // 8)))
        return words[:size]

    # Gateways ------------------------------------------------------------------------------------------------------

    def hear(self, meter_id: bytes, frame: bytes, bearer: int) -> Heard:
        """An uplink as a bearer hands it over."""
        received = Received(meter_id, frame, Bearer(bearer), _ADDRESS[bearer], unix_us(self._now()))
        answer = self.write(lambda tx: self.ingest.receive(tx, received))
        return Heard(int(answer.refusal or 0), answer.duplicate, tuple(_sealed(answer.reply)))

    # The operator's payments ---------------------------------------------------------------------------------------

    def notify(
        self, message_id: str, transaction: str, account: str, amount: int, paid_at: str, currency: str = CURRENCY
    ) -> tuple[str, Frames]:
        """A validly signed notification: kept, then answered, each in its commit, as in `guelta serve`.

        Returns the answer told to the operator, and what is pushed to the meter.
        """
        body = {"transaction_id": transaction, "account": account, "amount": amount, "currency": currency}
        raw = json.dumps({**body, "paid_at": paid_at}).encode()
        kept = self.write(lambda tx: notify.keep(tx, PROVIDER, message_id, raw))
        return self._answer(kept)

    def settle_unanswered(self) -> Frames:
        """What a headend does when it starts: answer what was kept by one that died before it answered."""
        kept = self.reader.read(notify.unanswered)
        return [pair for one in kept for pair in self._answer(one)[1]]

    def _answer(self, kept: notify.Kept) -> tuple[str, Frames]:
        def job(tx: Tx) -> tuple[str, bytes | None, Reply | None]:
            answered = notify.answer(tx, kept)
            to = answered.meter_id
            return answered.answer.outcome, to, None if to is None else push_statement(tx, self.keyring, to)

        outcome, meter_id, reply = self.write(job)
        return outcome, [] if meter_id is None else [(meter_id, frame) for frame in _sealed(reply)]

    def reverse(self, transaction: str) -> None:
        """The provider takes a payment back. Raises Refused as the office would be told."""
        self.write(lambda tx: payments.reverse_payment(tx, _payment_id(tx, transaction), "provider", "taken back"))

    # The office ----------------------------------------------------------------------------------------------------

    def register(self, meter_id: bytes, start_slot: int, report_slots: int, policy: Policy) -> Registered:
        """A new meter with its OPENING in its record."""
        new = NewMeter(meter_id, TARIFF, f"Customer {meter_id.hex()}", start_slot, policy=policy)
        return _registered(self.write(lambda tx: add_meter(tx, self.keyring, new)), report_slots)

    def publish(self, from_slot: int, prices: dict[str, Any], late: str, notice_days: int, key: str = "") -> None:
        """A tariff of every home, from a slot on; who is rated again waits for `work_off`."""
        printed = {"utc_offset_minutes": OFFSET_MINUTES, **prices}
        terms = Terms(late, notice_days)
        key = key or f"{TARIFF}-{from_slot}-{self.commits}"
        self.write(lambda tx: publish_tariff(tx, TARIFF, "Homes", printed, from_slot, terms, key))

    def work_off(self) -> None:
        """Do what has fallen due by the clock, one small job after the other."""
        while self.write(work_off_one):
            pass

    def set_policy(self, meter_id: bytes, policy: Policy) -> None:
        """Another valve policy."""
        self.write(lambda tx: plans.set_policy(tx, meter_id, policy))

    def set_debt_plan(self, meter_id: bytes, key: str, debt_mills: int, amount_mills: int, start_day: int) -> None:
        """A debt from before, to be collected by the meter."""
        self.write(lambda tx: plans.set_debt_plan(tx, meter_id, key, debt_mills, amount_mills, start_day))

    # What the books say --------------------------------------------------------------------------------------------

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """What the books say, as plain tuples."""
        return self.reader.read(lambda connection: [tuple(row) for row in connection.exec_driver_sql(query, values)])

    def counters(self, meter_id: bytes) -> tuple[int, ...]:
        """(frontier slot, V, S, R, C, D) of a meter's present wallet, as the books have them."""
        row = self.rows(
            "SELECT m.frontier_slot, m.volume_l, m.spent_mills, m.collected_mills, s.credited_mills, s.debited_mills "
            "FROM meter_state m JOIN statement s ON s.meter_id = m.meter_id AND s.generation = m.generation "
            "WHERE m.meter_id = ? ORDER BY s.number DESC LIMIT 1",
            meter_id,
        )
        return row[0]

    def faults(self) -> list[str]:
        """What the books say against themselves."""
        return [str(fault) for fault in self.reader.read(check_books)]


@cache
def _empty_books() -> bytes:
    """The file of a database that was brought to this release: the same for every world, and a fifth of a second's
    work."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "books.db"
        migrate.upgrade(path)
        return path.read_bytes()


def _create_books(path: Path) -> None:
    if path.exists():
        migrate.upgrade(path)
    else:
        create_private(path)
        path.write_bytes(_empty_books())


def _sealed(reply: Reply | None) -> list[bytes]:
    return [] if reply is None else seal(reply)


def _payment_id(tx: Tx, transaction: str) -> int:
    row = tx.cursor.execute(
        "SELECT id FROM payment WHERE provider = ? AND provider_txn_id = ?", (PROVIDER, transaction)
    ).fetchone()
    return -1 if row is None else int(row[0])


def _registered(record: Provisioning, report_slots: int, grace_mills: int = 0) -> Registered:
    packs = tuple(
        (kind, pack.version, pack.from_slot, pack.body)
        for kind, pack in ((DOWN_TARIFF, record.tariff), (DOWN_POLICY, record.policy))
    )
    pulse_ml = 1000 * record.litres_per_pulse
    who = (record.meter_id, record.root, record.generation, pulse_ml, report_slots, grace_mills)
    return Registered(
        record.meter_id, record.customer_number, encode(Identity(*who, record.opening_frame, packs)).hex()
    )
