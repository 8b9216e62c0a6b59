"""Makes the identity a new meter is provisioned with: `--provision` takes its bytes in hex. Pure and host-usable.

data = identity_record(meter_id, root, generation=1, opening=frame, tariff=tariff, policy=policy)
argument = data.hex()
"""

from __future__ import annotations

from firmware.identity import Identity, IdentityRefused, encode
from protocol.rules import debt as debt_rules
from protocol.rules import policy as policy_rules
from protocol.rules import tariff as tariff_rules
from protocol.rules.debt import Plan
from protocol.rules.policy import Policy
from protocol.rules.tariff import Tariff
from protocol.wire.envelope import DOWN, seal
from protocol.wire.keys import derive
from protocol.wire.messages import DOWN_PLAN, DOWN_POLICY, DOWN_TARIFF, Opening, encode_down

__all__ = ["IdentityRefused", "identity_record", "opening_frame"]


def opening_frame(root: bytes, meter_id: bytes, opening: Opening, counter: int) -> bytes:
    """The OPENING sealed under its generation's keys with a downlink `counter` that is never used again."""
    message_type, plaintext = encode_down(opening)
    return seal(derive(root, meter_id, opening.generation, 0), DOWN, message_type, counter, plaintext)


def identity_record(
    meter_id: bytes,
    root: bytes,
    generation: int,
    *,
    opening: bytes = b"",
    tariff: Tariff | None = None,
    policy: Policy | None = None,
    policy_from_slot: int = 0,
    plan: Plan | None = None,
    plan_from_slot: int = 0,
    pulse_ml: int = 1000,
    report_slots: int = 1,
    installation_grace_mills: int = 0,
) -> bytes:
    """The identity's bytes. `opening` is a sealed frame or empty; litres per pulse = pulse_ml / 1000.

    Raises IdentityRefused with the field's name, or RuleRefused for a pack outside its limits.
    """
    packs = []
    if tariff is not None:
        packs.append((DOWN_TARIFF, tariff.version, tariff.from_slot, tariff_rules.encode_body(tariff)))
    if policy is not None:
        packs.append((DOWN_POLICY, policy.version, policy_from_slot, policy_rules.encode_body(policy)))
    if plan is not None:
        packs.append((DOWN_PLAN, plan.version, plan_from_slot, debt_rules.encode_body(plan)))
    return encode(
        Identity(meter_id, root, generation, pulse_ml, report_slots, installation_grace_mills, opening, tuple(packs))
    )
