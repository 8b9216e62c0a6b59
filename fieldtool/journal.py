"""The journal of a job: what is finished, kept step by step, so that a cut at any moment costs the step under way.

One file per job, written whole and renamed into place after each step. It belongs to one job and to the meters the job
names: a journal of another job, another device or another format is refused and stays as it is.
"""

import json
import os
from pathlib import Path
from typing import Any

from fieldtool import outcome
from fieldtool.outcome import Done, Outcome

FORMAT = 1
_BYTES_MAX = 1_000_000


class JournalRefused(Exception):
    """`code`: "other_job", "other_device" or "unreadable"; `found` is what stands in the file."""

    def __init__(self, code: str, found: str) -> None:
        super().__init__(code, found)
        self.code = code
        self.found = found


class Journal:
    """Open with `Journal.open`; each change is on disk when its method returns."""

    def __init__(self, path: Path, stored: dict[str, Any]) -> None:
        self._path = path
        self.job_id = str(stored["job_id"])
        self.kind = str(stored["kind"])
        self.meter_id = str(stored["meter_id"])
        self.new_meter_id: str | None = stored["new_meter_id"]
        self.started_at = int(stored["started_at"])
        self.steps: list[Done] = [outcome.from_json(step) for step in stored["steps"]]
        self.frames: list[dict[str, str]] = [dict(frame) for frame in stored["frames"]]
        # What the record says of tool and meter, and what a step under way must remember.
        self.facts: dict[str, int | str] = dict(stored["facts"])

    @classmethod
    def open(cls, path: Path, job: dict[str, Any], now: int) -> "Journal":
        """The journal in `path` if it is this job's, or a new one. Raises JournalRefused."""
        if not path.exists():
            journal = cls(
                path,
                {name: job[name] for name in ("job_id", "kind", "meter_id", "new_meter_id")}
                | {"started_at": now, "steps": [], "frames": [], "facts": {}},
            )
            journal.save()
            return journal
        stored = _read(path)
        if stored["job_id"] != job["job_id"] or stored["kind"] != job["kind"]:
            raise JournalRefused("other_job", str(stored["job_id"]))
        if (stored["meter_id"], stored["new_meter_id"]) != (job["meter_id"], job["new_meter_id"]):
            raise JournalRefused("other_device", str(stored["meter_id"]))
        try:
            return cls(path, stored)
        except (KeyError, TypeError, ValueError, AssertionError) as error:
            raise JournalRefused("unreadable", type(error).__name__) from error

    def done(self, name: str) -> Done | None:
        """The finished step of this name. A failed one is not finished."""
        for step in self.steps:
            if step.name == name and step.result.outcome != outcome.FAILED:
                return step
        return None

    def finish(self, name: str, at: int, result: Outcome) -> Done:
        """Keep what a step came to; it takes the place of an earlier try."""
        step = Done(name, at, result)
        for place, earlier in enumerate(self.steps):
            if earlier.name == name:
                self.steps[place] = step
                break
        else:
            self.steps.append(step)
        self.save()
        return step

    def note(self, **facts: int | str) -> None:
        """Remember facts of the meter, the tool, or the step under way."""
        if any(self.facts.get(name) != value for name, value in facts.items()):
            self.facts.update(facts)
            self.save()

    def carry(self, meter_id: str, frames: list[bytes]) -> None:
        """Frames of a meter that this laptop brings to the headend by hand; one that is held already is held once."""
        for frame in frames:
            held = {"meter_id": meter_id, "frame": frame.hex()}
            if held not in self.frames:
                self.frames.append(held)
        self.save()

    def save(self) -> None:
        """Whole or not at all: a file beside it is synced and renamed."""
        stored = {
            "format": FORMAT,
            "job_id": self.job_id,
            "kind": self.kind,
            "meter_id": self.meter_id,
            "new_meter_id": self.new_meter_id,
            "started_at": self.started_at,
            "steps": [step.as_json() for step in self.steps],
            "frames": self.frames,
            "facts": self.facts,
        }
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        part = self._path.with_name(self._path.name + ".part")
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(stored, file, ensure_ascii=False, indent=1)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, self._path)
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            stored = json.loads(file.read(_BYTES_MAX))
    except ValueError as error:
        raise JournalRefused("unreadable", "JSON") from error
    wanted = {"job_id", "kind", "meter_id", "new_meter_id", "started_at", "steps", "frames", "facts"}
    if not isinstance(stored, dict) or stored.get("format") != FORMAT or not wanted <= set(stored):
        raise JournalRefused("unreadable", "format")
    return stored
