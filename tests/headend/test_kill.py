"""kill -9 under load: nothing acknowledged is lost, nothing is doubled, the books balance (CT-06, reliability H1, I13).

A kill proves nothing about power loss (synchronous=FULL is asserted at every start instead, test_storage.py); it proves
that acknowledgements wait for commits and that a restart goes on where the commits ended. The control acknowledges
early and must fail the same checker.
"""

import base64
import http.client
import json
import mmap
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from headend.ledger.checks import check_books
from headend.payments import providers
from headend.payments.signature import sign
from headend.storage.reader import Reader
from protocol.wire import cbor
from tests.figures import publish
from tests.headend.virtual_meter import VirtualMeter
from tests.headend.world import World

KILLS = 20
KILLS_IN_WORLDS = 100  # in each of two chunks
METERS = 3
FRAMES_BETWEEN = 5
VICTIM = Path(__file__).with_name("victim.py")
PLACES = ("mid-write", "between", "idle")


@dataclass
class Load:
    """Three meters and a payer that never stop asking, and what they were told is safe."""

    meters: list[VirtualMeter]
    secret: bytes
    port: int = 0
    running: threading.Event = field(default_factory=threading.Event)
    stopped: bool = False
    frames: Counter[tuple[bytes, int]] = field(default_factory=Counter)
    payments: Counter[str] = field(default_factory=Counter)
    asked: int = 0

    def post(self, path: str, body: bytes, headers: dict[str, str]) -> bytes | None:
        """The body of a 200, or None when the headend is gone (or going): then nothing is known."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("POST", path, body, headers)
            answer = connection.getresponse()
            return answer.read() if answer.status == 200 else None
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()

    def report(self, meter: VirtualMeter) -> None:
        """One slot after another; a frame that was not acknowledged is sent again, the same bytes."""
        index = 0
        while not self.stopped:
            frame = meter.report(index, 1)
            while not self.stopped:
                self.running.wait(0.2)
                body = cbor.encode([[meter.meter_id, frame]])
                answer = self.post("/v1/uplinks", body, {"Content-Type": "application/cbor"})
                if answer is None:
                    time.sleep(0.01)
                    continue
                self.frames[meter.meter_id, meter.counter - 1] += 1
                for _, downlink in cbor.decode(answer, 2, 4000, 100_000):
                    meter.hear_frame(downlink)
                break
            index += 1

    def pay(self) -> None:
        """A provider that notifies until it is answered."""
        while not self.stopped:
            self.asked += 1
            transaction = f"tx-{self.asked}"
            meter = self.meters[self.asked % len(self.meters)]
            body = {"transaction_id": transaction, "account": meter.number, "amount": 100 + self.asked % 7}
            raw = json.dumps({**body, "currency": "XOF", "paid_at": "2026-11-20T08:00:00Z"}).encode()
            while not self.stopped:
                self.running.wait(0.2)
                now_s = int(time.time())
                headers = {
                    "webhook-id": transaction,
                    "webhook-timestamp": str(now_s),
                    "Content-Type": "application/json",
                }
                signature = sign(self.secret, transaction, now_s, raw)
                if self.post("/biller/v1/wave/notify", raw, {**headers, "webhook-signature": signature}) is not None:
                    self.payments[transaction] += 1
                    break
                time.sleep(0.01)


@dataclass(frozen=True)
class Verdict:
    """What the checker found after all kills."""

    acknowledged: int
    lost: list[str]
    doubled: list[str]
    faults: list[str]


def judge(database: Path, load: Load) -> Verdict:
    """Every acknowledged frame and payment is in the books once, everything in the books is there once, all agrees."""
    reader = Reader(database)

    def counted(query: str) -> dict[tuple[object, ...], int]:
        rows = reader.read(lambda connection: connection.exec_driver_sql(query).fetchall())
        return {tuple(row[:-1]): row[-1] for row in rows}

    frames = counted("SELECT meter_id, counter, count(*) FROM uplink GROUP BY 1, 2")
    payments = counted("SELECT provider_txn_id, count(*) FROM payment GROUP BY 1")
    lost = [f"frame {key}" for key in load.frames if frames.get(key, 0) == 0]
    lost += [f"payment {key}" for key in load.payments if payments.get((key,), 0) == 0]
    doubled = [f"row {key}" for key, count in {**frames, **payments}.items() if count > 1]
    slots = counted(
        "SELECT meter_id, segment_first_slot, count(*) FROM (SELECT meter_id, segment_first_slot FROM uplink "
        "WHERE wallet_mills IS NOT NULL UNION ALL SELECT meter_id, segment_first_slot FROM segment) GROUP BY 1, 2"
    )
    doubled += [f"slot {key}" for key, count in slots.items() if count > 1]
    faults = [str(fault) for fault in reader.read(check_books)]
    reader.close()
    return Verdict(len(load.frames) + len(load.payments), lost, doubled, faults)


class Victims:
    """Headend processes, one after another, and the byte that says what the last one was doing when it died."""

    def __init__(self, folder: Path, way: str) -> None:
        mark_file = folder / "mark"
        mark_file.write_bytes(b"\x00")
        with mark_file.open("r+b") as file:
            self.mark = mmap.mmap(file.fileno(), 1)
        self.log = folder / "log"
        arguments = ["--db", str(folder / "books.db"), "--key-file", str(folder / "keys")]
        command = [sys.executable, str(VICTIM), str(mark_file), way, *arguments]
        with self.log.open("ab") as log:
            self.parent = subprocess.Popen(
                [*command, "--http", "127.0.0.1:0", "--udp", "127.0.0.1:0"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                cwd=VICTIM.parents[2],
                env={**os.environ, "PYTHONPATH": str(VICTIM.parents[2])},
            )
        self.process = 0

    def start(self, load: Load) -> None:
        """The next headend, and where it listens."""
        assert self.parent.stdin is not None
        self.mark[0] = 0
        self.parent.stdin.write(b"start\n")
        self.parent.stdin.flush()
        self.process = self._said()["process"]
        load.port = self._said()["http"][1]

    def _said(self) -> dict[str, Any]:
        assert self.parent.stdout is not None
        line = self.parent.stdout.readline()
        assert line, self.log.read_text()[-3000:]
        said: dict[str, Any] = json.loads(line)
        assert "ended" not in said, self.log.read_text()[-3000:]
        return said

    def end(self, how: signal.Signals) -> None:
        """Send the signal and wait until the process is gone."""
        assert self.parent.stdout is not None
        os.kill(self.process, how)
        assert json.loads(self.parent.stdout.readline()) == {"ended": self.process}

    def close(self) -> None:
        assert self.parent.stdin is not None and self.parent.stdout is not None
        self.parent.stdin.close()
        self.parent.wait()
        self.parent.stdout.close()

    def kill(self, place: str, load: Load) -> str:
        """SIGKILL as near to the wanted place as can be; returns where it really fell."""
        if place == "idle":
            load.running.clear()
            time.sleep(0.25)
        wanted = 1 if place == "mid-write" else 0
        deadline = time.monotonic() + 3
        while self.mark[0] != wanted and time.monotonic() < deadline:
            pass
        self.end(signal.SIGKILL)
        if self.mark[0] == 1:
            return "mid-write"
        return "idle" if place == "idle" else "between"


def kill_again_and_again(folder: Path, way: str, kills: int) -> tuple[Verdict, Counter[str]]:
    """A headend under load, killed so many times; then the verdict and where the kills fell."""
    world = World(folder, random.Random(1))
    meters = [world.add(number) for number in range(1, METERS + 1)]
    text = world.writer.run(lambda tx: providers.add(tx, world.keyring, os.urandom, "wave", 1, 10**6))
    world.close()
    for meter in meters:
        meter.use([1, 0, 2, 5] * 1_000)
    load = Load(meters, base64.b64decode(text.removeprefix("whsec_")))
    threads = [threading.Thread(target=load.report, args=(meter,)) for meter in meters]
    threads.append(threading.Thread(target=load.pay))
    fell: Counter[str] = Counter()
    victims = Victims(folder, way)
    victims.start(load)
    for thread in threads:
        thread.start()
    try:
        for number in range(kills):
            load.running.set()
            before = len(load.frames)
            deadline = time.monotonic() + 10
            while len(load.frames) < before + FRAMES_BETWEEN and time.monotonic() < deadline:
                time.sleep(0.005)
            fell[victims.kill(PLACES[number % len(PLACES)], load)] += 1
            victims.start(load)
        load.running.set()
        time.sleep(0.3)
    finally:
        load.stopped = True
        for thread in threads:
            thread.join()
        victims.end(signal.SIGTERM)
        victims.close()
    return judge(folder / "books.db", load), fell


def judged(folder: Path, kills: int) -> int:
    """So many kills without a violation; how many frames and payments were acknowledged."""
    verdict, fell = kill_again_and_again(folder, "honest", kills)
    print(f"{kills} kills fell {dict(fell)}; {verdict.acknowledged} acknowledged")
    assert set(fell) == set(PLACES), "every place must have been hit"
    assert (verdict.lost, verdict.doubled, verdict.faults) == ([], [], [])
    return verdict.acknowledged


@pytest.mark.slow
def test_kills_lose_nothing_acknowledged_and_double_nothing(tmp_path: Path) -> None:
    """H1, I4, I13, target 8."""
    judged(tmp_path, KILLS)


@pytest.mark.worlds
@pytest.mark.timeout(600)
@pytest.mark.parametrize("chunk", [1, 2])
def test_200_kills_lose_nothing_acknowledged_and_double_nothing(tmp_path: Path, chunk: int) -> None:
    """H1, I4, I13, target 8."""
    acknowledged = judged(tmp_path, KILLS_IN_WORLDS)
    publish("kills", f"chunk-{chunk}", kills=KILLS_IN_WORLDS, acknowledged=acknowledged)


@pytest.mark.slow
def test_the_control_that_acknowledges_early_is_caught(tmp_path: Path) -> None:
    """The same load, the same checker: acknowledged work must be missing."""
    verdict, fell = kill_again_and_again(tmp_path, "early", 4)
    print(f"control: 4 kills fell {dict(fell)}; lost {len(verdict.lost)} of {verdict.acknowledged}")
    assert verdict.lost
