"""Bodies of POLICY packs: one meaning has one body; what is accepted relaxes nothing without an end and a cap, and
takes no money away from a meter without a clock (SEMANTICS E1, I11, I25)."""

from protocol.errors import RuleRefused
from protocol.rules import policy
from protocol.rules.policy import NEW


def seeds() -> list[bytes]:
    hours = NEW._replace(
        windows=((127, 1_080, 420), (32, 0, 1_425)), window_cap_l=200, until_slot=130_000, grace_s=600, jitter_s=900
    )
    made = (
        NEW,
        NEW._replace(flags=policy.NEVER_CLOSE_LOCK, low_credit_mills=5_000),
        hours,
        hours._replace(
            holidays=(2_500, 2_501, 2_700), holiday_end_min=480, emergency_mills=50, emergency_unsure_mills=75
        ),
        NEW._replace(lifeline_l_per_day=50, pulse_l=5, pause_s=600, jitter_s=60),
        NEW._replace(vulnerable_until_slot=130_000, vulnerable_l_per_day=90, flags=policy.BATTERY_OPENS),
        NEW._replace(amnesty_until_slot=130_000, amnesty_cap_l=9_000, fire_s=3_600, fire_every_days=7, fire_cap_l=500),
    )
    return [bytes(4) + policy.encode_body(one) for one in made]


def one(data: bytes) -> None:
    version, from_slot, body = 1 + sum(data[:1]), int.from_bytes(data[1:4], "big"), data[4:]
    try:
        found = policy.decode_body(version, from_slot, body)
    except RuleRefused:
        return
    assert found.version == version and policy.encode_body(found) == body
    assert found.emergency_unsure_mills >= found.emergency_mills
    for relaxes, cap, end in (
        (found.windows or found.holidays, found.window_cap_l, found.until_slot),
        (found.vulnerable_l_per_day, found.vulnerable_l_per_day, found.vulnerable_until_slot),
        (found.amnesty_cap_l, found.amnesty_cap_l, found.amnesty_until_slot),
        (found.fire_s, found.fire_cap_l, found.fire_every_days),
    ):
        assert not relaxes or (cap and end)
