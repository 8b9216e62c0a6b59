"""Each kind of fault strikes, and changes what its docstring says (issue: every fault of reliability §2)."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from firmware.alarms import CRITICAL_BATTERY, TAMPER
from simulator.clock import HOUR_US
from simulator.worlds import faults
from simulator.worlds.life import Life
from tests.worlds.struck import PLAN, Struck

POOR = PLAN._replace(first_minor=90, below_mills=-(10**9))


def content(life: Life) -> dict[str, bytes]:
    return {path: bytes(data) for path, data in life.homes[0].meter.files.content.items()}


def eeprom(life: Life) -> bytes:
    return bytes(life.homes[0].meter.eeprom.content)


def keys(life: Life) -> Any:
    return life.office.rows("SELECT generation, epoch FROM meter WHERE meter_id = ?", life.homes[0].meter_id)


def frames(life: Life) -> int:
    return int(life.office.rows("SELECT count(*) FROM uplink")[0][0])


def money(life: Life) -> Any:
    return life.office.counters(life.homes[0].meter_id)[4:]


def counts(life: Life) -> tuple[int, int]:
    return life.homes[0].pipe_l, life.homes[0].counted_l


def refused(one: Struck) -> bool:
    """What was made of recorded frames was not believed by either side, and changed no money."""
    return one.new("refused 202") > 0 and money(one.life) == one.before


def repeated(one: Struck) -> bool:
    return one.new("duplicate") > 0 and money(one.life) == one.before


def rose(minor: int) -> Callable[[Struck], bool]:
    """C rose by so much."""
    return lambda one: money(one.life)[0] - one.before[0] == 1000 * minor


# kind: what it is told, what is looked at before it, and what must be so some hours after it.
STRIKES: dict[str, tuple[tuple[int, ...], Any, Callable[[Struck], Any]]] = {
    "power_cut": ((3, 1), None, lambda one: one.new("cut") == 1 == one.new("boot")),
    "boot_cut": ((2, 1, 3), None, lambda one: one.new("cut") == 2 and one.new("boot") == 3),
    "power_outage": ((60,), None, lambda one: one.new("off") == 1 == one.new("boot")),
    "reset_storm": ((50,), None, lambda one: one.new("boot") == 50),
    "battery": ((2_500, 0, 999), None, lambda one: one.home.state.alarms & CRITICAL_BATTERY),
    "bit_rot": ((0, 3, 0), content, lambda one: one.before.keys() == content(one.life).keys()),
    "rot_both": ((3, 3), keys, lambda one: one.home.excused["detail"] == "rot_both"),
    "state_lost": ((1,), keys, lambda one: "went-back" in one.cases()),
    "keepsake_lost": ((0,), None, lambda one: one.new("boot") == 1 and eeprom(one.life)[:2] == b"G1"),
    "flash_dead": ((600,), None, lambda one: one.home.state is None and "flash-lost" in one.cases()),
    "flash_full": ((30,), None, lambda one: one.new("watchdog") > 5),
    "old_flash": ((60,), None, lambda one: one.new("boot") == 1),
    "clock_jump": ((-40 * 86_400, 0, 999), None, lambda one: not one.home.chip_valid or one.home.chip_error_s < 0),
    "clock_drift": ((300, 0, 9_999), None, lambda one: one.home._meter_us() > one.life.world.now_us),
    "loss": ((1000, 1000, 6_000), frames, lambda one: one.home.uplinks and one.home.link.loss_up == 1000),
    "dark": ((0, 0, 6_000), None, lambda one: one.home.dark),
    "lateness": ((1000, 72, 6_000), None, lambda one: one.home.link.reorder == 1000),
    "two_gateways": ((0, 0, 6_000), None, lambda one: one.new("duplicate") > 0),
    "rogue_gateway": ((2, 0, 6_000), None, lambda one: one.new("answer swallowed") > 0),
    "damaged": ((3, 0), money, refused),
    "reflected": ((2,), money, refused),
    "spliced": ((2, 1), money, refused),
    "replayed": ((), money, repeated),
    "flooded": ((40,), money, lambda one: refused(one) and one.new("refused 202") == 40),
    "valve_stuck": ((0, 0, 999), None, lambda one: one.home.valve._is_stuck),
    "valve_slow": ((300, 0, 999), None, lambda one: one.home.valve._slowness_percent == 300),
    "valve_jammed": ((400, 0, 999), None, lambda one: one.home.valve._jammed_permille == 400),
    "valve_mute": ((0, 0, 999), None, lambda one: one.home.valve._is_mute),
    "stem_broken": ((0, 0, 999), None, lambda one: not one.home.valve.lets_water_through),
    "pipe_blocked": ((0, 0, 999), counts, lambda one: counts(one.life) == one.before and one.home.valve._is_blocked),
    "valve_leaks": ((999, 0, 999), None, lambda one: one.home.valve.leak_by_ml_per_h == 999),
    "bounce": ((5,), counts, lambda one: one.home.counted_l - one.home.pipe_l == 5),
    "missed": ((7,), counts, lambda one: one.home.pipe_l - one.home.counted_l == 7),
    "backflow": ((20,), None, lambda one: one.home.state.reverse_ml == 20_000),
    "air": ((100,), None, lambda one: one.home.counted_l - one.home.pipe_l == 100),
    "tampered": ((0, 0, 999), None, lambda one: one.home.state.alarms & TAMPER),
    "clone": ((0, 7, 9_999), None, lambda one: one.life.twins[0].uplinks and one.new("clone") == 1),
    "headend_killed": ((1, 1, 5), None, lambda one: one.new("headend-died") == 1 == one.new("headend-back")),
    "headend_down": ((600,), None, lambda one: not one.life.office.up),
    "headend_restored": (
        (60, 1),
        None,
        lambda one: one.new("restored") == 1 and one.life.saw["listed after a restore"] == 2,
    ),
    "disk_full": ((60,), frames, lambda one: not one.life.office.disk_full and frames(one.life) > one.before),
    "late_work": ((600,), None, lambda one: one.life.no_work_until_us > one.life.world.now_us),
    "payment_again": ((0, 5), money, lambda one: one.life.till.of(1)[0].answers[1:] == ["duplicate"] * 5),
    "payment_late": ((60, 1), money, rose(100)),
    "payment_early": ((0, 1), money, lambda one: rose(100)(one) and one.new("inquiry accepted") == 1),
    "payment_reversed": ((0,), money, lambda one: money(one.life)[1] > 0 and one.life.till.of(1)[0].reversed),
    "payment_misdirected": ((0, 1, 60), money, rose(100)),
    "payment_odd": ((2,), money, lambda one: money(one.life) == one.before and "payment-unbookable" in one.cases()),
    "payment_conflict": ((0,), money, lambda one: money(one.life) == one.before and "payment-conflict" in one.cases()),
    "tariff": ((150, 20, 211), None, lambda one: one.rows("SELECT count(*) FROM tariff") == [(2,)]),
    "policy": ((6,), None, lambda one: one.new("act policy") == 1 and one.home.meter.application.rules().flags),
    "debt_plan": ((100, 5), None, lambda one: one.new("act debt") == 1),
    "command": ((5, 48), None, lambda one: one.rows("SELECT state FROM meter_command") == [("done",)]),
    "rekey": ((), keys, lambda one: keys(one.life) == [(1, 1)]),
    "button": ((3,), None, lambda one: one.new("up") > 0),
    "renewal": ((), keys, lambda one: keys(one.life) == [(2, 0)]),
    "swap": ((30, 1), None, lambda one: one.home.meter_id.startswith(b"5") and one.home.state.opened),
    "retired": ((), None, lambda one: one.home.retired and one.life.office.state_of(one.home.meter_id) == "retired"),
}


def test_every_kind_is_struck_here() -> None:
    """FEATURES B10: no kind of fault without a proof that it does something."""
    apart = {"brown_out", "payment_forged"}
    assert set(STRIKES) | apart == set(faults.KINDS)
    assert all(kind.name == name for name, kind in faults.KINDS.items())


@pytest.mark.parametrize("kind", sorted(STRIKES))
def test_a_fault_does_what_it_says(kind: str, tmp_path: Path) -> None:
    """The kinds of reliability §2, one after the other."""
    told, look, proof = STRIKES[kind]
    one = Struck(tmp_path, kind, told, 2, look or (lambda life: None))
    assert proof(one), (kind, dict(one.life.saw))
    one.life.close()


def test_m9_the_power_goes_while_the_motor_closes_the_valve(tmp_path: Path) -> None:
    """M9, I9: the valve stands half-way until the power is back, and is then driven to where it was meant to be."""
    one = Struck(tmp_path, "brown_out", (3_000, 1, 600), 0, plan=POOR)
    one.life.run_until(5 * 24 * HOUR_US)
    assert one.new("off") == 1 == one.new("boot")
    assert one.home.excused == {"bound": "brown_out"}
    assert not one.home.valve.lets_water_through and one.home.unmet_l
    one.life.close()


@pytest.mark.parametrize(
    ("way", "verdict"), [(0, "missing"), (1, "wrong"), (2, "wrong"), (3, "stale"), (4, "future"), (5, "stale")]
)
def test_p4_a_forged_notification_moves_no_money(way: int, verdict: str, tmp_path: Path) -> None:
    """P4, I3: no signature, a wrong one, an edited body, an old or future time, a recorded message."""
    one = Struck(tmp_path, "payment_forged", (way,), 0, money)
    assert one.new(f"forged signature_{verdict}") == 1
    assert money(one.life) == one.before
    one.life.close()


def test_a_fault_of_one_home_leaves_the_others_alone(tmp_path: Path) -> None:
    """What strikes home 1 does not change what home 2 draws, sends or shows."""
    seen = []
    for number, kind in enumerate(("bounce", "reset_storm")):
        folder = tmp_path / str(number)
        folder.mkdir()
        one = Struck(folder, kind, (3,), 8)
        other = one.life.homes[1]
        seen.append((other.counted_l, other.uplinks, other.face, other.state.rating))
        one.life.close()
    assert seen[0] == seen[1]


def test_the_faults_end_where_the_world_settles(tmp_path: Path) -> None:
    """Safety first, then liveness (I22): what was broken is whole again, and meter and books agree."""
    one = Struck(tmp_path, "flash_dead", (9_000,), 1)
    one.life.settle()
    assert one.home.number in one.life.settled_with and not one.home.meter.flash_dead
    one.life.close()
