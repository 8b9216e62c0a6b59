"""The way to a meter: who is at the cable, and the grant of a claimed job that opens it.

A meter takes no grant of a lower number than one it has seen, so of several that allow the same, the lowest is tried
first: the higher ones stay good.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any, NamedTuple

from protocol.errors import Refused
from protocol.wire.console_codes import MAINTAINER, READER, RETIRER, TECHNICIAN
from protocol.wire.grants import Grant, check
from protocol.wire.keys import KEY_LENGTH

from .fields import values_of
from .refusals import Refusal
from .session import Session
from .store import JOBS, Store

ANY_ROLE = (READER, TECHNICIAN, MAINTAINER, RETIRER)
CARRIERS = (TECHNICIAN, MAINTAINER, RETIRER)
_TRY_NEXT = ("grant_spent", "grant_expired", "grant_not_yet", "grant_terms", "grant_foreign")


class Meter(NamedTuple):
    """The meter at the cable, asked sealed under `grant`, or unsealed when it is blank."""

    session: Session
    meter_id: bytes | None
    grant: Grant | None
    values: dict[str, Any]  # its answer to "read", which proved the grant

    @property
    def is_blank(self) -> bool:
        return self.meter_id is None

    def ask(self, *question: Any, patience_s: float | None = None) -> list[Any]:
        """The answer without its id. Raises Refusal."""
        ask = self.session.plain if self.is_blank else self.session.ask
        return ask(list(question), patience_s)


def grants_of(store: Store, meter_id: bytes | None = None) -> Iterator[tuple[Grant, bytes]]:
    """The grants of the jobs claimed here and their keys, by rising number; those of one meter, or all."""
    found = []
    for name in store.names(JOBS):
        document = store.read(JOBS, name) or {}
        for given in document.get("grants") or []:
            try:
                grant, key = _grant(given)
            except (KeyError, TypeError, ValueError, Refused):
                raise Refusal("store_damaged", file=store.home / JOBS / f"{name}.json", why="grants") from None
            if meter_id is None or grant.meter_id == meter_id:
                found.append((grant, key))
    yield from sorted(found)


def meet(session: Session, store: Store, roles: tuple[int, ...] = ANY_ROLE, blank: bool = True) -> Meter:
    """Find out who is there and begin a session under a grant that allows one of `roles`.

    Raises Refusal: no_grant, blank_meter (unless `blank` is welcome), and what the meter says of the grants.
    """
    greeting = session.hello()
    if greeting.meter_id is None:
        if not blank:
            raise Refusal("blank_meter")
        return Meter(session, None, None, values_of(session.plain(["read"])))
    return begin(session, store, greeting.meter_id, roles)


def begin(session: Session, store: Store, meter_id: bytes, roles: tuple[int, ...]) -> Meter:
    """A sealed session with a meter that is known to be there. Its first answer proves the grant, so it is asked."""
    refusal = Refusal("no_grant", meter_id=meter_id.hex())
    for grant, key in grants_of(store, meter_id):
        if grant.role not in roles:
            continue
        if grant.until_s <= time.time():
            refusal = Refusal("grant_expired", meter_id=meter_id.hex())
            continue
        try:
            session.begin(grant, key)
            values = values_of(session.ask(["read"]))
        except Refusal as told:
            if told.code not in _TRY_NEXT:
                raise
            refusal = told
            continue
        return Meter(session, meter_id, grant, values)
    raise refusal


def _grant(given: dict[str, Any]) -> tuple[Grant, bytes]:
    """A grant as the headend hands it out, and its key."""
    terms = [given[name] for name in ("generation", "number", "role", "uses", "from_s", "until_s")]
    key = bytes.fromhex(given["key"])
    if len(key) != KEY_LENGTH:
        raise ValueError("key")
    return check(Grant(bytes.fromhex(given["meter_id"]), *terms)), key
