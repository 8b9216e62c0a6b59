"""A real `guelta serve` on loopback in wall time, as an office and its technicians know it: processes and REST."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[2]
TARIFF = "niger"
_STARTS_WITHIN_S = 60
_ANSWERS_WITHIN_S = 30
_GUELTA = (sys.executable, "-m", "guelta")


class Answer(NamedTuple):
    """What REST answered."""

    status: int
    json: Any


class Refusal(AssertionError):
    """The office was refused what it must be given."""


class Office:
    """One headend process with its database. `operator_key` may do all but field work."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.url = self.udp = self.operator_key = ""
        self._process: subprocess.Popen[bytes] | None = None
        self._technicians: dict[str, str] = {}
        self._asked = self._meters = 0

    def open(self) -> None:
        """Make its database and the operator's key, start it, publish a tariff."""
        self.folder.mkdir(parents=True, exist_ok=True)
        scopes = [part for scope in ("read", "operate", "provision", "admin") for part in ("--scope", scope)]
        self.operator_key = self.command("key", "create", "--name", "operator", *scopes)
        self.provider_secret = self.command("provider", "add", "wave", "--minimum", "1")
        (self.folder / "wave.secret").write_text(self.provider_secret)
        self.start()
        tariff = json.loads((ROOT / "docs/examples/niger.json").read_text())
        self.post("/v1/tariffs", {**tariff, "code": TARIFF})

    def start(self) -> None:
        """Start it, on the ports it had before if it ran before."""
        http, udp = self.url.removeprefix("http://") or "127.0.0.1:0", self.udp or "127.0.0.1:0"
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [*_GUELTA, "serve", "--http", http, "--udp", udp],
                stdout=subprocess.PIPE, stderr=log, cwd=self.folder, process_group=0,
            )  # fmt: skip
        assert self._process.stdout is not None
        ready = select.select([self._process.stdout], [], [], _STARTS_WITHIN_S)[0]
        line = self._process.stdout.readline() if ready else b""
        assert line, f"the headend did not start: {(self.folder / 'log').read_text()[-2000:]}"
        told = json.loads(line)
        self.url = f"http://{told['http'][0]}:{told['http'][1]}"
        self.udp = f"{told['udp'][0]}:{told['udp'][1]}"

    def stop(self) -> None:
        """End it, if it runs."""
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(signal.SIGTERM)
            process.wait(_STARTS_WITHIN_S)
            assert process.stdout is not None
            process.stdout.close()

    def command(self, *arguments: str) -> str:
        """`guelta …` in its folder; what it printed."""
        done = subprocess.run(
            [*_GUELTA, *arguments], cwd=self.folder, capture_output=True, text=True, timeout=_STARTS_WITHIN_S,
            check=False,
        )  # fmt: skip
        if done.returncode:
            raise Refusal(f"guelta {' '.join(arguments)}: {done.stderr}")
        return done.stdout.strip()

    # REST -----------------------------------------------------------------------------------------------------------

    def ask(self, method: str, path: str, body: Any = None, key: str | None = None) -> Answer:
        """Any request with any key (the operator's unless said otherwise), and its answer, refused or not."""
        self._asked += 1
        headers = {
            "Authorization": f"Bearer {self.operator_key if key is None else key}",
            "Content-Type": "application/json",
            "Idempotency-Key": f"office-{os.getpid()}-{self._asked:06d}",
        }
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=_ANSWERS_WITHIN_S) as answer:
                return Answer(answer.status, json.loads(answer.read() or b"null"))
        except urllib.error.HTTPError as refused:
            with refused:
                return Answer(refused.code, json.loads(refused.read() or b"null"))

    def post(self, path: str, body: Any, key: str | None = None) -> Any:
        """POST what must succeed."""
        return self._must(self.ask("POST", path, body, key), path)

    def get(self, path: str, key: str | None = None) -> Any:
        """GET what must be there."""
        return self._must(self.ask("GET", path, None, key), path)

    @staticmethod
    def _must(answer: Answer, path: str) -> Any:
        if not 200 <= answer.status < 300:
            raise Refusal(f"{path} was answered {answer.status}: {answer.json}")
        return answer.json

    # What an office does --------------------------------------------------------------------------------------------

    def technician(self, name: str = "technician-1") -> str:
        """The API key of a technician; the same for the same name."""
        if name not in self._technicians:
            self._technicians[name] = self.post("/v1/keys", {"name": name, "scopes": ["field"]})["key"]
        return self._technicians[name]

    def new_meter_id(self) -> str:
        """An id that no other meter of this office has."""
        self._meters += 1
        return f"6775656c7461{self._meters:04x}"

    def meter_to_add(self, **fields: Any) -> dict[str, Any]:
        """What a meter is registered with."""
        return {
            "meter_id": self.new_meter_id(),
            "holder": "Household 1",
            "service_point": "Plot 1",
            "tariff_code": TARIFF,
            **fields,
        }

    def add_meter(self, **fields: Any) -> dict[str, Any]:
        """Register a meter without a technician; what `guelta meter add` prints, its root included."""
        return dict(self.post("/v1/meters", self.meter_to_add(**fields)))

    def job(self, kind: str = "install", technician: str = "technician-1", **fields: Any) -> dict[str, Any]:
        """A job for a technician, with its one-time token."""
        self.technician(technician)
        asked: dict[str, Any] = {"kind": kind, "technician": technician, "hours": 24, "note": "", **fields}
        if kind == "install":
            asked.setdefault("meter", self.meter_to_add())
        return dict(self.post("/v1/field/jobs", asked))

    def pay(self, customer_number: str, amount: int) -> None:
        """The customer pays so much by phone."""
        pay = [sys.executable, str(ROOT / "docs/examples/pay.py"), "wave.secret", customer_number, str(amount)]
        done = subprocess.run(
            [*pay, "--url", self.url], cwd=self.folder, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0 and "credited" in done.stdout, done.stdout + done.stderr

    def meter(self, meter_id: str) -> Any:
        """What the books hold of a meter."""
        return self.get(f"/v1/meters/{meter_id}")
