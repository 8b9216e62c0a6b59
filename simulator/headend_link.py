"""The one file that knows the headend: a real `guelta serve` on loopback, spoken to as the outside world would.

Gateways post uplinks, the operator signs payments, the office uses REST with an API key, and nobody reaches into the
process or its database. Before anything is asked, the headend's clock is set to the world's time, so that what it
books does not depend on the machine. `kill` is SIGKILL; `start` brings the same database up on the same port.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import select
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any, NamedTuple

import cbor2

from firmware.provisioning import identity_from_answer
from protocol.rules import tariff as tariff_rules

from . import prices
from .checkers import Reading
from .clock import OFFSET_MINUTES, SLOT_US, clock_text, unix_s, unix_us
from .phone import HeadendAway
from .report import Ledger
from .story import FRIENDLY_FROM_MINUTE, FRIENDLY_TO_MINUTE
from .teller import Line

TARIFF_CODE = "niger-household"
OPERATOR = "demo-money"
LOW_CREDIT_MILLS = 10_000
FRIENDLY_CAP_L = 1000
GRACE_S = 120

_STARTS_WITHIN_S = 30
_ANSWERS_WITHIN_S = 30
_ENDS_WITHIN_S = 10
_GUELTA = (sys.executable, "-m", "guelta")
_DATABASE = ("--db", "guelta.db")


class HeadendFailed(Exception):
    """The headend did not start, or refused what it must accept: never part of a story, always a defect."""


class Registered(NamedTuple):
    """A meter as the headend registered it: what its owner types, and what goes into the meter by cable."""

    customer_number: str
    provision_hex: str


class Correction(NamedTuple):
    """One rating correction (SEMANTICS B5): positive is a rise that was waived or debited, negative was given back."""

    mills: int


class HeadendLink:
    """A headend in its own process and folder. `now` tells the world's time in virtual microseconds."""

    def __init__(self, folder: Path, port: int, now: Callable[[], int]) -> None:
        self._folder, self._port, self._now = folder, port, now
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: HTTPConnection | None = None
        self._clock_us = -1
        self._messages = 0
        self._key = self._secret = ""

    # Life and death ------------------------------------------------------------------------------------------------

    @property
    def address(self) -> str:
        """Where the live page is."""
        return f"http://127.0.0.1:{self._port}/"

    def start(self) -> None:
        """Start it on its database (made on the first start) and wait until it answers."""
        if not self._folder.exists():
            self._folder.mkdir(parents=True)
            self._prepare()
        bound = ("--http", f"127.0.0.1:{self._port}", "--udp", "127.0.0.1:0")
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [*_GUELTA, "serve", *_DATABASE, *bound, "--mode=sim", "--clock=sim", "--currency", prices.CURRENCY],
                stdout=subprocess.PIPE,
                stderr=log,
                cwd=self._folder,
                process_group=0,  # Ctrl-C is for the rig, which then ends the headend
            )
        self._port = self._wait_until_ready()
        self._connection = HTTPConnection("127.0.0.1", self._port, timeout=_ANSWERS_WITHIN_S)
        self._clock_us = -1

    def kill(self) -> None:
        """SIGKILL, at whatever it is doing."""
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(signal.SIGKILL)
            process.wait()
            assert process.stdout is not None
            process.stdout.close()
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def stop(self) -> None:
        """End it the polite way."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(_ENDS_WITHIN_S)
            except subprocess.TimeoutExpired:
                pass  # then the impolite way, below
        self.kill()

    # Gateways ------------------------------------------------------------------------------------------------------

    def uplinks(self, frames: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        """POST /v1/uplinks: [(meter_id, frame)] up, [(meter_id, frame)] down, answered after the commit."""
        body = cbor2.dumps([list(pair) for pair in frames])
        answer = self._ask("POST", "/v1/uplinks", body, {"Content-Type": "application/cbor"})
        return [(bytes(meter_id), bytes(frame)) for meter_id, frame in cbor2.loads(answer)]

    def uplinks_then_kill(self, frames: list[tuple[bytes, bytes]]) -> None:
        """The same request, and SIGKILL before the answer is read: whether it was committed is the kernel's secret."""
        self._set_clock()
        assert self._connection is not None
        body = cbor2.dumps([list(pair) for pair in frames])
        self._connection.request("POST", "/v1/uplinks", body, {"Content-Type": "application/cbor"})
        self.kill()

    # The operator's payments ---------------------------------------------------------------------------------------

    def inquire(self, customer_number: str, amount: int) -> str:
        """Who would be paid, masked. HeadendFailed when the headend refuses the number or the amount."""
        answer = self._signed("inquire", {"account": customer_number, "amount": amount, "currency": prices.CURRENCY})
        if not answer["accepted"]:
            raise HeadendFailed(f"inquire was refused: {answer['reason']}")
        return str(answer["holder"])

    def notify(self, transaction: str, customer_number: str, amount: int) -> str:
        """Money has been taken; `credited`, `duplicate` or `suspense`. Each call is a message of its own."""
        fields = {
            "transaction_id": transaction,
            "account": customer_number,
            "amount": amount,
            "currency": prices.CURRENCY,
            "paid_at": _instant(self._now()),
        }
        return str(self._signed("notify", fields)["outcome"])

    # The office ----------------------------------------------------------------------------------------------------

    def publish_price(self, from_us: int, first_block_mills_per_l: int) -> None:
        """Publish the household tariff with this first-block price from a virtual time on. One mill a litre is one
        F CFA a cubic metre."""
        blocks = [{"upto_l": upto_l, "price": price} for upto_l, price in prices.blocks(first_block_mills_per_l)]
        standing = prices.STANDING_DAY_MILLS // prices.MILLS_PER_MINOR
        fields = {
            "code": TARIFF_CODE,
            "title": f"Niger, household / ménage, {first_block_mills_per_l} F CFA/m³",
            "valid_from": _instant(from_us),
            "prices": {"blocks": blocks, "utc_offset_minutes": OFFSET_MINUTES, "standing_day": standing},
        }
        self._rest("POST", "/v1/tariffs", fields)

    def add_meter(self, meter_id: bytes, holder: str, skew_mills: int) -> Registered:
        """Register a meter from now on. `skew_mills` spoils what is put into the meter, not what the books say."""
        friendly = {
            "days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"],
            "begins": clock_text(FRIENDLY_FROM_MINUTE),
            "ends": clock_text(FRIENDLY_TO_MINUTE),
        }
        fields = {
            "meter_id": meter_id.hex(),
            "holder": holder,
            "service_point": holder,
            "tariff_code": TARIFF_CODE,
            "policy": {
                "low_credit_mills": LOW_CREDIT_MILLS,
                "friendly_hours": [friendly],
                "friendly_cap_l": FRIENDLY_CAP_L,
                "friendly_until": "2030-01-01T00:00:00Z",
                "grace_s": GRACE_S,
            },
        }
        return _registered(self._rest("POST", "/v1/meters", fields), skew_mills)

    def reading(self, meter_id: bytes) -> Reading:
        """The counters of a meter as the books have them, and how many of its half-hours are stored."""
        meter = self._rest("GET", f"/v1/meters/{meter_id.hex()}")
        counters = meter["counters"]
        return Reading(
            volume_l=counters["volume_l"],
            credited_mills=counters["credited_mills"],
            debited_mills=counters["debited_mills"],
            spent_mills=counters["spent_mills"],
            collected_mills=counters["collected_mills"],
            balance_mills=counters["balance_mills"],
            valve_open=meter["valve"] != "closed",
            slots=self._slots_stored(meter_id),
        )

    def corrected_mills(self, meter_id: bytes) -> int:
        """A of SEMANTICS B5: the signed sum of rating corrections; what was given back is negative."""
        return int(self._rest("GET", f"/v1/meters/{meter_id.hex()}")["corrected_mills"])

    def cases(self, meter_id: bytes) -> tuple[str, ...]:
        """What the headend found wrong with a meter."""
        found = self._rest("GET", "/v1/cases?limit=500")["items"]
        return tuple(case["kind"] for case in found if case["meter_id"] == meter_id.hex())

    def ledger(self) -> Ledger:
        """What the headend's own check says of its books."""
        trial = self._rest("GET", "/v1/ledger/trial-balance")
        check = self._rest("GET", "/v1/ledger/check")
        return Ledger(trial["balanced"], trial["entries"], check["chain_ok"], tuple(check["faults"]))

    def tell(self, lines: list[Line]) -> None:
        """Put lines of the story on the live page."""
        for line in lines:
            fields = {
                "at_unix_s": unix_s(line.now_us),
                "who": line.who["fr"],
                "who_en": line.who["en"],
                "what_fr": line.what["fr"],
                "what_en": line.what["en"],
                "tone": line.tone,
            }
            self._rest("POST", "/sim/story", fields)

    # How it is spoken to -------------------------------------------------------------------------------------------

    def _slots_stored(self, meter_id: bytes) -> int:
        until = _instant((self._now() // SLOT_US + 1) * SLOT_US)
        path = f"/v1/meters/{meter_id.hex()}/slots?since={_instant(0)}&until={until}&step=month"
        series = self._rest("GET", path)
        return int(series["slots"]) - int(series["missing_slots"])

    def _rest(self, method: str, path: str, fields: dict[str, Any] | None = None) -> Any:
        headers = {"Authorization": f"Bearer {self._key}", "Content-Type": "application/json"}
        if method == "POST":
            self._messages += 1
            headers["Idempotency-Key"] = f"demo-{self._messages:08d}"
        body = None if fields is None else json.dumps(fields).encode()
        return json.loads(self._ask(method, path, body, headers))

    def _signed(self, verb: str, fields: dict[str, Any]) -> Any:
        """A request of the operator, signed over its raw bytes (Standard Webhooks)."""
        self._messages += 1
        message_id, timestamp = f"demo-{self._messages:08d}", str(unix_s(self._now()))
        body = json.dumps(fields).encode()
        signed = b".".join((message_id.encode(), timestamp.encode(), body))
        secret = base64.b64decode(self._secret.removeprefix("whsec_"))
        tag = base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()
        headers = {
            "Content-Type": "application/json",
            "webhook-id": message_id,
            "webhook-timestamp": timestamp,
            "webhook-signature": f"v1,{tag}",
        }
        return json.loads(self._ask("POST", f"/biller/v1/{OPERATOR}/{verb}", body, headers))

    def _set_clock(self) -> None:
        now_us = unix_us(self._now())
        if now_us != self._clock_us:
            self._clock_us = now_us
            self._send(
                "PUT", "/sim/clock", json.dumps({"unix_us": now_us}).encode(), {"Content-Type": "application/json"}
            )

    def _ask(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> bytes:
        if self._connection is None:
            raise HeadendAway
        self._set_clock()
        return self._send(method, path, body, headers)

    def _send(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> bytes:
        assert self._connection is not None
        try:
            self._connection.request(method, path, body, headers)
            response = self._connection.getresponse()
            answer = response.read()
        except (OSError, HTTPException) as broken:
            raise HeadendFailed(f"no answer to {method} {path}: {broken!r}. {self._last_words()}") from broken
        if not 200 <= response.status < 300:
            told = f"{method} {path} was answered {response.status}: {answer.decode(errors='replace')}"
            raise HeadendFailed(f"{told} {self._last_words() if response.status >= 500 else ''}")
        return answer

    # Its process ---------------------------------------------------------------------------------------------------

    def _prepare(self) -> None:
        """Make the office's API key and the operator's signing secret; each is shown once, to us."""
        scopes = [part for scope in ("read", "operate", "provision") for part in ("--scope", scope)]
        self._key = self._command("key", "create", *_DATABASE, "--name", "demo office", *scopes)
        self._secret = self._command("provider", "add", *_DATABASE, OPERATOR)

    def _command(self, *arguments: str) -> str:
        done = subprocess.run(
            [*_GUELTA, *arguments],
            cwd=self._folder,
            capture_output=True,
            text=True,
            timeout=_STARTS_WITHIN_S,
            check=False,
        )
        if done.returncode:
            raise HeadendFailed(f"guelta {' '.join(arguments[:2])} failed: {done.stderr.strip()}")
        return done.stdout.strip()

    def _wait_until_ready(self) -> int:
        """The port it listens on, from the one line it prints when it is ready."""
        assert self._process is not None and self._process.stdout is not None
        ready, _, _ = select.select([self._process.stdout], [], [], _STARTS_WITHIN_S)
        line = self._process.stdout.readline() if ready else b""
        if not line:
            self.kill()
            raise HeadendFailed(f"the headend did not start. {self._last_words()}")
        return int(json.loads(line)["http"][1])

    def _last_words(self) -> str:
        log = self._folder / "log"
        return log.read_text(errors="replace")[-2000:].strip() if log.exists() else ""


def _registered(added: dict[str, Any], skew_mills: int) -> Registered:
    """What the answer to POST /v1/meters makes of a meter: its customer number, and its provisioning record."""
    if skew_mills:
        added = {**added, "tariff": _skewed(added["tariff"], skew_mills)}
    return Registered(added["customer_number"], identity_from_answer(added).hex())


def _skewed(first: dict[str, Any], skew_mills: int) -> dict[str, Any]:
    """The same pack with a monthly charge that is so many mills too high."""
    tariff = tariff_rules.decode_body(first["version"], first["from_slot"], bytes.fromhex(first["body"]))
    wrong = tariff._replace(standing_month=tariff.standing_month + skew_mills * 10**tariff.scale)
    return {**first, "body": tariff_rules.encode_body(wrong).hex()}


def _instant(now_us: int) -> str:
    """A virtual time as RFC 3339 in UTC."""
    return datetime.fromtimestamp(unix_s(now_us), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
