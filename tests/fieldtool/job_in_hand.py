"""A technician's laptop with one claimed job, and whoever answers the checklist; the meter is on the bench."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fieldtool import commission, signing
from fieldtool.checklist import Checklist
from fieldtool.hands import Script, Voice
from fieldtool.session import Session
from fieldtool.store import JOBS, Store
from fieldtool.verb import Tool
from fieldtool.work_order import choose
from protocol.rules import policy as policy_rules
from protocol.rules import tariff as tariff_rules
from protocol.wire.console_codes import RETIRER, TECHNICIAN
from protocol.wire.grants import Grant, grant_key
from tests.firmware.rig import MIDNIGHT_S, POLICY, TARIFF

from .bench_meter import Bench, BenchClock, BenchLine

METER_ID, OLD_ID, ROOT, OLD_ROOT = "6775656c74610001", "6775656c74610009", bytes(range(16)), bytes(range(16, 32))
GRACE_MILLS = 2_000_000
JOB_ID = "17"
GOOD: dict[str, Any] = {
    "identify.serial": "WM-0012345",
    "pulse_weight.litres": "1",
    "volume_test.litres": "10",
    "leak_by.minutes": 1,
    "leak_by.dripping": False,
    "radio.bearer": "lorawan",
    "radio.margin_db": 17,
    "seal.number": "SC-0042",
    "position.place": "13.512345 2.112345",
    "consent.agrees": True,
    "consent.name": "Hadiza",
}


def added(meter_id: str = METER_ID, root: bytes = ROOT, litres_per_pulse: int = 1) -> dict[str, Any]:
    """What the headend hands out for a meter."""
    return {
        "meter_id": meter_id,
        "customer_number": "00000195",
        "generation": 1,
        "epoch": 0,
        "litres_per_pulse": litres_per_pulse,
        "first_index_l": 0,
        "root": root.hex(),
        "opening_frame": "",
        "tariff": {
            "version": TARIFF.version, "from_slot": TARIFF.from_slot, "body": tariff_rules.encode_body(TARIFF).hex()
        },
        "policy": {"version": POLICY.version, "from_slot": 0, "body": policy_rules.encode_body(POLICY).hex()},
    }  # fmt: skip


def granted(meter_id: str, root: bytes, role: int, number: int = 1, uses: int = 100) -> dict[str, Any]:
    """A grant for the bench's day, with its key."""
    grant = Grant(bytes.fromhex(meter_id), 1, number, role, uses, MIDNIGHT_S - 600, MIDNIGHT_S + 200_000)
    return {**grant._asdict(), "meter_id": meter_id, "key": grant_key(root, grant).hex()}


def job(kind: str = "install", **changed: Any) -> dict[str, Any]:
    """The claimed job as it lies in the folder."""
    swaps = kind == "swap"
    grants = [granted(METER_ID, ROOT, TECHNICIAN)] if kind in ("install", "swap") else []
    if kind in ("swap", "retire"):
        grants.append(granted(OLD_ID, OLD_ROOT, RETIRER))
    return {
        "state": "claimed",
        "job": {
            "job_id": JOB_ID,
            "kind": kind,
            "technician": "moussa",
            "meter_id": METER_ID if kind == "install" else OLD_ID,
            "new_meter_id": METER_ID if swaps else None,
            "customer_number": "00000195",
            "holder": "Hadiza",
            "service_point": "Porte 7, rue de la Guelta",
            "litres_per_pulse": 1,
            "currency": "XOF",
            "exponent": 0,
            "state": "claimed",
        },
        "identity": added() if kind in ("install", "swap") else None,
        "grants": grants,
        "installation_grace_mills": GRACE_MILLS,
        **changed,
    }


class Laptop:
    """A tool's folder with a key and one job, at a bench."""

    def __init__(self, folder: Path, claimed: dict[str, Any], bench: Bench) -> None:
        self.store = Store(folder)
        signing.load_or_make(self.store)
        self.store.keep_config(technician="moussa", headend="http://127.0.0.1:1", api_key="k")
        self.store.keep(JOBS, claimed["job"]["job_id"], claimed)
        self.line = BenchLine(bench)
        self.clock = BenchClock(self.line)
        self.poured = 10

    def tool(self, lang: str = "en", yes: bool = True) -> Tool:
        tool = Tool(commission.TEXTS, lang, as_json=True, port="bench", dry_run=False, yes=yes)
        tool._store = self.store
        return tool

    def checklist(self, voice: Voice) -> Checklist:
        kinds = ("install", "swap", "retire")
        return Checklist(voice, self.store, choose(self.store, "", kinds), self.clock)

    def session(self) -> Session:
        return Session(self.line, 0.05)  # type: ignore[arg-type]

    def install(self, voice: Voice | None = None) -> dict[str, Any]:
        """`guelta field commission` without its terminal."""
        voice = voice or Answers(self)
        return commission.install(self.checklist(voice), self.tool(voice.lang), self.session(), self.clock)


class Answers(Script):
    """The good answers, and hands that pour the bucket when the checklist says so."""

    def __init__(self, laptop: Laptop, lang: str = "en", **changed: Any) -> None:
        answers = {**GOOD, **{name.replace("__", "."): value for name, value in changed.items()}}
        super().__init__(lang, True, {name: value for name, value in answers.items() if value is not None})
        self.laptop = laptop
        self.said: list[str] = []

    def say(self, text: str) -> None:
        self.said.append(text)
        if "fill the bucket" in text or "remplissez le seau" in text:
            self.laptop.line.at.pour(self.laptop.poured)
