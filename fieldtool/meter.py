"""The meter at the cable, as the checklist uses it: who it is, its reading, and the few orders a technician has.

Before its life it is asked unsealed; afterwards under the job's grant. The grant's session begins at the first question
that needs it and costs one of its uses; a meter that restarts ends it, and it is begun again.
"""

from __future__ import annotations

from typing import Any

from protocol.wire.messages import VALVE_CLOSED, VALVE_FAULT, VALVE_MOVING, VALVE_OPEN

from . import access
from .clock import Clock
from .fields import values_of
from .refusals import Refusal
from .session import Session
from .store import Store

ORDER_RELEASE, ORDER_OPEN, ORDER_CLOSE = 0, 1, 2
ORDER_S = 900
ORDER_L = 50
BOOT_S = 60
STROKE_S = 90
VALVE_WORDS = {VALVE_OPEN: "open", VALVE_CLOSED: "closed", VALVE_MOVING: "moving", VALVE_FAULT: "fault"}
REPORT_PAGES_MAX = 100  # three frames each; 90 days of log are some forty frames


class Meter:
    """One meter of a job; `meter_id` in hex is the one that must be at the cable, `roles` are those of use here."""

    def __init__(
        self, session: Session, store: Store, meter_id: str, clock: Clock, roles: tuple[int, ...] = access.CARRIERS
    ) -> None:
        self._session, self._store, self._clock, self._roles = session, store, clock, roles
        self.meter_id = meter_id
        self._within = False

    def is_blank(self) -> bool:
        """Whether the box was never provisioned. Raises Refusal other_meter when it is another one already."""
        self._within = False
        found = self._session.hello().meter_id
        if found is not None and found.hex() != self.meter_id:
            raise Refusal("other_meter", found=found.hex(), expected=self.meter_id)
        return found is None

    def provision(self, identity: bytes) -> None:
        """Give a blank box its identity, and wait until it answers as that meter."""
        try:
            if self._session.plain(["provision", identity]) != ["provisioned"]:
                raise Refusal("nonsense", command="provision")
        except Refusal as refusal:
            # Its answer was lost, and the question came to what may be a meter by now: look who is there.
            if refusal.code not in ("sealed_only", "no_answer"):
                raise
        until = self._clock.now() + BOOT_S
        while True:
            try:
                if not self.is_blank():
                    return
            except Refusal as refusal:
                if refusal.code not in ("silent", "no_answer"):
                    raise
            if self._clock.now() >= until:
                raise Refusal("no_answer")
            self._clock.sleep(1)

    def require_grant(self) -> None:
        """Before a key is written: somebody must be able to open the port then. Raises Refusal: no_grant,
        grant_expired."""
        grants = [grant for grant, _ in access.grants_of(self._store, bytes.fromhex(self.meter_id))]
        fitting = [grant for grant in grants if grant.role in self._roles]
        if not fitting:
            raise Refusal("no_grant", meter_id=self.meter_id)
        if all(grant.until_s <= self._clock.now() for grant in fitting):
            raise Refusal("grant_expired", meter_id=self.meter_id)

    def ask(self, question: list[Any]) -> list[Any]:
        """A sealed question under the job's grant."""
        if not self._within:
            access.begin(self._session, self._store, bytes.fromhex(self.meter_id), self._roles)
            self._within = True
        return self._session.ask(question)

    def read(self) -> dict[str, Any]:
        """The reading, by name."""
        return values_of(self.ask(["read"]))

    def at_rest(self) -> dict[str, Any]:
        """The reading when the valve does not move: a visit before may have left it moving."""
        until = self._clock.now() + STROKE_S
        while (reading := self.read())["valve"] == VALVE_MOVING and self._clock.now() < until:
            self._clock.sleep(1)
        return reading

    def order_valve(self, what: int) -> None:
        """Open, close, or let the policy decide again. An order ends by itself: 15 minutes or 50 litres."""
        self.ask(["valve", what, ORDER_S, ORDER_L])

    def drive(self, what: int) -> dict[str, Any]:
        """Order and wait until the valve stands; the reading then. It may stand wrong: the caller looks."""
        wanted = VALVE_OPEN if what == ORDER_OPEN else VALVE_CLOSED
        until = self._clock.now() + STROKE_S
        self._order_when_it_rests(what, until)
        while True:
            reading = self.read()
            if reading["valve"] in (wanted, VALVE_FAULT) or self._clock.now() >= until:
                return reading
            self._clock.sleep(1)

    def _order_when_it_rests(self, what: int, until: int) -> None:
        """An order while the motor runs is refused, and so is more water than a visit has; a new visit has it again."""
        is_new_visit = False
        while True:
            try:
                return self.order_valve(what)
            except Refusal as refusal:
                if refusal.code == "meter_valve_moving" and self._clock.now() < until:
                    self._clock.sleep(1)
                elif refusal.code == "meter_not_now" and what == ORDER_OPEN and not is_new_visit:
                    is_new_visit, self._within = True, False
                else:
                    raise

    def release(self) -> None:
        """The technician's order ends; credit and policy decide again."""
        if self._within:
            self._order_when_it_rests(ORDER_RELEASE, self._clock.now() + STROKE_S)

    def report(self) -> list[bytes]:
        """Fresh sealed uplinks, to be carried to the headend by hand: counters, versions, the oldest log it lacks."""
        return _frames(self.ask(["report"]))

    def report_all(self) -> list[bytes]:
        """The same, and the whole log that the headend may lack."""
        found = self.report()
        slot = 0
        for _ in range(REPORT_PAGES_MAX):
            answer = self.ask(["report", slot])
            if not answer or not isinstance(answer[0], int):
                raise Refusal("nonsense", command="report")
            frames = _frames(answer[1:])
            if not frames or answer[0] <= slot:
                break
            slot = answer[0]
            found += frames
        return found

    def attest(self, digest: bytes) -> tuple[int, bytes]:
        """(the meter's time, its tag) over a hash."""
        answer = self.ask(["attest", digest])
        if len(answer) != 2 or not isinstance(answer[0], int) or not isinstance(answer[1], bytes):
            raise Refusal("nonsense", command="attest")
        return answer[0], answer[1]

    def make(self) -> dict[str, int | str]:
        """What runs on it, for the record: the version as major*10000 + minor*100 + patch."""
        reading, answer = self.read(), self.ask(["update"])
        return {
            "firmware_version": answer[0] if answer and isinstance(answer[0], int) else 0,
            "hardware": f"{reading['interpreter']} {reading['interpreter_version']}",
        }

    def erase(self) -> None:
        """Make a blank board of it: keys, counters and log are gone."""
        if self.ask(["decommission", bytes.fromhex(self.meter_id)]) != ["done"]:
            raise Refusal("nonsense", command="decommission")
        self._within = False


def _frames(answer: list[Any]) -> list[bytes]:
    if not all(isinstance(frame, bytes) for frame in answer):
        raise Refusal("nonsense", command="report")
    return answer
