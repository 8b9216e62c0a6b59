"""Every flash operation of the scenarios of hil_tests/cuts, cut clean and torn, under both interpreters."""

import pytest

from hil_tests.cuts import runner

CUTS_MIN = 50_000
CONTROLS = (
    "done_too_early",
    "a_counter_not_reserved",
    "a_slot_not_written_again",
    "both_copies_cleared_first",
    "no_crc",
    "a_mount_that_formats",
)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "part", "parts"), runner.parts())
def test_nothing_is_lost_wherever_the_power_goes(name: str, part: int, parts: int) -> None:
    """I7, I8, M1, M9: no credit and no litre lost or doubled, no counter used twice, no format; and both interpreters
    make the same operations and, after each cut, the same meter that says the same."""
    found = runner.cut_everywhere(name, part, parts)
    for where, swept in found.items():
        assert swept["wrong"] == [], f"{where}: {len(swept['wrong'])} of {len(swept['sums'])} cuts"
        assert swept["formats"] == 0
        operations = swept["operations"]
        assert len(swept["sums"]) == 2 * (operations * (part + 1) // parts - operations * part // parts)
    micropython, cpython = (found[where] for where in runner.INTERPRETERS)
    assert micropython["journal"] == cpython["journal"]
    assert micropython["sums"] == cpython["sums"]


def test_the_sweep_is_as_large_as_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    """Operations are counted by recording: each is cut in two ways under two interpreters."""
    recorded = runner.run("cpython", *[f"operations:{name}" for name in runner.SCENARIOS])
    operations = {name: found["operations"] for name, found in zip(runner.SCENARIOS, recorded, strict=True)}
    cuts = 2 * len(runner.INTERPRETERS) * sum(operations.values())
    with capsys.disabled():
        print(f"\n{cuts} cuts: {sum(operations.values())} operations of {len(operations)} scenarios")
    assert cuts >= CUTS_MIN
    assert len(operations) >= 20 and min(operations.values()) > 90


@pytest.mark.parametrize("where", runner.INTERPRETERS)
def test_a_broken_store_is_found_by_the_same_judge(where: str) -> None:
    """The controls: a store that says done before it is, one without a CRC, counters not reserved, a slot not written
    again, both copies cleared at once, a mount that formats."""
    found = runner.run(where, *[f"control:{name}" for name in CONTROLS])
    blind = [name for name, control in zip(CONTROLS, found, strict=True) if not control["found"]]
    assert blind == []
