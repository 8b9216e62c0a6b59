"""Noise and forgeries at the service port, on both interpreters: nothing raises, nothing unsealed reaches a meter."""

from tests.dual.runner import run_dual


def test_twenty_thousand_lines_of_noise_are_taken_alike() -> None:
    codes, asked = run_dual("service_port_fuzz", "20261122", "20000").splitlines()
    for told in (0x1F01, 0x1F02, 0x1F03, 0x1F04, 0x1F05, 0x1F06, 0x1F07, 0x1F0B, 0x1000, 0x1200, 0x1400):
        assert f"({told}, " in codes, hex(told)
    assert int(asked.split()[1]) > 20 and int(asked.split()[3]) > 3
