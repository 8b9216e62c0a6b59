"""`guelta bench day` (the day itself is hil_tests/test_day.py)."""

from pathlib import Path

from click.testing import CliRunner

from bench.cli import bench


def test_a_missing_image_is_refused_with_the_command_that_builds_it(tmp_path: Path) -> None:
    refused = CliRunner().invoke(bench, ["day", "--image", str(tmp_path / "meter.elf"), "--json"])
    assert refused.exit_code == 1
    assert "make firmware" in refused.output
