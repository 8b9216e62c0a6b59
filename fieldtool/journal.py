"""The journal of a job: what is finished, kept step by step, so that a cut at any moment costs the step under way.

One document per job in the tool's folder, written anew after each step. It belongs to one job and to the meters the job
names: a journal of another job, another device or another format is refused and stays as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from . import outcome
from .outcome import Done, Outcome
from .refusals import Refusal
from .store import JOURNALS, Store

FORMAT = 1
_OF_THE_JOB = ("job_id", "kind", "meter_id", "new_meter_id")


class Journal:
    """Opened with `Journal.open`; each change is on disk when its method returns."""

    def __init__(self, store: Store, stored: dict[str, Any]) -> None:
        self._store = store
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
    def open(cls, store: Store, job: dict[str, Any], now: int) -> Journal:
        """This job's journal, or a new one, kept from its first step on. Raises Refusal: journal_other_job,
        journal_other_device, store_damaged; the file stays as it is."""
        stored = store.read(JOURNALS, job["job_id"])
        if stored is None:
            fresh = {"started_at": now, "steps": [], "frames": [], "facts": {}}
            return cls(store, {name: job[name] for name in _OF_THE_JOB} | fresh)
        file = f"{JOURNALS}/{job['job_id']}.json"
        if stored.get("format") != FORMAT:
            raise Refusal("store_damaged", file=file, why="format")
        if (stored.get("job_id"), stored.get("kind")) != (job["job_id"], job["kind"]):
            raise Refusal("journal_other_job", file=file, found=stored.get("job_id"), job_id=job["job_id"])
        if (stored.get("meter_id"), stored.get("new_meter_id")) != (job["meter_id"], job["new_meter_id"]):
            raise Refusal("journal_other_device", file=file, found=stored.get("meter_id"), expected=job["meter_id"])
        try:
            return cls(store, stored)
        except (KeyError, TypeError, ValueError, OverflowError, AssertionError) as error:
            raise Refusal("store_damaged", file=file, why=type(error).__name__) from error

    def done(self, name: str) -> Done | None:
        """The finished step of this name. A failed one is not finished."""
        for step in self.steps:
            if step.name == name and step.result.outcome != outcome.FAILED:
                return step
        return None

    def finish(self, name: str, at: int, result: Outcome, frames: Sequence[dict[str, str]] = ()) -> Done:
        """Keep what a step came to, with the sealed frames it took along; it takes the place of an earlier try."""
        step = Done(name, at, result)
        for place, earlier in enumerate(self.steps):
            if earlier.name == name:
                self.steps[place] = step
                break
        else:
            self.steps.append(step)
        self.frames += frames
        self.save()
        return step

    def note(self, **facts: int | str) -> None:
        """Remember facts of the meter, the tool, or the step under way."""
        if any(self.facts.get(name) != value for name, value in facts.items()):
            self.facts.update(facts)
            self.save()

    def save(self) -> None:
        """Whole or not at all."""
        stored: dict[str, Any] = {
            "format": FORMAT,
            "started_at": self.started_at,
            "steps": [step.as_json() for step in self.steps],
            "frames": self.frames,
            "facts": self.facts,
        }
        for name in _OF_THE_JOB:
            stored[name] = getattr(self, name)
        self._store.keep(JOURNALS, self.job_id, stored)
