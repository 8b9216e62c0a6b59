"""A utility in this process: its real books, its clock, its meters; the headend of the benchmarks without its sockets.

Every uplink and every payment is one commit of the one writer, as in `guelta serve`. Keys and salts come from the seed,
so that the same run makes the same bytes; a real headend takes them from the system.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from firmware.identity import Identity, encode
from headend.billing.tariffs import PLAIN_TERMS, Terms, publish_tariff
from headend.billing.work import work_off_one
from headend.clock import SimClock
from headend.downlink.desired import push_statement
from headend.downlink.reply import seal
from headend.ingest.pipeline import Ingest
from headend.ingest.received import Answer, Bearer, Received
from headend.ledger.books import open_books
from headend.ledger.payments import Outcome, Payment, credit_payment
from headend.meters.keyring import Keyring
from headend.meters.registry import NewMeter, add_meter
from headend.storage import migrate
from headend.storage.reader import Reader
from headend.storage.writer import Tx, Writer
from protocol.rules.calendar import slot_of
from protocol.wire.messages import DOWN_POLICY, DOWN_TARIFF
from simulator.clock import OFFSET_MINUTES, SLOTS_PER_DAY, START_UNIX_S, unix_us
from simulator.prng import Stream

TARIFF = "home"
BLOCKS = [[10_000, 127], [40_000, 279], [0, 448]]
START_SLOT = slot_of(START_UNIX_S)
# Where a push reaches a meter: any address will do where no socket is.
_ADDRESS = {Bearer.UDP: "127.0.0.1 5683", Bearer.LORAWAN: "0000000000000001"}


class Utility:
    """Books in `folder`, which must be empty. `now` gives the world's virtual microseconds; `charges` as in publish."""

    def __init__(self, folder: Path, seed: int, now: Callable[[], int], **charges: int) -> None:
        self._now = now
        self._clock = SimClock(unix_us(now()))
        stream = Stream(seed, "utility")
        migrate.upgrade(folder / "books.db")
        self.writer = Writer(folder / "books.db", self._clock)
        self.reader = Reader(folder / "books.db")
        self.keyring = Keyring(folder / "keys", lambda size: bytes(stream.below(256) for _ in range(size)))
        self.ingest = Ingest(self.keyring, lambda size: bytes(stream.below(256) for _ in range(size)))
        self._payments = 0
        self.write(lambda tx: open_books(tx, "Guelta", "XOF", 0))
        self.publish(START_SLOT - SLOTS_PER_DAY, BLOCKS, **charges)

    def close(self) -> None:
        """Stop writing and reading."""
        self.writer.close()
        self.reader.close()

    def write(self, job: Callable[[Tx], Any]) -> Any:
        """One commit at the world's time."""
        self._clock.set(unix_us(self._now()))
        return self.writer.run(job)

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """What the books say, as plain tuples."""
        return self.reader.read(lambda connection: [tuple(row) for row in connection.exec_driver_sql(query, values)])

    def publish(self, from_slot: int, blocks: list[list[int]], terms: Terms = PLAIN_TERMS, **charges: int) -> None:
        """A tariff from a slot on: [up to litres, mills a litre] each; `charges` are standing ones, by printed name."""
        printed = {"blocks": blocks, "utc_offset_minutes": OFFSET_MINUTES, **charges}
        key = f"{TARIFF}-{from_slot}"
        self.write(lambda tx: publish_tariff(tx, TARIFF, "Homes", printed, from_slot, terms, key))
        while self.write(work_off_one):
            pass

    def add(self, number: int, report_slots: int) -> tuple[bytes, str, str]:
        """A new meter: its id, its customer number, and what goes into it over the cable, as hex."""
        new = NewMeter(number.to_bytes(8, "big"), TARIFF, f"Customer {number}", START_SLOT)
        record = self.write(lambda tx: add_meter(tx, self.keyring, new))
        packs = tuple(
            (kind, pack.version, pack.from_slot, pack.body)
            for kind, pack in ((DOWN_TARIFF, record.tariff), (DOWN_POLICY, record.policy))
        )
        who = Identity(
            record.meter_id, record.root, record.generation, 1_000, report_slots, 0, record.opening_frame, packs
        )
        return record.meter_id, record.customer_number, encode(who).hex()

    def hear(self, meter_id: bytes, frame: bytes, bearer: Bearer) -> list[bytes] | None:
        """An uplink as a bearer hands it over; what is to be sent back, None for nothing new."""
        received = Received(meter_id, frame, bearer, _ADDRESS[bearer], unix_us(self._now()))
        answer: Answer = self.write(lambda tx: self.ingest.receive(tx, received))
        return None if answer.reply is None else seal(answer.reply)

    def pay(self, meter_id: bytes, number: str, amount_minor: int) -> list[bytes]:
        """A confirmed payment, credited at once; the frames that the headend pushes for it, in the same commit."""
        self._payments += 1
        payment = Payment("wave", f"T{self._payments}", number, amount_minor, "XOF", unix_us(self._now()))

        def job(tx: Tx) -> Any:
            return credit_payment(tx, payment), push_statement(tx, self.keyring, meter_id)

        outcome, reply = self.write(job)
        assert outcome.outcome is Outcome.CREDITED
        return [] if reply is None else seal(reply)
