"""Valve policies: what one meter, or every meter of a tariff, may do without credit, and why a valve stands so."""

from typing import Annotated

from msgspec import Meta
from sqlalchemy import Connection, text

from headend.api.endpoint import OPERATE, Endpoint
from headend.api.explained import ExplainQuery
from headend.api.local_time import utility_offsets
from headend.api.meters import VALVES, MeterPath, known_meter
from headend.api.shapes import Request, Response, cursor_of, instant, keys_of
from headend.api.tariffs import TariffCode
from headend.api.valve_policy import ValvePolicy, record_of, words_of
from headend.billing.plans import last_policy, set_policy
from headend.refusals import Code, Refused
from headend.storage.writer import Tx
from protocol.rules.reasons import sentence
from protocol.wire.event_codes import VALVE_CLOSED, VALVE_OPENED


class PolicyToSet(Request):
    """Replaces the meter's policy whole: what is left out is at its default."""

    policy: ValvePolicy


class MeterPolicy(Response):
    """What a meter is meant to hold, and the version it last said it holds."""

    meter_id: str
    version: int
    held_version: int
    policy: ValvePolicy


class PoliciesToSet(Request):
    """One policy for every meter of a tariff code, or for all meters when `tariff_code` is null."""

    policy: ValvePolicy
    tariff_code: TariffCode | None = None
    limit: Annotated[int, Meta(ge=1, le=500)] = 500
    cursor: Annotated[str, Meta(max_length=200)] = ""


class PoliciesSet(Response):
    """How many meters got it with this request; send the rest with `next` as `cursor` until it is null."""

    meters: int
    next: str | None


class PolicyExplained(Response):
    """Why the valve stands as it does: the reason the meter told last, as a sentence. Null before its first word."""

    meter_id: str
    valve: str | None
    reason: int | None
    since: str | None
    sentence: str


_NOTHING = {
    "fr": "Ce compteur n’a pas encore dit pourquoi sa vanne est ainsi.",
    "en": "This meter has not said yet why its valve stands as it does.",
}


def get_policy(connection: Connection, path: MeterPath) -> MeterPolicy:
    """The policy of a meter, in dates and local times."""
    meter_id = known_meter(connection, path.meter_id)
    return _shown(Tx(connection, 0, 0), meter_id)


def put_policy(tx: Tx, path: MeterPath, body: PolicyToSet) -> MeterPolicy:
    """Give a meter a new policy; it reaches the meter with its next answer."""
    meter_id = known_meter(tx.connection, path.meter_id)
    set_policy(tx, meter_id, record_of(body.policy, utility_offsets(tx.connection)))
    return _shown(tx, meter_id)


def put_policies(tx: Tx, body: PoliciesToSet) -> PoliciesSet:
    """Give many meters the same policy, up to 500 a request, so that no request holds up payments."""
    _known_tariff(tx, body.tariff_code)
    record = record_of(body.policy, utility_offsets(tx.connection))
    (after,) = keys_of(body.cursor, str) or ("",)
    rows = tx.connection.execute(
        text(
            "SELECT DISTINCT m.meter_id FROM meter m JOIN contract c USING (meter_id) WHERE m.state <> 'retired' "
            "AND hex(m.meter_id) > :after AND (:code IS NULL OR c.tariff_code = :code) ORDER BY 1 LIMIT :limit"
        ),
        {"after": after.upper(), "code": body.tariff_code, "limit": body.limit + 1},
    ).all()
    for row in rows[: body.limit]:
        set_policy(tx, bytes(row.meter_id), record)
    more = len(rows) > body.limit
    return PoliciesSet(min(len(rows), body.limit), cursor_of(bytes(rows[-2].meter_id).hex()) if more else None)


def explain_policy(connection: Connection, path: MeterPath, query: ExplainQuery) -> PolicyExplained:
    """The sentence of the present decision, as the customer may be told it, in French or English."""
    meter_id = known_meter(connection, path.meter_id)
    row = connection.execute(
        text(
            "SELECT argument, at_unix_s FROM meter_event e JOIN meter m USING (meter_id, generation) "
            "WHERE e.meter_id = :id AND code IN (:opened, :closed) ORDER BY event_no DESC LIMIT 1"
        ),
        {"id": meter_id, "opened": VALVE_OPENED, "closed": VALVE_CLOSED},
    ).one_or_none()
    link = connection.execute(
        text("SELECT status, heard_us FROM meter_link WHERE meter_id = :id"), {"id": meter_id}
    ).one()
    valve = None if link.heard_us is None else VALVES[link.status & 3]
    if row is None:
        return PolicyExplained(path.meter_id, valve, None, None, _NOTHING[query.lang])
    told = sentence(row.argument, query.lang)
    return PolicyExplained(path.meter_id, valve, row.argument, instant(row.at_unix_s), told)


def _known_tariff(tx: Tx, code: str | None) -> None:
    """A mistyped code would give the policy to nobody and look done."""
    if code is not None and tx.cursor.execute("SELECT 1 FROM tariff WHERE code = ?", (code,)).fetchone() is None:
        raise Refused(Code.TARIFF_UNKNOWN, "tariff_code", code)


def _shown(tx: Tx, meter_id: bytes) -> MeterPolicy:
    record = last_policy(tx, meter_id)
    (held,) = tx.cursor.execute("SELECT policy_echo FROM meter_link WHERE meter_id = ?", (meter_id,)).fetchone()
    return MeterPolicy(meter_id.hex(), record.version, held, words_of(record, utility_offsets(tx.connection)))


ENDPOINTS = (
    Endpoint("GET", "/v1/meters/{meter_id}/policy", get_policy, "A meter's policy", "Policies",
             refusals=("unknown_meter",)),
    Endpoint("POST", "/v1/meters/{meter_id}/policy", put_policy, "Set a meter's policy", "Policies", OPERATE,
             writes=True, refusals=("unknown_meter", "meter_retired", "meter_spare", "policy")),
    Endpoint("POST", "/v1/policies", put_policies, "Set the policy of many meters", "Policies", OPERATE,
             writes=True, refusals=("policy", "tariff_unknown", "invalid_cursor")),
    Endpoint("GET", "/v1/meters/{meter_id}/policy/explain", explain_policy, "Why the valve stands as it does",
             "Policies", refusals=("unknown_meter",)),
)  # fmt: skip
