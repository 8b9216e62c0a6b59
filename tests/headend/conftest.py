"""A headend's books in a temporary folder, with a clock that stands still until a test moves it.

Books that many tests start from are made once and copied.
"""

import hashlib
import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from headend.storage.writer import Tx
from tests.headend.world import World


@pytest.fixture(scope="session")
def opened_books(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Books in F CFA with the Niger tariff published, on 2026-11-02 at Niamey's midnight."""
    folder = tmp_path_factory.mktemp("opened")
    World(folder, random.Random(7)).close()
    return folder


@pytest.fixture(scope="session")
def busy_books(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Books with at least one row in every insert-only table: a month of a meter that paid, and its alarms."""
    folder = tmp_path_factory.mktemp("busy")
    world = World(folder, random.Random(8))
    meter = world.add()
    world.pay(meter.number, 500, "t1")
    event = {"provider": "wave", "message_id": "1", "received_us": 0, "raw": b"{}"}
    world.writer.run(lambda tx: tx.append("till_event", event))
    told = {"meter_id": meter.meter_id, "generation": 1, "contract_id": 1, "kind": "debt", "due_us": 0}
    told |= {"amount_mills": 1, "before_mills": 0, "text_fr": "Une correction.", "text_en": "A correction."}
    world.writer.run(lambda tx: tx.append("rating_notice", told))
    world.writer.run(_work_on_site)
    meter.use([1] * 48 * 30)
    for first in range(0, 48 * 28, 48):
        world.receive(meter, meter.report(first, 48))
    world.receive(meter, meter.report(48 * 28, 90))
    world.receive(meter, meter.gap(48 * 28 + 90, 6))
    world.receive(meter, meter.event(6, 1))
    world.close()
    return folder


def _work_on_site(tx: Tx) -> None:
    """A job that is recorded."""
    tx.cursor.execute(
        "INSERT INTO field_job (kind, technician, meter_id, litres_per_pulse, role, note, state, token_hash, attempts, "
        "claim_hash, created_us, not_before_us, expires_us) "
        "VALUES ('visit', 't', x'0000000000000001', 1, 2, '', 'done', x'00', 0, x'00', 0, 0, 1)"
    )
    proof = {"record": "{}", "record_hash": hashlib.sha256(b"{}").digest(), "signature": bytes(64)}
    whose = {"job_id": 1, "meter_id": bytes(7) + b"\x01", "technician": "t", "fingerprint": "0" * 16}
    tx.append("field_record", {**whose, **proof, "findings": "[]", "opening_frame": b"-"})


def _copy(books: Path, folder: Path) -> World:
    for file in books.iterdir():
        shutil.copy2(file, folder / file.name)
    return World(folder, random.Random(9))


@pytest.fixture
def world(opened_books: Path, tmp_path: Path) -> Iterator[World]:
    """An opened utility without meters."""
    made = _copy(opened_books, tmp_path)
    yield made
    made.close()


@pytest.fixture
def busy(busy_books: Path, tmp_path: Path) -> Iterator[World]:
    """A utility with a month behind it."""
    made = _copy(busy_books, tmp_path)
    yield made
    made.close()
