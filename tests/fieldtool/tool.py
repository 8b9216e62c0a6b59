"""The real command `guelta field` in a process of its own, as a technician types it: run, talked to, interrupted."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pexpect

from .office import Office

_GUELTA = (sys.executable, "-m", "guelta", "field")
_WITHIN_S = 120


class FieldTool:
    """One technician's laptop: its folder `home`, and where he stands when he types."""

    def __init__(self, folder: Path, lang: str = "en") -> None:
        self.folder, self.home, self.lang = folder, folder / "field", lang
        self.technician = f"technician-{sha256(str(folder).encode()).hexdigest()[:8]}"
        folder.mkdir(parents=True, exist_ok=True)

    @property
    def environment(self) -> dict[str, str]:
        """What the command finds around it."""
        return {**os.environ, "GUELTA_FIELD_HOME": str(self.home), "LC_ALL": "C.UTF-8"}

    def run(self, *words: object, typed: str | None = None) -> subprocess.CompletedProcess[str]:
        """The command, ended by itself. Without `typed` there is nobody at its terminal."""
        return subprocess.run(
            [*_GUELTA, *map(str, words), "--lang", self.lang],
            cwd=self.folder, env=self.environment, input=typed, stdin=None if typed else subprocess.DEVNULL,
            capture_output=True, text=True, timeout=_WITHIN_S, check=False,
        )  # fmt: skip

    def does(self, *words: object) -> Any:
        """What must succeed, with --json: its result."""
        done = self.run(*words, "--json")
        assert done.returncode == 0, f"guelta field {' '.join(map(str, words))}: {done.returncode}\n{done.stderr}"
        return json.loads(done.stdout)

    def talks(self, *words: object) -> pexpect.spawn[str]:
        """The command at a terminal, to be talked to with expect and sendline."""
        if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # in a test run in the background, and so in its children
            signal.signal(signal.SIGINT, signal.default_int_handler)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # a fork beside threads; it execs at once
            return pexpect.spawn(
                _GUELTA[0], [*_GUELTA[1:], *map(str, words), "--lang", self.lang], cwd=str(self.folder),
                env=self.environment, encoding="utf-8", timeout=_WITHIN_S, dimensions=(50, 160),
            )  # fmt: skip

    def is_stopped(
        self, by: signal.Signals, when: Callable[[str], bool], *words: object
    ) -> subprocess.CompletedProcess[str]:
        """The command, sent a signal as soon as what it has said on stderr is such; what it said and how it ended."""
        said = self.folder / "said"
        with said.open("wb") as errors:
            process = subprocess.Popen(
                [*_GUELTA, *map(str, words), "--lang", self.lang], cwd=self.folder, env=self.environment,
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors,
            )  # fmt: skip
            until = time.monotonic() + _WITHIN_S
            while not when(said.read_text("utf-8", "replace")):
                text = said.read_text("utf-8", "replace")
                assert process.poll() is None, f"it ended with {process.returncode} before it could be stopped: {text}"
                assert time.monotonic() < until, f"it never came so far: {text}"
                time.sleep(0.005)
            process.send_signal(by)
            process.wait(_WITHIN_S)
        return subprocess.CompletedProcess(words, process.returncode, "", said.read_text("utf-8", "replace"))

    # What a technician does before the first visit --------------------------------------------------------------------

    def enrols(self, office: Office) -> None:
        """Make itself known to the office, by a file with the API key."""
        key = self.folder / "api.key"
        key.touch(0o600)
        key.write_text(office.technician(self.technician))
        self.does("enrol", "--headend", office.url, "--api-key-file", key)
        key.unlink()

    def takes(self, *jobs: dict[str, Any]) -> None:
        """Fetch jobs, their tokens typed at the hidden prompt; others are left for later."""
        tokens = {job["job_id"]: job["token"] for job in jobs}
        talk = self.talks("sync")
        said = ""
        while talk.expect([r"Token of job (\w+) .*: $", pexpect.EOF]) == 0:
            said += talk.before
            assert talk.match is not None and not isinstance(talk.match, type)
            talk.sendline(tokens.pop(talk.match.group(1), ""))
        talk.close()
        assert talk.exitstatus == 0 and not tokens, said + talk.before
        assert not any(job["token"] in said + talk.before for job in jobs), "the prompt hides what is typed"

    def job_ids(self) -> list[str]:
        """The jobs it has taken."""
        return sorted(file.stem for file in (self.home / "jobs").glob("*.json"))

    def read_json(self, name: str) -> Any:
        """A document of its folder."""
        return json.loads((self.home / name).read_text())
