"""A small utility for tests: its books, its clock, its meters, and the few acts that tests need."""

import random
from pathlib import Path
from typing import Any

from headend.billing.tariffs import Terms, publish_tariff
from headend.billing.work import work_off, work_off_one
from headend.clock import SimClock
from headend.ingest.pipeline import Ingest
from headend.ingest.received import Answer, Bearer, Received
from headend.ledger.books import open_books
from headend.ledger.payments import Payment, PaymentOutcome, credit_payment
from headend.meters.keyring import Keyring
from headend.meters.registry import NewMeter, Provisioning, add_meter
from headend.storage import migrate
from headend.storage.reader import Reader
from headend.storage.writer import Tx, Writer
from protocol.rules.calendar import Offsets, day_of_date, first_slot_of_day, slot_start
from tests.headend.virtual_meter import VirtualMeter

NIAMEY = Offsets(60, ())
NIGER = {"blocks": [[10_000, 127], [40_000, 279], [0, 448]], "utc_offset_minutes": 60}


def slot_at(year: int, month: int, day: int, half_hour: int = 0) -> int:
    """A slot of a local day in Niamey."""
    return first_slot_of_day(day_of_date(year, month, day), NIAMEY) + half_hour


START_SLOT = slot_at(2026, 11, 2)


class World:
    """One database, one writer, and meters with numbers 1, 2, 3, …"""

    def __init__(
        self,
        folder: Path,
        chance: random.Random,
        currency: str = "XOF",
        exponent: int = 0,
        high_water: Path | None = None,
    ) -> None:
        self.path = folder / "books.db"
        self.chance = chance
        self.clock = SimClock(slot_start(START_SLOT) * 1_000_000)
        is_new = not self.path.exists()
        if is_new:
            migrate.upgrade(self.path)
        self.writer = Writer(self.path, self.clock, high_water)
        self.reader = Reader(self.path)
        self.keyring = Keyring(folder / "keys", chance.randbytes)
        self.ingest = Ingest(self.keyring, chance.randbytes)
        if is_new:
            self.writer.run(lambda tx: open_books(tx, "Guelta", currency, exponent))
            self.publish(NIGER, START_SLOT - 48 * 40)

    def close(self) -> None:
        self.writer.close()
        self.reader.close()

    def publish(self, printed: dict[str, Any], from_slot: int, late: str = "waive", **terms: Any) -> int:
        """Publish a tariff of the homes and rate again what it changes."""
        made = self.announce(printed, from_slot, late, **terms)
        self.work_off()
        return made

    def announce(self, printed: dict[str, Any], from_slot: int, late: str = "waive", **terms: Any) -> int:
        """Publish a tariff of the homes; the meters wait for their turn."""
        key = f"tariff-{from_slot}-{late}-{printed}"
        known = Terms(late, **terms)
        return self.writer.run(lambda tx: publish_tariff(tx, "home", "Homes", printed, from_slot, known, key))

    def work_off(self) -> None:
        """Do what is due by the clock, one small job after the other."""
        while self.writer.run(work_off_one):
            pass

    def work_off_meter(self, number: int) -> None:
        """The same for one meter."""
        self.writer.run(lambda tx: work_off(tx, number.to_bytes(8, "big")))

    def pass_days(self, days: int) -> None:
        """Let so many days pass in the headend, and do what falls due."""
        self.clock.set(self.clock.unix_us() + days * 86_400_000_000)
        self.work_off()

    def add(self, number: int = 1, **changes: Any) -> VirtualMeter:
        """A meter with its record, opened as a technician leaves it."""
        fields: dict[str, Any] = {
            "meter_id": number.to_bytes(8, "big"),
            "tariff_code": "home",
            "customer_name": f"Customer {number}",
            "start_slot": START_SLOT,
        }
        new = NewMeter(**{**fields, **changes})
        return self.meter(self.writer.run(lambda tx: add_meter(tx, self.keyring, new)))

    def meter(self, record: Provisioning) -> VirtualMeter:
        return VirtualMeter(record)

    def receive(self, meter: VirtualMeter, frame: bytes, bearer: Bearer = Bearer.UDP) -> Answer:
        """Hand one frame to ingest and let the meter hear the answer."""
        answer = self.lose_answer(meter, frame, bearer)
        meter.hear(answer.reply)
        return answer

    def lose_answer(self, meter: VirtualMeter, frame: bytes, bearer: Bearer = Bearer.UDP) -> Answer:
        """Hand one frame to ingest; the answer is lost on its way."""
        received = Received(meter.meter_id, frame, bearer, "127.0.0.1 5555", self.clock.unix_us())
        return self.writer.run(lambda tx: self.ingest.receive(tx, received))

    def pay(self, number: str, amount_minor: int, transaction: str, **changes: Any) -> PaymentOutcome:
        return self.writer.run(lambda tx: self.credit(tx, number, amount_minor, transaction, **changes))

    def credit(self, tx: Tx, number: str, amount_minor: int, transaction: str, **changes: Any) -> PaymentOutcome:
        """The same inside a job."""
        fields: dict[str, Any] = {
            "provider": "wave",
            "provider_txn_id": transaction,
            "reference": number,
            "amount_minor": amount_minor,
            "currency": "XOF",
            "paid_at_us": self.clock.unix_us(),
        }
        return credit_payment(tx, Payment(**{**fields, **changes}))

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """What the books say, as plain tuples."""
        return self.reader.read(lambda connection: [tuple(row) for row in connection.exec_driver_sql(query, values)])

    def one(self, query: str, *values: Any) -> Any:
        return self.rows(query, *values)[0][0]
