"""People and secrets, to the extent that they exist today (I17 to I20), and books put back to a backup (I23)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from ..books_seen import Row
from ..evidence import Evidence
from ..finding import Finding

# Who and where, and what was asked of a meter: every row of these has its history in the audit.
REGISTRY = {
    "utility": ("id",),
    "meter": ("meter_id",),
    "customer": ("id",),
    "service_point": ("id",),
    "contract": ("id",),
    "provider": ("id",),
    "meter_command": ("meter_id", "number"),
    "opening": ("meter_id", "generation"),
    "retirement": ("meter_id",),
    "case_file": ("id",),
}


def check_I17(evidence: Evidence) -> list[Finding]:
    """Isolation, between meters and holders: an entry or segment of a meter moves no other meter's wallet, but for the
    wallet that follows it under the same contract. There are no agencies and no principals yet: that another agency's
    object looks like none belongs to the issue that brings them, and is not checked here."""
    books, found = evidence.books, []
    accounts = {row["id"]: row for row in books.rows("account")}
    holders = _holders(evidence)
    entries = {row["id"]: row for row in books.rows("entry")}
    for row in books.rows("transfer"):
        entry = entries.get(row["entry_id"])
        for side in ("debit_account", "credit_account"):
            account = accounts[row[side]]
            if entry is None or account["class_"] != "wallet" or entry["meter_id"] is None:
                continue
            if not holders.get(entry["meter_id"], set()) & holders.get(account["meter_id"], set()):
                text = f"an entry of {entry['meter_id'].hex()} moves the wallet of {account['meter_id'].hex()}"
                found.append(Finding("I17", 0, text))
    return found


def _holders(evidence: Evidence) -> dict[bytes, set[int]]:
    holders: dict[bytes, set[int]] = {}
    for row in evidence.books.rows("contract"):
        holders.setdefault(row["meter_id"], set()).add(row["id"])
    for row in evidence.books.rows("retirement"):
        holders.setdefault(row["meter_id"], set()).add(row["contract_id"])
    return holders


def check_I18(evidence: Evidence) -> list[Finding]:
    """Audit completeness: every row of the registry and every order has its first audit row, and the newest says what
    stands there now; each says who and when. Hashes of before and after, and agencies, are not there yet."""
    found = []
    newest: dict[tuple[str, str], Row] = {}
    for row in evidence.books.rows("audit"):
        if not row["actor"] or row["at_us"] <= 0:
            found.append(Finding("I18", 0, f"audit row {row['id']} does not say who or when"))
        newest[row["what"], row["row_key"]] = row
    for name, key in REGISTRY.items():
        for row in evidence.books.rows(name):
            row_key = "/".join(_plain(row[column]) for column in key)
            told = newest.get((name, row_key))
            if told is None or told["after"] is None:
                found.append(Finding("I18", 0, f"nobody is said to have made row {row_key} of {name}"))
                continue
            after = json.loads(told["after"])
            other = [column for column, value in row.items() if column in after and after[column] != _shown(value)]
            other = [column for column in other if after[column] != "[redacted]"]
            if other:
                found.append(Finding("I18", 0, f"{', '.join(other)} of row {row_key} of {name} changed unaudited"))
    return found


def _plain(value: Any) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)


def _shown(value: Any) -> Any:
    return value.hex() if isinstance(value, bytes) else value


def check_I19(evidence: Evidence) -> list[Finding]:
    """Two persons: there is no second person yet (the issue of roles brings requester and approver). What holds: an
    entry is taken back once, by an entry that names it and says why, and never by more than it moved."""
    return [Finding("I19", 0, text) for text in _reversals(evidence)]


def _reversals(evidence: Evidence) -> Iterator[str]:
    books = evidence.books
    moved: dict[int, int] = {}
    for row in books.rows("transfer"):
        moved[row["entry_id"]] = moved.get(row["entry_id"], 0) + row["amount_mills"]
    seen = set()
    for row in books.rows("entry"):
        if row["reverses"] is None:
            if row["kind"] == "reversal":
                yield f"entry {row['id']} takes back nothing that it names"
            continue
        if row["reverses"] in seen:
            yield f"entry {row['reverses']} is taken back twice"
        seen.add(row["reverses"])
        if not row["memo"]:
            yield f"entry {row['id']} does not say why"
        if moved.get(row["id"], 0) > moved.get(row["reverses"], 0):
            yield f"entry {row['id']} takes back more than entry {row['reverses']} moved"


def check_I20(evidence: Evidence) -> list[Finding]:
    """No secrets out: no root key of a meter and no secret of a provider stands, as bytes, as hexadecimal digits or as
    base64, in the database, its journal or the backups (`evidence.files`). Frames, logs and refusals carry none by
    their own tests; there are no passwords, PINs or sessions yet."""
    found = []
    for name, content in evidence.files.items():
        for secret in evidence.secrets:
            if secret in content:
                found.append(Finding("I20", 0, f"{name} holds a secret of {len(secret)} bytes in clear"))
    return found


def check_I23(evidence: Evidence) -> list[Finding]:
    """Restore-safe: after books were put back, every meter that lived on is listed; those that spoke since are no more
    listed as unheard, and of those that held more than the books it is listed what, once they have told all. That money
    and counters come right again is demanded of these worlds by I3, I4, I12 and I15 as of any other."""
    books, found = evidence.books, []
    if not evidence.restores:
        return found
    listed = {row["meter_id"]: row for row in books.rows("recovery")}
    for home in evidence.homes:
        row = listed.get(home.meter_id)
        known = next((one for one in books.of("meter", home.meter_id)), None)
        if known is None or known["state"] in ("retired", "spare"):
            continue
        if row is None and known["added_us"] < evidence.restored_us:
            found.append(Finding("I23", home.number, "its books were put back, and it is not listed"))
        elif (
            row is not None and row["told_us"] is not None and row["found"] == "{}" and home.meter_id in evidence.ahead
        ):
            found.append(
                Finding("I23", home.number, "it held more than the books, and is listed as agreeing with them")
            )
        elif row is not None and row["heard_us"] is None:
            spoke = [one for one in books.of("uplink", home.meter_id) if one["received_us"] > row["restored_us"]]
            if spoke:
                found.append(
                    Finding("I23", home.number, f"it spoke {len(spoke)} times since, and is listed as unheard")
                )
    return found
