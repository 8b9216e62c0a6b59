"""`guelta bench wire`: the published figures, and what it says to a file that is none (CT-05)."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bench import wire as bench_wire
from bench.cli import bench
from bench.household_days import load
from bench.train_log_priors import main, module_text

ROOT = Path(__file__).resolve().parents[2]
TRAINING = ROOT / "simulator" / "data" / "household_days.json"


def run(path: Path, *options: str) -> Result:
    return CliRunner().invoke(bench, ["wire", "--data", str(path), *options])


def write(path: Path, content: object) -> Path:
    path.write_text(json.dumps(content))
    return path


def test_on_the_training_file_both_folds_reach_the_targets() -> None:
    result = run(TRAINING, "--json")
    assert result.exit_code == 0, result.output
    figures = json.loads(result.output)
    assert len(figures["parts"]) == 2
    for part in (*figures["parts"], figures):
        assert part["share_day_le_51"] >= 0.99
        assert part["day_bytes_mean"] <= 36
        assert part["log_bytes_mean"] <= 15.1
    assert (figures["poll_bytes"], figures["overhead_bytes"]) == (11, 11)
    assert 0 < figures["encode_seal_ms_micropython"] < 20
    assert figures["micropython"].startswith("micropython ")


def test_on_another_file_the_shipped_priors_are_measured_on_all_of_it(tmp_path: Path) -> None:
    other = write(tmp_path / "other.json", {"households": [{"days": [[0] * 48, [65535] * 48]}]})
    result = run(other, "--json")
    assert result.exit_code == 0, result.output
    figures = json.loads(result.output)
    assert figures["days"] == 2 and len(figures["parts"]) == 1
    assert figures["share_day_le_51"] == 0.5
    assert "log_bytes_mean" in run(other).output


def test_a_frame_that_decodes_to_something_else_fails_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    real = bench_wire.uplinks.decode_up

    def wrong_by_one(message_type: int, plaintext: bytes, phase: int) -> object:
        day = real(message_type, plaintext, phase)
        return bench_wire.messages.Day(*day[:8], [*day.litres[:-1], day.litres[-1] ^ 1])

    monkeypatch.setattr(bench_wire.uplinks, "decode_up", wrong_by_one)
    result = run(TRAINING)
    assert result.exit_code == 1
    assert "decodes to something else" in result.output


def test_without_a_micropython_the_run_fails_and_says_how_to_get_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GUELTA_MICROPYTHON", "no-such-interpreter")
    result = run(TRAINING)
    assert result.exit_code == 1
    assert "GUELTA_MICROPYTHON names no-such-interpreter, which cannot be run" in result.output


@pytest.mark.parametrize(
    ("content", "remedy"),
    [
        ([], 'no list "households"'),
        ({"households": []}, "Give at least one"),
        ({"households": [{"days": []}]}, "household 0 has no"),
        ({"households": [{"days": [[0] * 47]}]}, "household 0, day 0 does not have 48"),
        ({"households": [{"days": [[0] * 48, [0] * 47 + [-1]]}]}, "household 0, day 1 holds -1"),
        ({"households": [{"days": [[0] * 47 + [65536]]}]}, "holds 65536"),
        ({"households": [{"days": [[0] * 47 + [1.5]]}]}, "holds 1.5"),
        ({"households": [{"days": [[0] * 47 + [True]]}]}, "holds True"),
        ({"households": [3]}, "household 0 has no"),
    ],
)
def test_a_file_of_another_form_is_refused_with_its_place_and_the_remedy(
    tmp_path: Path, content: object, remedy: str
) -> None:
    result = run(write(tmp_path / "bad.json", content), "--json")
    assert result.exit_code == 2
    assert remedy in " ".join(result.output.split())


def test_a_file_that_is_missing_or_not_json_is_refused(tmp_path: Path) -> None:
    missing = run(tmp_path / "none.json")
    assert missing.exit_code == 2 and "cannot be read" in missing.output
    text = tmp_path / "text.json"
    text.write_bytes(b"\xff\xfe{")
    refused = run(text)
    assert refused.exit_code == 2 and "is not JSON" in refused.output
    for beyond_reading in ("[" * 100_000, "9" * 5_000):
        text.write_text(beyond_reading)
        refused = run(text)
        assert refused.exit_code == 2 and "is not JSON" in refused.output


def test_the_shipped_priors_are_what_the_training_gives() -> None:
    assert (ROOT / "protocol" / "wire" / "priors.py").read_text() == module_text(load(TRAINING))


def test_training_refuses_what_is_no_data_and_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for arguments, remedy in (([], "usage"), ([str(tmp_path / "none")], "cannot be read")):
        assert main(arguments) == 2
        written = capsys.readouterr()
        assert written.out == "" and remedy in written.err
