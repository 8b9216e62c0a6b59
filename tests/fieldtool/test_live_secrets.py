"""No secret of the tool in any output, error, record or argument, and in no file but those that are made for it.

A technician's day with everything that can go wrong at hand: each command's output is kept and searched at the end.
"""

from __future__ import annotations

import importlib
import json
import stat
import subprocess
from pathlib import Path
from typing import Any

import click
import pexpect

from fieldtool.cli import VERBS

from .grants_in_hand import has_grant
from .office import Office
from .table_meter import TableMeter
from .tool import FieldTool

# Where a secret may lie: file or folder of the tool's home, and which.
API_KEY, TOKEN, ROOT, GRANT, TOOL_KEY = "API key", "token", "root", "grant key", "tool key"
MAY_HOLD = {"config.json": {API_KEY}, "tool.key": {TOOL_KEY}, "jobs": {ROOT, GRANT, TOKEN}}


class HeardTool(FieldTool):
    """Keeps what every command said."""

    said = ""

    def run(self, *words: object, typed: str | None = None) -> subprocess.CompletedProcess[str]:
        done = super().run(*words, typed=typed)
        self.said += f"$ {' '.join(map(str, words))}\n{done.stdout}{done.stderr}"
        return done

    def sees(self, talk: Any, *answers: tuple[str, str]) -> None:
        """A conversation at a terminal, all of it kept."""
        for prompt, answer in answers:
            talk.expect(prompt)
            self.said += f"{talk.before}{talk.after}"
            talk.sendline(answer)
        talk.expect(pexpect.EOF)
        self.said += str(talk.before)
        talk.close()


def test_no_option_takes_a_secret() -> None:
    for verb in VERBS.values():
        command = getattr(importlib.import_module(verb.module), verb.attribute)
        for parameter in command.params:
            for name in parameter.opts:
                if any(word in name for word in ("key", "token", "secret", "pass")):
                    assert name.endswith("-file") and isinstance(parameter.type, click.Path), name


def test_a_technicians_day_leaves_no_secret_behind(meter: TableMeter, headend: Office, tmp_path: Path) -> None:
    assert meter.added is not None
    tool = HeardTool(tmp_path / "laptop")
    key, wrong = tmp_path / "api.key", tmp_path / "wrong"
    key.write_text(headend.technician(tool.technician))
    job = headend.job("install", technician=tool.technician)
    tool.run("enrol", "--headend", "http://127.0.0.1:9", "--api-key-file", key)
    tool.run("enrol", "--headend", headend.url, "--api-key-file", key)
    wrong.write_text(job["token"][:-1] + ("1" if job["token"][-1] != "1" else "2"))
    tool.run("sync", "--token-file", wrong, "--json")
    (tmp_path / "both").write_text(f"{job['token']} {job['token']} x")
    tool.run("sync", "--token-file", tmp_path / "both")
    tool.sees(tool.talks("sync"), (f"(?s){job['job_id']}.*: ", job["token"]))
    claimed = tool.read_json(f"jobs/{job['job_id']}.json")
    has_grant(tool, meter.added, 900)
    grant = tool.read_json("jobs/j900.json")["grants"][0]["key"]
    for words in (
        ("read",),
        ("read", "--json"),
        ("test",),
        ("log",),
        ("label", job["job_id"]),
        ("commission",),
    ):
        tool.run(*words, "--port", meter.port)
    has_grant(tool, {**meter.added, "root": "ee" * 16}, 900)
    tool.run("read", "--port", meter.port, "--json")
    (tool.home / "jobs" / "j901.json").write_text(
        json.dumps({**claimed, "grants": [{"key": claimed["identity"]["root"]}]})
    )
    tool.run("read", "--port", meter.port)
    (tool.home / "jobs" / "j901.json").write_text('{"identity": {"root": "' + claimed["identity"]["root"])
    tool.run("sync", "--json")
    (tool.home / "jobs" / "j901.json").unlink()

    secrets = {
        API_KEY: [headend.technician(tool.technician)],
        TOKEN: [job["token"], job["token"].replace("-", ""), wrong.read_text()],
        ROOT: [claimed["identity"]["root"], meter.added["root"]],
        GRANT: [grant, *(one["key"] for one in claimed["grants"])],
        TOOL_KEY: [(tool.home / "tool.key").read_bytes().hex()],
    }
    assert all(all(values) for values in secrets.values())
    for kind, values in secrets.items():
        for value in values:
            assert value not in tool.said, f"the {kind} was printed"
            for file in (path for path in tool.home.rglob("*") if path.is_file()):
                data = file.read_bytes()
                holds = value.encode() in data or (kind == TOOL_KEY and bytes.fromhex(value) in data)
                assert not holds or kind in MAY_HOLD[file.relative_to(tool.home).parts[0]], f"{file} holds the {kind}"
    assert all(
        stat.S_IMODE(path.stat().st_mode) & 0o077 == 0 for path in tool.home.rglob("*") if path.name != "j900.json"
    )
    headend.post(f"/v1/field/jobs/{job['job_id']}/cancel", {})
