"""Makes the identity a new meter is provisioned with: `--provision` takes its bytes in hex. Pure and host-usable.

data = identity_record(meter_id, root, generation=1, opening=frame, tariff=tariff, policy=policy)
data = identity_from_answer(json.loads(text))    # what a headend answers when a meter is added
argument = data.hex()
"""

from __future__ import annotations

from typing import Any

from firmware.identity import Identity, IdentityRefused, encode
from protocol.rules import debt as debt_rules
from protocol.rules import policy as policy_rules
from protocol.rules import tariff as tariff_rules
from protocol.rules.debt import Plan
from protocol.rules.policy import Policy
from protocol.rules.tariff import Tariff
from protocol.wire.downlinks import encode_down
from protocol.wire.envelope import DOWN, seal
from protocol.wire.keys import derive
from protocol.wire.messages import DOWN_PLAN, DOWN_POLICY, DOWN_TARIFF, Opening

__all__ = ["IdentityRefused", "identity_from_answer", "identity_record", "opening_frame"]


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


def identity_from_answer(added: Any) -> bytes:
    """The identity's bytes from what a headend answers to an added meter (`guelta meter add`, POST /v1/meters).

    Raises IdentityRefused with the name of a field that is missing or not of its kind, or RuleRefused for a pack.
    """
    first, rules = _field(added, "tariff", dict), _field(added, "policy", dict)
    policy_from_slot = _field(rules, "from_slot", int)
    return identity_record(
        _bytes(added, "meter_id"),
        _bytes(added, "root"),
        _field(added, "generation", int),
        opening=_bytes(added, "opening_frame"),
        tariff=tariff_rules.decode_body(
            _field(first, "version", int), _field(first, "from_slot", int), _bytes(first, "body")
        ),
        policy=policy_rules.decode_body(_field(rules, "version", int), policy_from_slot, _bytes(rules, "body")),
        policy_from_slot=policy_from_slot,
        pulse_ml=1000 * _field(added, "litres_per_pulse", int),
    )


def _field(given: Any, name: str, kind: type) -> Any:
    value = given.get(name) if isinstance(given, dict) else None
    if not isinstance(value, kind) or isinstance(value, bool):
        raise IdentityRefused(name)
    return value


def _bytes(given: Any, name: str) -> bytes:
    text: str = _field(given, name, str)
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise IdentityRefused(name) from None
