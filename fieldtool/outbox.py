"""Signed records on their way to the headend: each kept until it was answered for, then moved to `done`.

The same record twice is one record there, so a lost answer costs nothing but the sending.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from . import frames
from .headend import Headend
from .refusals import Refusal
from .store import DONE, JOBS, OUTBOX, Store


class Told(NamedTuple):
    """What became of a record: the headend's answer, or why it is still here."""

    job_id: str
    state: str = ""
    findings: tuple[str, ...] = ()
    frame_for: str = ""
    refusal: Refusal | None = None

    def as_json(self) -> dict[str, Any]:
        document: dict[str, Any] = {"job_id": self.job_id, "state": self.state, "findings": list(self.findings)}
        if self.frame_for:
            document["frame_for"] = self.frame_for
        if self.refusal is not None:
            document["refused"] = self.refusal.code
        return document


def waiting(store: Store) -> list[str]:
    """The jobs whose records are still here."""
    return store.names(OUTBOX)


def send(store: Store, headend: Headend, told: list[Told]) -> None:
    """Send all that waits and add to `told` what became of it. One that the headend refuses stays and does not hold up
    the others. Raises Refusal without a network; the rest stays too."""
    for name in waiting(store):
        document = store.read(OUTBOX, name)
        assert document is not None
        try:
            answer = headend.post("/v1/field/records", document)
        except Refusal as refusal:
            told.append(Told(name, refusal=refusal))
            if refusal.code != "headend_refused":
                raise
            continue
        told.append(_answered(store, name, document, answer, headend.address))


def _answered(store: Store, name: str, document: dict[str, Any], answer: dict[str, Any], address: str) -> Told:
    """Keep what the headend says before the record leaves the outbox: a cut in between sends it once more."""
    state, findings, frame = answer.get("state"), answer.get("findings"), answer.get("opening_frame")
    if not isinstance(state, str) or not isinstance(findings, list):
        raise Refusal("headend_nonsense", address=address, field="state, findings")
    frame_for = ""
    if frame:
        frame_for = _keep_frame(store, document["record"], frame, address)
    store.keep(DONE, name, {**document, "answer": answer})
    forget_keys(store, name, state)
    store.drop(OUTBOX, name)
    return Told(name, state, tuple(str(finding) for finding in findings), frame_for)


def _keep_frame(store: Store, record: dict[str, Any], frame: Any, address: str) -> str:
    """An OPENING is for the new meter of a swap, else for the job's own."""
    meter_id = record.get("new_meter_id") or record.get("meter_id")
    try:
        frames.keep(store, bytes.fromhex(str(meter_id)), bytes.fromhex(frame))
    except (TypeError, ValueError):
        raise Refusal("headend_nonsense", address=address, field="opening_frame") from None
    return str(meter_id)


def forget_keys(store: Store, name: str, state: str) -> None:
    """What was handed out to make a meter with is forgotten as soon as the headend has the record. Grants stay: a
    statement may still have to be carried; they end by themselves."""
    job = store.read(JOBS, name)
    if job is not None:
        job["identity"] = None
        job.get("job", {})["state"] = state
        store.keep(JOBS, name, job)
