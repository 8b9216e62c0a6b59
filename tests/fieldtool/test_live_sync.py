"""Enrolment, jobs and their claims against a real headend, by the real command."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pexpect
import pytest

from fieldtool import exit_codes

from .office import Office
from .tool import FieldTool


@pytest.fixture
def tool(tmp_path: Path, headend: Office) -> FieldTool:
    """A laptop that the office knows."""
    tool = FieldTool(tmp_path)
    tool.enrols(headend)
    return tool


def test_enrolling_again_changes_nothing(tool: FieldTool, headend: Office) -> None:
    before = tool.read_json("config.json")
    key = (tool.home / "tool.key").read_bytes()
    tool.enrols(headend)
    assert tool.read_json("config.json") == before and (tool.home / "tool.key").read_bytes() == key
    assert before["technician"] == tool.technician
    assert stat.S_IMODE((tool.home / "tool.key").stat().st_mode) == 0o600


def test_an_api_key_that_is_none_is_refused_and_nothing_is_kept(tmp_path: Path, headend: Office) -> None:
    tool = FieldTool(tmp_path, lang="fr")
    (tmp_path / "key").write_text("guelta_not_one")
    done = tool.run("enrol", "--headend", headend.url, "--api-key-file", tmp_path / "key")
    assert done.returncode == exit_codes.HEADEND_REFUSED and "refuse" in done.stderr and done.stdout == ""
    assert not (tool.home / "config.json").exists()
    assert "guelta_not_one" not in done.stderr


def test_the_api_key_may_be_typed_unseen(tmp_path: Path, headend: Office) -> None:
    tool = FieldTool(tmp_path)
    talk = tool.talks("enrol", "--headend", headend.url)
    talk.expect("nothing is shown")
    talk.sendline(headend.technician(tool.technician))
    talk.expect(pexpect.EOF)
    talk.close()
    assert talk.exitstatus == 0 and headend.technician(tool.technician) not in talk.before and "Enrolled" in talk.before


def test_a_job_is_claimed_with_its_token_once_and_stays_the_same(tool: FieldTool, headend: Office) -> None:
    """The root comes with the claim and lies in a file of the technician's alone; syncing again asks nothing."""
    job = headend.job("install", technician=tool.technician)
    tool.takes(job)
    kept = tool.read_json(f"jobs/{job['job_id']}.json")
    assert kept["state"] == "claimed" and len(kept["identity"]["root"]) == 32 and kept["grants"]
    assert "token" not in kept and job["token"] not in json.dumps(kept)
    assert stat.S_IMODE((tool.home / f"jobs/{job['job_id']}.json").stat().st_mode) == 0o600
    again = tool.does("sync")
    mine = [one for one in again["jobs"] if one["job_id"] == job["job_id"]]
    assert [one["outcome"] for one in mine] == ["claimed"]
    assert tool.read_json(f"jobs/{job['job_id']}.json")["identity"] == kept["identity"]
    headend.post(f"/v1/field/jobs/{job['job_id']}/cancel", {})


def test_a_claim_whose_answer_was_lost_is_asked_for_again(tool: FieldTool, headend: Office) -> None:
    """Cut after the claim was kept: with or without the headend having heard it, the next sync ends with the keys."""
    job = headend.job("install", technician=tool.technician)
    tool.takes(job)
    kept = tool.read_json(f"jobs/{job['job_id']}.json")
    claiming = {"state": "claiming", "job": kept["job"], "claim": kept["claim"], "token": job["token"]}
    (tool.home / f"jobs/{job['job_id']}.json").write_text(json.dumps(claiming))
    tool.does("sync")
    again = tool.read_json(f"jobs/{job['job_id']}.json")
    assert (again["identity"], again["grants"]) == (kept["identity"], kept["grants"]) and "token" not in again
    headend.post(f"/v1/field/jobs/{job['job_id']}/cancel", {})


def test_a_wrong_token_is_refused_and_forgotten(tool: FieldTool, headend: Office) -> None:
    job = headend.job("install", technician=tool.technician)
    (tool.folder / "tokens").write_text(f"{job['job_id']} 0000-0000-0000-0000\n")
    done = tool.run("sync", "--token-file", "tokens", "--json")
    assert done.returncode == exit_codes.HEADEND_REFUSED
    mine = [one for one in json.loads(done.stdout)["jobs"] if one["job_id"] == job["job_id"]]
    assert [one["refused"] for one in mine] == ["headend_refused"]
    assert not (tool.home / f"jobs/{job['job_id']}.json").exists()
    (tool.folder / "tokens").write_text(job["token"])
    claimed = tool.does("sync", "--token-file", "tokens")
    assert {one["outcome"] for one in claimed["jobs"] if one["job_id"] == job["job_id"]} == {"claimed"}
    headend.post(f"/v1/field/jobs/{job['job_id']}/cancel", {})


def test_without_a_token_a_job_waits_and_the_end_says_so(tool: FieldTool, headend: Office) -> None:
    job = headend.job("install", technician=tool.technician)
    done = tool.run("sync", "--json")
    assert done.returncode == exit_codes.INCOMPLETE
    assert {one["outcome"] for one in json.loads(done.stdout)["jobs"]} == {"no_token"}
    talk = tool.talks("sync")
    talk.expect("Token of job")
    talk.sendline("")
    talk.expect(pexpect.EOF)
    talk.close()
    assert talk.exitstatus == exit_codes.OK, "who answers Enter has decided"
    headend.post(f"/v1/field/jobs/{job['job_id']}/cancel", {})


def test_work_that_was_begun_keeps_its_keys_when_the_office_cancels(tool: FieldTool, headend: Office) -> None:
    """B9: the technician was away; without the grants no meter attests what was done."""
    job = headend.job("install", technician=tool.technician)
    tool.takes(job)
    kept = tool.read_json(f"jobs/{job['job_id']}.json")
    (tool.home / "journals").mkdir(exist_ok=True)
    (tool.home / f"journals/{job['job_id']}.json").write_text("{}")
    headend.post(f"/v1/field/jobs/{job['job_id']}/cancel", {})
    tool.does("sync")
    still = tool.read_json(f"jobs/{job['job_id']}.json")
    assert still["job"]["state"] == "cancelled" and still["grants"] == kept["grants"]
    (tool.home / f"journals/{job['job_id']}.json").unlink()
    told = tool.does("sync")
    assert {one["outcome"] for one in told["jobs"] if one["job_id"] == job["job_id"]} == {"over"}
    assert not (tool.home / f"jobs/{job['job_id']}.json").exists()


def test_a_cancelled_job_and_its_keys_are_forgotten(tool: FieldTool, headend: Office) -> None:
    job = headend.job("install", technician=tool.technician)
    tool.takes(job)
    headend.post(f"/v1/field/jobs/{job['job_id']}/cancel", {})
    told = tool.does("sync")
    assert {one["outcome"] for one in told["jobs"] if one["job_id"] == job["job_id"]} == {"over"}
    assert not (tool.home / f"jobs/{job['job_id']}.json").exists()


def test_ctrl_c_at_the_prompt_ends_with_130_and_keeps_all(tool: FieldTool, headend: Office) -> None:
    job = headend.job("install", technician=tool.technician)
    talk = tool.talks("sync")
    talk.expect("Token of job")
    talk.sendintr()
    talk.expect(pexpect.EOF)
    talk.close()
    assert talk.exitstatus == exit_codes.INTERRUPTED and "Interrupted" in talk.before
    assert not (tool.home / f"jobs/{job['job_id']}.json").exists()
    tool.takes(job)
    headend.post(f"/v1/field/jobs/{job['job_id']}/cancel", {})
