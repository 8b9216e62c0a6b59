"""What was told is on disk (I13), and the books of yesterday are in the books of today (I2).

An uplink that was answered, a payment that was answered and the head of the hash chain are remembered here, as by a
meter, a payer and an auditor; after each death of the headend, and once a day, the books must still know them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ...clock import DAY_US, unix_us
from ..checks.meters import check_I13
from ..checks.money import check_I1, check_I3, check_I4
from ..evidence import gather
from .watch import Watch

if TYPE_CHECKING:
    from ..home import WorldHome
    from ..life import Life


class DurableWatch(Watch):
    """Remembers what was acknowledged."""

    def __init__(self) -> None:
        super().__init__()
        self._uplinks = 0
        self._payments: list[str] = []
        self._heads: dict[int, bytes] = {}
        self._next_us = DAY_US
        self._restores = 0
        self.restored_us = 0  # Unix microseconds of the last restore
        self.ahead: frozenset[bytes] = frozenset()  # meters that held more than the books that were put back

    def event(self, life: Life, what: str, home: WorldHome | None, data: bytes) -> None:
        """Acknowledgements, and moments to ask for them."""
        if what == "restored":
            self._forget_after_restore(life)
        elif what == "taken":
            self._forget_after_restore(life)
            self._uplinks += 1
        elif what == "answer":
            self._forget_after_restore(life)
            transaction, _, outcome = data.decode().partition(" ")
            if outcome == "credited":
                self._payments.append(transaction)
        elif what == "restored":
            self._forget_after_restore(life)
        elif what in ("headend-back", "settle") or life.world.now_us >= self._next_us:
            self._next_us = life.world.now_us + DAY_US
            if life.office.up:
                self._forget_after_restore(life)
                self._ask(life)
        if what == "headend-back" and not self._restores:
            evidence = replace(gather(life, briefly=True), settled=False)
            for finding in (*check_I1(evidence), *check_I3(evidence), *check_I4(evidence), *check_I13(evidence)):
                self.say(life, finding.check, None, finding.text, f"after it came back: {finding.text}")

    def _forget_after_restore(self, life: Life) -> None:
        """Older books forget what came after them; what they hold is remembered anew (I23 judges the rest)."""
        if life.office.restores != self._restores and life.office.up:
            self._restores = life.office.restores
            self.restored_us = unix_us(life.world.now_us)
            self._uplinks = life.office.rows("SELECT count(*) FROM uplink")[0][0]
            self._payments, self._heads = [], {}
            self.ahead = frozenset(home.meter_id for home in life.homes if _is_ahead(life, home))

    def _ask(self, life: Life) -> None:
        rows = life.office.rows
        kept = rows("SELECT count(*) FROM uplink")[0][0]
        if kept < self._uplinks:
            self.say(life, "I13", None, "uplinks", f"{self._uplinks} uplinks were taken, {kept} are in the books")
        booked = {row[0] for row in rows("SELECT provider_txn_id FROM payment")}
        lost = [transaction for transaction in self._payments if transaction not in booked]
        if lost:
            self.say(life, "I13", None, "payments", f"payments were answered and are not in the books: {lost[:3]}")
        for number, head in self._heads.items():
            found = rows("SELECT hash FROM batch WHERE id = ?", number)
            if [row[0] for row in found] != [head]:
                self.say(life, "I2", None, "heads", f"commit {number} is not the one whose hash was written down")
        last = rows("SELECT id, hash FROM batch ORDER BY id DESC LIMIT 1")[0]
        self._heads = {**dict(list(self._heads.items())[-8:]), last[0]: last[1]}


def _is_ahead(life: Life, home: WorldHome) -> bool:
    """Whether a meter holds a C or D that the books do not know."""
    state = home.state
    rows = life.office.rows(
        "SELECT credited_mills, debited_mills FROM statement WHERE meter_id = ? ORDER BY generation DESC, number DESC",
        home.meter_id,
    )
    if state is None or not state.opened or not rows:
        return False
    return bool(state.credited_mills > rows[0][0] or state.debited_mills > rows[0][1])
