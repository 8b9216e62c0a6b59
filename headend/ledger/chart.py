"""The chart of accounts: which classes exist, which side increases them, and where each role of a segment goes.

System accounts exist once; wallets once per meter and wallet generation; receivables once per contract. Names are for
accountants: an operator maps them to the national chart (SYSCOHADA suggestions in docs/LEDGER.md).
"""

from typing import Any

from headend.storage.tables import ROLES
from headend.storage.writer import Tx

DEBIT = "debit"
CREDIT = "credit"

WALLET = "wallet"
RECEIVABLE = "receivable"
SUSPENSE = "suspense"
TILL = "till"  # money that providers hold for us
WAIVED = "waived"  # price rises that reached a meter late and are not charged (SEMANTICS B6)
MOVING = "moving"  # between a wallet that closes and the one that opens with its balance: holds nothing otherwise
RECOVERED = "recovered"  # what meters were given before a restore and the books forgot (SEMANTICS A5)
ARREARS = "arrears"  # the counterpart of debts taken over from before the meter

# class: the side that increases it.
SYSTEM_CLASSES = {
    TILL: DEBIT,
    SUSPENSE: CREDIT,
    WAIVED: DEBIT,
    ARREARS: CREDIT,
    MOVING: CREDIT,
    RECOVERED: DEBIT,
    "water": CREDIT,
    "sewer": CREDIT,
    "fixed": CREDIT,
    "levy": CREDIT,
    "tax1": CREDIT,
    "tax2": CREDIT,
    "rounding": CREDIT,
}

# The first version of where roles are posted; a new one is a new number, so old segments keep theirs (SEMANTICS F2).
ROLE_MAP = 1
CHARGE_ROLES = ROLES[:-1]


def wallet_code(meter_id: bytes, generation: int) -> str:
    return f"{WALLET}/{meter_id.hex()}/{generation}"


def receivable_code(contract_id: int) -> str:
    return f"{RECEIVABLE}/{contract_id}"


def open_system_accounts(tx: Tx) -> None:
    """Create the system accounts and the first role map; what exists is left alone."""
    for name, side in SYSTEM_CLASSES.items():
        if find_account(tx, name) is None:
            tx.append("account", {"code": name, "class_": name, "side": side})
    present = tx.cursor.execute("SELECT 1 FROM role_account WHERE role_map = ?", (ROLE_MAP,)).fetchone()
    if present is None:
        for role in CHARGE_ROLES:
            row = {"role_map": ROLE_MAP, "role": role, "account_id": account_id(tx, role)}
            tx.append("role_account", row)


def open_wallet(tx: Tx, meter_id: bytes, generation: int) -> int:
    """The account of a meter's credit in one wallet generation; a liability, so credit increases it."""
    row = {"code": wallet_code(meter_id, generation), "class_": WALLET, "side": CREDIT}
    return tx.append("account", {**row, "meter_id": meter_id, "generation": generation})


def open_receivable(tx: Tx, contract_id: int) -> int:
    """The account of what a holder owes; it stays with the contract, not with the meter."""
    row = {"code": receivable_code(contract_id), "class_": RECEIVABLE, "side": DEBIT, "contract_id": contract_id}
    return tx.append("account", row)


def find_account(tx: Tx, code: str) -> int | None:
    """The id of an account, or None."""
    row: Any = tx.cursor.execute("SELECT id FROM account WHERE code = ?", (code,)).fetchone()
    return None if row is None else int(row[0])


def account_id(tx: Tx, code: str) -> int:
    """The id of an account that must exist. Raises LookupError otherwise: the books were never opened."""
    found = find_account(tx, code)
    if found is None:
        raise LookupError(f"no account {code!r} in the books")
    return found
