"""What the office, technicians and providers do in a world, and what befalls the headend's machine: restores, a full
disk. Each act is a commit of the real headend, as its REST interface and its commands make it."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import headend.storage.sqlite  # noqa: F401  # isort: split  (before anything that loads SQLAlchemy)
from headend.backups import back_up, record_file
from headend.ledger import payments
from headend.meters.commands import order
from headend.meters.rekey import ask_rekey
from headend.meters.renewal import renew_meter
from headend.meters.retirement import retire_meter
from headend.meters.swap import execute_swap, prepare_swap
from headend.payments import inquire, notify, providers, signature
from headend.payments.shapes import Inquiry, ProviderPath
from headend.refusals import Code, Refused
from headend.restore import restore
from headend.storage import sqlite
from headend.storage.audit import Actor

from .clock import unix_s, unix_us
from .headend_within import CURRENCY, PROVIDER, Down, Frames, HeadendWithin, Registered, _payment_id, _registered

__all__ = ["Office", "Refused"]

_ROOM_PAGES = 2**31 - 2
_OPERATOR = Actor("cli", "root", "db restore")
_SECRET_PREFIX = "whsec_"


class Office(HeadendWithin):
    """A headend and everybody who works with it."""

    def __init__(self, folder: Path, chance: Any, now: Callable[[], int]) -> None:
        super().__init__(folder, chance, now)
        self.restores = 0
        self.disk_full = False
        self._backups: dict[int, Path] = {}
        named = (PROVIDER, 1, 10**9)
        self._secret = self.write(lambda tx: providers.add(tx, self.keyring, self._random, *named))

    # Providers -----------------------------------------------------------------------------------------------------

    def inquire(self, account: str, amount: int) -> bool:
        """Whether the operator may take this money for this account."""
        asked = Inquiry(account=account, amount=amount)
        answer = self.reader.read(lambda connection: inquire.inquire(connection, ProviderPath(PROVIDER), asked))
        return bool(answer.accepted)

    def sign(self, message_id: str, body: bytes, at_us: int) -> dict[str, str]:
        """The headers of a message that the operator signed then."""
        at_s = unix_s(at_us)
        signed = signature.sign(_secret_bytes(self._secret), message_id, at_s, body)
        return {"webhook-id": message_id, "webhook-timestamp": str(at_s), "webhook-signature": signed}

    def notify_signed(self, headers: dict[str, str], body: bytes) -> tuple[str, Frames]:
        """A notification from anywhere: (its answer, what is pushed), or (why it is not believed, [])."""
        if not self.up:
            raise Down
        secrets = self.reader.read(lambda connection: providers.secrets_of(connection, self.keyring, PROVIDER))
        verdict = signature.verify(secrets, headers, body, unix_s(self._now()))
        if verdict is not signature.Verdict.GOOD:
            return str(verdict.value), []
        kept = self.write(lambda tx: notify.keep(tx, PROVIDER, headers["webhook-id"], body))
        return self._answer(kept)

    def resolve(self, transaction: str, customer_number: str) -> None:
        """Money in suspense is given to whom it was meant for."""
        self.write(
            lambda tx: payments.resolve_suspense(tx, _payment_id(tx, transaction), customer_number, "whose it is")
        )

    # The office ----------------------------------------------------------------------------------------------------

    def command(self, meter_id: bytes, code: int, argument: int, cap: int, lasts_s: int) -> None:
        """Order something of a meter, to be done within so many seconds."""
        expires_s = unix_s(self._now()) + lasts_s
        self.write(lambda tx: order(tx, meter_id, code, argument, cap, expires_s))

    def rekey(self, meter_id: bytes) -> None:
        """Ask a meter to change its keys."""
        self.write(lambda tx: ask_rekey(tx, meter_id))

    # Technicians ---------------------------------------------------------------------------------------------------

    def renew(self, meter_id: bytes, index_l: int | None, report_slots: int) -> tuple[Registered, int]:
        """Another wallet and root key for the same meter; what goes into it by cable, and its register."""
        try:
            made = self.write(lambda tx: renew_meter(tx, self.keyring, meter_id, index_l))
        except Refused as refused:
            if refused.code is not Code.INDEX_BEHIND:
                raise
            made = self.write(lambda tx: renew_meter(tx, self.keyring, meter_id, None))  # somebody told more of it
        return _registered(made, report_slots), made.first_index_l

    def spare(self, old_id: bytes, new_id: bytes, report_slots: int) -> Registered:
        """A spare for the place of a meter. The same again is the same spare."""
        made = self.write(lambda tx: prepare_swap(tx, self.keyring, old_id, new_id, 1))
        return _registered(made, report_slots, grace_mills=10**9)

    def swap(self, old_id: bytes, new_id: bytes, at_slot: int, index_l: int | None) -> bytes:
        """The spare hangs there; its OPENING, to be carried by cable."""
        indices = (at_slot, index_l, 0)
        frame: bytes = self.write(lambda tx: execute_swap(tx, self.keyring, old_id, new_id, *indices))
        return frame

    def retire(self, meter_id: bytes, index_l: int | None) -> None:
        """The meter is taken away for good."""
        self.write(lambda tx: retire_meter(tx, meter_id, index_l))

    def state_of(self, meter_id: bytes) -> str:
        """What the registry says of a meter: active, quarantined, spare, retired."""
        return str(self.rows("SELECT state FROM meter WHERE meter_id = ?", meter_id)[0][0])

    # The machine ---------------------------------------------------------------------------------------------------

    def fill_disk(self, full: bool) -> None:
        """No page more may be written, or as many as one likes; the next start of the headend finds room again."""
        pages = self.rows("PRAGMA page_count")[0][0] if full else _ROOM_PAGES
        connection = sqlite.raw(self.writer._connection)
        self.writer.run(lambda _tx: connection.execute(f"PRAGMA max_page_count = {pages}").fetchone())

    def back_up(self, number: int) -> None:
        """Make a backup, to be restored under its number."""
        file = self.folder / f"backup-{number}.db"
        back_up(self.path, file)
        self._backups[number] = file

    def restore(self, number: int, with_high_water: bool) -> int:
        """Stop, put the backup in the place of the books, start: how many meters are listed. What was there before is
        gone with its machine, the high-water file perhaps too."""
        file = self._backups.pop(number)
        self.close()
        if not with_high_water:
            self.high_water.unlink()
        self.clock.set(unix_us(self._now()))
        done = restore(self.path, file, self.key_file, _OPERATOR, self.high_water, self.clock)
        self.restores = done.generation
        for old in (*sorted(self.folder.glob(self.path.name + ".before-restore*")), file, record_file(file)):
            old.unlink()
        self.open()
        return done.listed

    def forget(self, number: int) -> None:
        """A backup that nobody needed."""
        file = self._backups.pop(number, None)
        for used in () if file is None else (file, record_file(file)):
            used.unlink(missing_ok=True)


def body_of(transaction: str, account: str, amount: int, paid_at: str, currency: str = CURRENCY) -> bytes:
    """A notification as an operator writes it."""
    told = {"transaction_id": transaction, "account": account, "amount": amount, "currency": currency}
    return json.dumps({**told, "paid_at": paid_at}).encode()


def _secret_bytes(text: str) -> bytes:
    return base64.b64decode(text.removeprefix(_SECRET_PREFIX))
