"""The command `guelta demo`: one small world from the command line, and every wrong option refused."""

import json
import socket
from pathlib import Path

import pytest
from click.testing import CliRunner

from simulator.demo import demo

PROMISED = {
    "seed", "meters", "interpreter", "virtual_days", "uplinks", "uplinks_lost", "downlinks", "closures", "reopenings",
    "topups", "duplicate_callbacks", "meter_kills", "headend_kills", "paid_to_water_s", "slots_expected",
    "slots_stored", "divergent_meters", "ledger", "bytes_per_uplink_mean", "wall",
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.xdist_group("world-1")
def test_a_small_world_from_the_command_line(tmp_path: Path) -> None:
    """CT-01 and the whole chain: two homes, one day, exit 0, the table, the verdict and the file."""
    out = tmp_path / "out.json"
    arguments = ["--headless", "--meters", "2", "--days", "1", "--seed", "4", "--json", str(out), "--lang", "fr"]
    result = CliRunner().invoke(demo, arguments)
    assert result.exit_code == 0, result.output
    assert result.output.startswith("2 foyers, 1 jour à partir du lundi 30 mars 2026, graine 4"), (
        "one day, not one days"
    )
    assert "compteurs et livres concordent : 2/2" in result.output.splitlines()[-1]
    figures = json.loads(out.read_text())
    assert set(figures) >= PROMISED
    assert figures["interpreter"].startswith("micropython ")
    assert set(figures["paid_to_water_s"]) == {"p50", "p99"}
    assert set(figures["ledger"]) >= {"balanced", "entries", "chain_ok"}
    assert figures["slots_expected"] == figures["slots_stored"] > 90
    assert (figures["divergent_meters"], figures["meter_kills"], figures["headend_kills"]) == (0, 1, 1)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--days", "0"], "--days"),
        (["--days", "15"], "--days"),
        (["--meters", "0"], "--meters"),
        (["--meters", "51"], "--meters"),
        (["--meters", "8.5"], "--meters"),
        (["--seed", "-1"], "--seed"),
        (["--seed", "seven"], "--seed"),
        (["--loss", "96"], "--loss"),
        (["--duplicates", "101"], "--duplicates"),
        (["--reorder", "-1"], "--reorder"),
        (["--skew", "-1"], "--skew"),
        (["--pace", "0"], "--pace"),
        (["--lang", "de"], "--lang"),
        (["--port", "65536"], "--port"),
        (["--json", "no/such/folder/out.json"], "--json"),
        (["--fast"], "--fast"),
        (["now"], "now"),
    ],
)
def test_a_wrong_option_is_refused_and_named_before_anything_starts(arguments: list[str], named: str) -> None:
    result = CliRunner().invoke(demo, arguments)
    assert result.exit_code == 2
    assert named in result.output


def test_a_port_that_is_taken_is_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        result = CliRunner().invoke(demo, ["--port", str(port)])
    assert result.exit_code == 2
    assert f"port {port}" in result.output


def test_without_micropython_the_demo_says_so_before_it_starts_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GUELTA_MICROPYTHON", "no-such-interpreter")
    result = CliRunner().invoke(demo, ["--headless"])
    assert result.exit_code == 1
    assert result.output.startswith("Error: GUELTA_MICROPYTHON names no-such-interpreter")
