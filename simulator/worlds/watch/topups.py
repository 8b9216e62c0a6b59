"""Money that was credited reaches its meter soon (I22): within 49 uplinks, where at most half of the frames are lost.

Counted is every uplink, polls included, that had a fair chance of being heard and answered: while the headend runs,
nobody swallows answers, the air is not dark, and not more than half of the frames go lost or come too late either way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from .watch import Watch

if TYPE_CHECKING:
    from ..home import WorldHome
    from ..life import Life

UPLINKS = 49
_HALF = 500


class Due(NamedTuple):
    """C that a meter is to hold, of a meter in a wallet, and the fair uplinks of its home when it was credited."""

    credited_mills: int
    meter_id: bytes
    since: int


class TopUpWatch(Watch):
    """Waits for each credited payment on its meter. `longest` is the most uplinks that one has taken."""

    def __init__(self) -> None:
        super().__init__()
        self._due: dict[int, list[Due]] = {}
        self._fair: dict[int, int] = {}
        self.longest = 0

    def event(self, life: Life, what: str, home: WorldHome | None, data: bytes) -> None:
        """A payment is answered, a meter sends, a meter has listened."""
        if what == "answer" and data.endswith(b" credited"):
            self._credited(life, data.decode().partition(" ")[0])
        elif home is None or home.number not in self._due:
            return
        elif what == "up" and _is_fair(life, home):
            self._fair[home.number] = self._fair.get(home.number, 0) + 1
            self._look(life, home)
        elif what == "listened":
            self._look(life, home)

    def _credited(self, life: Life, transaction: str) -> None:
        payment = next((one for one in reversed(life.till.payments) if one.transaction == transaction), None)
        home = None if payment is None else life.homes[payment.home - 1]
        if payment is None or home is None or payment.account != home.customer_number or not life.office.up:
            return
        rows = life.office.rows(
            "SELECT credited_mills FROM statement WHERE meter_id = ? ORDER BY generation DESC, number DESC LIMIT 1",
            home.meter_id,
        )
        if not rows:
            return  # a spare hangs there, and the wallet is still the old meter's: a swap brings it along
        if not rows:
            return  # a spare that hangs already and has no wallet yet
        due = Due(rows[0][0], home.meter_id, self._fair.get(home.number, 0))
        self._due.setdefault(home.number, []).append(due)

    def _look(self, life: Life, home: WorldHome) -> None:
        state, left = home.state, []
        for due in self._due[home.number]:
            if due.meter_id != home.meter_id or "wallet" in home.excused or home.retired:
                continue
            took = self._fair.get(home.number, 0) - due.since
            if state is not None and state.credited_mills >= due.credited_mills:
                self.longest = max(self.longest, took)
            elif took > UPLINKS:
                self.say(life, "I22", home, "top-up", f"C {due.credited_mills} is not there after {took} fair uplinks")
            else:
                left.append(due)
        if left:
            self._due[home.number] = left
        else:
            del self._due[home.number]


def _is_fair(life: Life, home: WorldHome) -> bool:
    air = home.link
    kept = (1000 - air.reorder) if air.late_max_us else 1000
    heard_up, heard_down = (1000 - air.loss_up) * kept // 1000, (1000 - air.loss_down) * kept // 1000
    free = life.office.up and not life.office.disk_full and not home.dark and home.number not in life.air.stolen
    return free and min(heard_up, heard_down) >= _HALF and home.state is not None and bool(home.state.opened)
