"""`guelta job` and `guelta seal`: what the office types where no headend runs."""

import json
import os

import pytest
from click.testing import CliRunner, Result

from guelta.cli import main
from headend.api import keys
from tests.headend.world import World

INSTALL = "job add --kind install --technician Moussa --meter-id 00000000000000aa --holder A --service-point B"


@pytest.fixture
def office(world: World) -> World:
    """A utility with a meter and a technician, its headend stopped."""
    world.add()
    world.writer.run(lambda tx: keys.create(tx, "Moussa", ("field",), os.urandom))
    world.writer.close()
    return world


def run(office: World, line: str) -> Result:
    key_file = ["--key-file", str(office.path.parent / "keys")] if line.startswith("job add") else []
    return CliRunner().invoke(main, [*line.split(), "--db", str(office.path), *key_file])


def test_a_job_is_made_listed_and_cancelled(office: World) -> None:
    made = json.loads(run(office, f"{INSTALL} --tariff home --litres-per-pulse 10 --first-index-l 7").output)
    assert (made["job_id"], made["kind"], len(made["token"])) == ("j1", "install", 19)
    visit = json.loads(
        run(office, "job add --kind visit --technician Moussa --meter-id 0000000000000001 --role 3").output
    )
    assert visit["job_id"] == "j2"
    lines = run(office, "job list").output.splitlines()
    assert [line.split("\t")[:5] for line in lines] == [
        ["j1", "install", "open", "Moussa", "00000000000000aa"],
        ["j2", "visit", "open", "Moussa", "0000000000000001"],
    ]
    [first, _] = [json.loads(line) for line in run(office, "job list --json").output.splitlines()]
    assert (first["litres_per_pulse"], first["holder"]) == (10, "A")
    assert made["token"] not in run(office, "job list --json").output
    assert run(office, "job cancel j1").output == "j1: cancelled\n"
    assert run(office, "job list").output.count("cancelled") == 1


@pytest.mark.parametrize(
    ("line", "exit_code", "says"),
    [
        (f"{INSTALL} --tariff other", 1, "tariff"),
        ("job add --kind visit --technician Moussa --meter-id 0000000000000001", 1, "role"),
        ("job add --kind visit --technician Nobody --meter-id 0000000000000001 --role 2", 1, "scope field"),
        ("job add --kind visit --technician Moussa --meter-id x --role 2", 1, "meter_id"),
        ("job cancel j7", 1, "job"),
        ("job cancel 7", 1, "j17"),
        ("seal import --first 0001 --last 12", 1, "digits"),
    ],
)
def test_what_is_wrong_is_told_in_one_line(office: World, line: str, exit_code: int, says: str) -> None:
    refused = run(office, line)
    assert refused.exit_code == exit_code and says in refused.output, refused.output
    assert len(refused.output.strip().splitlines()) == 1


def test_seals_are_taken_into_stock_and_listed(office: World) -> None:
    """IW-83: by number range, zeros kept."""
    assert run(office, "seal import --prefix NE --first 0098 --last 0101").output == "NE0098 to NE0101: 4\n"
    assert run(office, "seal list").output.splitlines()[-1] == "NE0101\tstock\t-\t-"
    assert len(run(office, "seal list --state stock --json").output.splitlines()) == 4
    assert run(office, "seal list --state placed").output == ""
