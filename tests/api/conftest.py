"""A whole headend on a free port, its clock standing still until a test moves it, and a client that can sign."""

import base64
import json
import os
import shutil
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import structlog

import headend.storage.sqlite  # noqa: F401  # isort: split
from headend.api import keys
from headend.api.endpoint import SCOPES
from headend.app import Running, running
from headend.clock import SimClock
from headend.ledger.books import open_books
from headend.meters.keyring import Keyring
from headend.payments import providers
from headend.payments.amounts import EXPONENTS
from headend.payments.signature import sign
from headend.settings import Address, Settings
from headend.storage import migrate
from headend.storage.writer import Writer
from tests.headend.signed import PUBLIC_KEY

NOW_UNIX_S = 1_771_700_400  # 2026-02-21T19:00:00Z, a full half-hour
NIGER = {"blocks": [{"upto_l": 10000, "price": 127}, {"upto_l": 0, "price": 279}], "utc_offset_minutes": 60}
METER = "0000000000000001"
CUSTOMER = "00000195"


@dataclass
class Reply:
    """An answer: status, headers, and the body as JSON or text."""

    status: int
    headers: Any
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def code(self) -> str:
        """The stable code of a refusal."""
        return str(self.json["code"])


class House:
    """A running headend with one provider `wave`, and ways to ask it."""

    def __init__(self, started: Running, clock: SimClock, api_key: str, secret: bytes, session: aiohttp.ClientSession):
        self.started = started
        self.clock = clock
        self.api_key = api_key
        self.secret = secret
        self.session = session
        self.url = f"http://127.0.0.1:{started.http[1]}"
        self._numbers = iter(range(10**6))

    async def ask(self, method: str, path: str, raw: bytes | None = None, **headers: str) -> Reply:
        """A request with exactly these headers (underscores for dashes)."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        async with self.session.request(method, self.url + path, data=raw, headers=named) as response:
            return Reply(response.status, response.headers, await response.text())

    async def get(self, path: str, **headers: str) -> Reply:
        return await self.ask("GET", path, **{"authorization": f"Bearer {self.api_key}", **headers})

    async def post(self, path: str, body: Any, **headers: str) -> Reply:
        """A JSON request with the key and a new Idempotency-Key, unless `headers` says otherwise."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        number = f"test-key-{next(self._numbers)}"
        usual = {
            "authorization": f"Bearer {self.api_key}",
            "content_type": "application/json",
            "idempotency_key": number,
        }
        return await self.ask("POST", path, raw, **{**usual, **headers})

    def signed(self, raw: bytes, at_unix_s: int = NOW_UNIX_S, message_id: str = "msg_1", secret: bytes | None = None):
        """The headers of a provider that signs these bytes."""
        signature = sign(self.secret if secret is None else secret, message_id, at_unix_s, raw)
        return {
            "content_type": "application/json",
            "webhook_id": message_id,
            "webhook_timestamp": str(at_unix_s),
            "webhook_signature": signature,
        }

    async def notify(self, body: Any, **changes: Any) -> Reply:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return await self.ask("POST", "/biller/v1/wave/notify", raw, **self.signed(raw, **changes))

    async def inquire(self, body: Any) -> Reply:
        raw = json.dumps(body).encode()
        return await self.ask("POST", "/biller/v1/wave/inquire", raw, **self.signed(raw))

    async def status_of(self, transaction_id: str) -> Reply:
        path = f"/biller/v1/wave/status/{transaction_id}"
        return await self.ask("GET", path, **self.signed(path.encode()))

    async def meter(self, meter_id: str = METER) -> Any:
        return (await self.get(f"/v1/meters/{meter_id}")).json

    async def books(self) -> Any:
        """Everything a refusal must leave as it was."""
        return (await self.get("/v1/ledger/trial-balance")).text, (await self.get("/healthz")).json["last_commit"]

    async def settle_in(self) -> None:
        """Publish the Niger tariff and add one meter with customer number 00000195."""
        tariff = {"code": "niger", "title": "Niger 2006", "valid_from": "2026-01-01T00:00:00Z", "prices": NIGER}
        assert (await self.post("/v1/tariffs", tariff)).status == 201
        meter = {"meter_id": METER, "holder": "Aïcha Abdou", "service_point": "Concession 1", "tariff_code": "niger"}
        added = await self.post("/v1/meters", meter)
        assert added.json["customer_number"] == CUSTOMER


def payment(**changes: Any) -> dict[str, Any]:
    """A notification of 500 F CFA for the first customer."""
    usual = {"transaction_id": "TX1", "account": CUSTOMER, "amount": 500, "currency": "XOF"}
    return {**usual, "paid_at": "2026-02-21T18:59:00Z", **changes}


@dataclass(frozen=True)
class Prepared:
    """A database with one API key of every scope and one provider, to be copied for each test."""

    folder: Path
    api_key: str
    secret_text: str


@pytest.fixture(autouse=True, scope="session")
def quiet() -> None:
    """Keep log lines below "critical" out of the test's output."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))


def prepare(folder: Path, currency: str) -> Prepared:
    """Make the database of a utility in this currency."""
    folder.mkdir()
    migrate.upgrade(folder / "a.db")
    keyring = Keyring(folder / "a.kek", os.urandom)
    writer = Writer(folder / "a.db", SimClock(0))
    writer.run(lambda tx: open_books(tx, "Test", currency, EXPONENTS[currency]))
    api_key = writer.run(lambda tx: keys.create(tx, "test", SCOPES, os.urandom))
    secret = writer.run(lambda tx: providers.add(tx, keyring, os.urandom, "wave", 100, 1_000_000))
    writer.close()
    return Prepared(folder, api_key, secret)


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Prepared]]:
    folder = tmp_path_factory.mktemp("prepared")
    yield {currency: prepare(folder / currency, currency) for currency in ("XOF", "KES", "TND")}


@pytest.fixture
def currency() -> str:
    """Tests of other currencies parametrize this."""
    return "XOF"


@pytest.fixture
def mode() -> str:
    """`sim` or `production`."""
    return "sim"


@pytest.fixture
def release_key() -> bytes:
    """Empty: a headend that was given none."""
    return PUBLIC_KEY


@pytest.fixture
async def house(
    tmp_path: Path, prepared: dict[str, Prepared], currency: str, mode: str, release_key: bytes
) -> AsyncIterator[House]:
    """A running headend on its own copy of the database."""
    made = prepared[currency]
    shutil.copytree(made.folder, tmp_path / "data")
    here = Address("127.0.0.1", 0)
    files = (tmp_path / "data" / "a.db", tmp_path / "data" / "a.kek")
    how = {"currency": currency, "release_key": release_key}
    settings = Settings(*files, here, here, mode, "sim" if mode == "sim" else "system", **how)
    clock = SimClock(NOW_UNIX_S * 1_000_000)
    async with running(settings, clock, os.urandom, 1) as started, aiohttp.ClientSession() as session:
        secret = base64.b64decode(made.secret_text.removeprefix("whsec_"))
        yield House(started, clock, made.api_key, secret, session)
