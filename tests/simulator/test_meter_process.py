"""One meter as a process: lock-step, power cuts, the same flash file again, and failures that say what happened."""

from pathlib import Path

import pytest

from firmware.provisioning import identity_record, opening_frame
from protocol.wire.messages import Opening
from simulator import link, prices
from simulator.clock import HOUR_US, MINUTE_US, unix_s
from simulator.face import parse_reading, read_request
from simulator.meter_process import NEVER_US, MeterFailed, MeterProcess, interpreter
from simulator.prices import Price

METER_ID, ROOT = b"METER001", bytes(range(16))


def provision_hex() -> str:
    opening = Opening(1, 0, 0, 0, 0, prices.START_SLOT, 500_000, 0, 1)
    frame = opening_frame(ROOT, METER_ID, opening, 0)
    return identity_record(METER_ID, ROOT, 1, opening=frame, tariff=prices.tariff(1, Price(0, 127))).hex()


def at_power_on(now_us: int, pulses: int = 0) -> list[bytes]:
    return [link.pulses(pulses), link.real_time(unix_s(now_us), True), link.battery(3600), link.tamper(False)]


def read(meter: MeterProcess, now_us: int) -> dict[str, object]:
    return parse_reading(meter.advance(now_us, [link.record(link.CONSOLE, read_request())]).console)


def test_a_meter_counts_what_the_pipe_delivers_and_survives_a_cut_in_mid_write(firmware: Path, tmp_path: Path) -> None:
    meter = MeterProcess("1 Fati", firmware, tmp_path / "flash", provision_hex())
    try:
        first = meter.start(0, at_power_on(0))
        assert first.frames, "a meter that boots says so"
        assert 0 < first.deadline_us < NEVER_US
        meter.advance(5 * MINUTE_US, [link.pulses(40)])
        assert read(meter, 5 * MINUTE_US)["volume_l"] == 40
        spoken = meter.advance(HOUR_US, [link.cut_power(1, link.CUT_TORN), link.pulses(41)])
        assert spoken.cut, "two half-hours have ended: there is something to write"
        meter.kill()
        assert not meter.running
        again_us = HOUR_US + 40 * MINUTE_US
        meter.start(again_us, at_power_on(again_us, pulses=55))
        told = read(meter, again_us)
        assert (told["volume_l"], told["boot_count"], told["safe_mode"]) == (55, 2, 0)
        assert told["spent_mills"] == prices.STANDING_DAY_MILLS + 55 * 127
    finally:
        meter.dispose()


def test_a_meter_that_ends_is_a_failure_with_its_last_words(firmware: Path, tmp_path: Path) -> None:
    meter = MeterProcess("1 Fati", firmware, tmp_path / "flash", "8901")
    with pytest.raises(MeterFailed, match=r"meter 1 Fati: it ended.*provisioning refused"):
        meter.start(0, at_power_on(0))
    assert not meter.running
    meter.dispose()


def test_without_micropython_there_is_a_failure_that_names_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GUELTA_MICROPYTHON", "no-such-interpreter")
    with pytest.raises(MeterFailed, match=r"GUELTA_MICROPYTHON names no-such-interpreter.*unset it"):
        interpreter()
