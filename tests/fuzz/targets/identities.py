"""Identities that a box is provisioned with: what is accepted encodes back to the same bytes (I25)."""

from firmware import identity
from firmware.identity import Identity, IdentityRefused
from protocol.rules import debt, policy, tariff
from protocol.rules.calendar import UTC
from protocol.wire.messages import DOWN_PLAN, DOWN_POLICY, DOWN_TARIFF

METER_ID, ROOT = bytes.fromhex("6775656c74610001"), bytes(range(16))


def made() -> list[bytes]:
    """Good ones."""
    packs = (
        (DOWN_TARIFF, 1, 0, tariff.encode_body(tariff.Tariff(1, 0, 0, UTC, 1, 0, ((0, 500),), 0, 0))),
        (DOWN_POLICY, 1, 0, policy.encode_body(policy.NEW)),
        (DOWN_PLAN, 1, 0, debt.encode_body(debt.Plan(1, 2_500, 1_000, 0))),
    )
    spare = Identity(METER_ID, ROOT, 1, 1_000, 1, 0, b"", ())
    return [identity.encode(one) for one in (spare, spare._replace(packs=packs, report_slots=48, pulse_ml=10_000))]


def seeds() -> list[bytes]:
    return made()


def one(data: bytes) -> None:
    try:
        who = identity.decode(data)
    except IdentityRefused:
        return
    assert identity.encode(who) == data
