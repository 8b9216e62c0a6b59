"""The checklist: shows what is done and what is next, runs the steps, keeps each one, and makes the record at the end.

What was kept is never asked again. A step that was under way when the power, the cable or the patience went is begun
again from its start, which each step allows. A record leaves here attested and signed, or not at all.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from . import record, signing
from .clock import Clock
from .enrol import tool_name
from .hands import AGAIN, WAIVE, Hands, Voice
from .journal import Journal
from .meter import Meter
from .outcome import FAILED, PASSED, WAIVED, Outcome
from .refusals import Refusal
from .step import Step
from .steps import INSTALLATION, REMOVAL, VISITING
from .steps.grace import money_text
from .steps.volume_test import litres_text
from .store import DONE, JOURNALS, OUTBOX, Store
from .texts import Texts, sentence
from .value_words import words
from .work_order import WorkOrder

TEXTS: Texts = {
    "job": (
        "Job {job_id}: meter {meter_id}, customer {customer_number}, {service_point}",
        "Intervention {job_id} : compteur {meter_id}, client {customer_number}, {service_point}",
    ),
    "head": ("[{at}/{of}] {title}", "[{at}/{of}] {title}"),
    "kept": ("[{at}/{of}] {title}: {outcome}, {when}", "[{at}/{of}] {title} : {outcome}, {when}"),
    "next": ("[{at}/{of}] {title}: next", "[{at}/{of}] {title} : à faire maintenant"),
    "later": ("[{at}/{of}] {title}", "[{at}/{of}] {title}"),
    "ended": ("  {outcome}", "  {outcome}"),
    "measured": ("  {outcome}: {values}", "  {outcome} : {values}"),
    PASSED: ("passed", "réussi"),
    FAILED: ("failed", "échoué"),
    WAIVED: ("left out", "laissé"),
    "summary": ("{title} ({name}): {outcome}", "{title} ({name}) : {outcome}"),
    "attesting": (
        "The meter attests the record …",
        "Le compteur atteste le dossier …",
    ),
    "then": (
        "Done. The signed record waits on this laptop: with a network, 'guelta field sync' sends it, brings the frames"
        " along and tells whether the headend has heard the meter. Label: guelta field label {job_id}",
        "Terminé. Le dossier signé attend sur ce portable : avec du réseau, « guelta field sync » l’envoie avec les"
        " trames et dit si la tête de réseau a entendu le compteur. Étiquette : guelta field label {job_id}",
    ),
    "was_sent": (
        "Done, and the headend has the signed record. Label: guelta field label {job_id}",
        "Terminé, et la tête de réseau a le dossier signé. Étiquette : guelta field label {job_id}",
    ),
}


class Checklist:
    """One job's. `key` signs its record."""

    def __init__(self, voice: Voice, store: Store, order: WorkOrder, clock: Clock) -> None:
        self._voice, self._store, self._clock = voice, store, clock
        self.order = order
        self._key: Ed25519PrivateKey = signing.load(store)
        technician = store.config().get("technician")
        if not isinstance(technician, str):
            raise Refusal("not_enrolled")
        self.journal = Journal.open(store, order.job, clock.now())
        self._said = {
            "technician": technician,
            "tool": tool_name(),
            "customer_number": str(order.job.get("customer_number") or "-"),
            "service_point": str(order.job.get("service_point") or "-"),
        }

    def begin(self) -> None:
        """Say whose job this is; from here on there is a journal."""
        self.journal.note(**self._said)
        self._say("job", job_id=self.order.job_id, meter_id=self.order.installs, **self._said)

    def run(self, steps: Sequence[Step], meter: Meter, first: int = 1, of: int | None = None) -> None:
        """All steps that are not done. Raises Refusal step_failed when one fails and nobody repeats it."""
        for at, step in enumerate(steps, first):
            place = {"at": at, "of": of or len(steps)}
            kept = self.journal.done(step.name)
            title = self._text_of(step, "title")
            if kept is not None:
                outcome = self._text(kept.result.outcome)
                self._say("kept", title=title, outcome=outcome, when=_when(kept.at), **place)
                continue
            self._say("head", title=title, **place)
            self._voice.say("  " + self._text_of(step, "do"))
            self._voice.say("  " + self._text_of(step, "good"))
            self._until_done(
                step, Hands(self._voice, self.order, self.journal, meter, self._clock, step, about=self._about())
            )

    def _until_done(self, step: Step, hands: Hands) -> None:
        while True:
            result = self._once(step, hands)
            frames = hands.carried if result.outcome != FAILED else []
            self.journal.finish(step.name, self._clock.now(), result, frames)
            self._tell(result)
            if result.outcome != FAILED:
                return
            self._voice.say("  " + self._text_of(step, "fail"))
            may_waive = step.waivable(result)
            choice = self._voice.after_failure(step, may_waive)
            if choice == WAIVE:
                left = Outcome(WAIVED, result.values, result.limits, self._voice.reason(step))
                self.journal.finish(step.name, self._clock.now(), left)
                return
            if choice != AGAIN:
                raise Refusal("step_failed", step=step.name, reason=result.reason)

    def _once(self, step: Step, hands: Hands) -> Outcome:
        if not self._voice.is_ready(step):
            return Outcome(WAIVED, reason=self._voice.reason(step))
        result = step.run(hands)
        if result.outcome == PASSED and not step.check(hands, result):
            return Outcome(FAILED, result.values, result.limits, "post_check")
        return result

    def plan(self, steps: Sequence[Step]) -> tuple[list[str], list[dict[str, Any]]]:
        """(lines, documents) of what is done, next and to come, and which answers a script gives. Changes nothing."""
        lines, documents = [], []
        is_next = True
        for at, step in enumerate(steps, 1):
            facts = {"at": at, "of": len(steps), "title": self._text_of(step, "title")}
            kept = self.journal.done(step.name)
            asks = [f"{step.name}.{question.name}" for question in step.asks]
            documents.append({"name": step.name, "outcome": kept.result.outcome if kept else None, "asks": asks})
            if kept is not None:
                outcome = self._text(kept.result.outcome)
                lines.append(self._text("kept", outcome=outcome, when=_when(kept.at), **facts))
            else:
                lines.append(self._text("next" if is_next else "later", **facts))
                lines += [f"        {name}" for name in asks]
                is_next = False
        return lines, documents

    def recorded(self) -> dict[str, Any] | None:
        """The signed record if it was made already, as it is sent."""
        return self._store.read(OUTBOX, self.order.job_id) or self._store.read(DONE, self.order.job_id)

    def close(self, meter: Meter, answers: bool = True) -> dict[str, Any]:
        """Attest (a meter that `answers`), sign, put into the outbox; once made, a record stays as it is."""
        made = self.recorded()
        if made is None:
            self.journal.note(finished_at=int(self.journal.facts.get("finished_at", self._clock.now())))
            plain = record.of_journal(self.journal, int(self.journal.facts["finished_at"]))
            if answers:
                self._say("attesting")
                unix_s, tag = meter.attest(record.attested_hash(plain))
                plain = record.with_attestation(plain, meter.meter_id, unix_s, tag)
            made = {
                "record": plain,
                "signature": signing.sign(self._key, record.canonical(plain)),
                "fingerprint": signing.fingerprint(signing.public_hex(self._key)),
            }
            self._store.keep(OUTBOX, self.order.job_id, made)
        return made

    def result(self, made: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
        """(document, lines) of a finished checklist."""
        document = {
            "job_id": self.order.job_id,
            "meter_id": self.order.installs,
            "state": "recorded",
            "steps": made["record"]["steps"],
            "fingerprint": made["fingerprint"],
        }
        titles = {step.name: self._text_of(step, "title") for step in (*REMOVAL, *INSTALLATION, *VISITING)}
        lines = [
            self._text("summary", title=titles[step["name"]], name=step["name"], outcome=self._text(step["outcome"]))
            for step in made["record"]["steps"]
        ]
        was_sent = self._store.read(DONE, self.order.job_id) is not None
        return document, [*lines, self._text("was_sent" if was_sent else "then", job_id=self.order.job_id)]

    def _about(self) -> tuple[int, int] | None:
        """Where this laptop installed its latest other meter."""
        found: tuple[int, int, int] | None = None
        for name in self._store.names(JOURNALS):
            if name == self.order.job_id:
                continue
            for step in (self._store.read(JOURNALS, name) or {}).get("steps", []):
                if step.get("name") == "position" and "lat_e6" in step.get("values", {}):
                    found = max(found or (0, 0, 0), (step["at"], step["values"]["lat_e6"], step["values"]["lon_e6"]))
        return None if found is None else found[1:]

    def _tell(self, result: Outcome) -> None:
        outcome = self._text(result.outcome)
        values = words(result, self._voice.lang, self.order.job)
        self._say("measured" if values else "ended", outcome=outcome, values=values)

    def _text_of(self, step: Step, key: str) -> str:
        job = self.order.job
        return sentence(
            step.texts,
            key,
            self._voice.lang,
            **self._said,
            meter_id=self.order.installs,
            old_meter_id=self.order.removes,
            litres=litres_text(1000 * int(job.get("litres_per_pulse") or 0)),
            grace=money_text(
                self.order.installation_grace_mills, str(job.get("currency") or ""), int(job.get("exponent") or 0)
            ),
        )

    def _text(self, key: str, **facts: object) -> str:
        return sentence(TEXTS, key, self._voice.lang, **facts)

    def _say(self, key: str, **facts: object) -> None:
        self._voice.say(self._text(key, **facts))


def _when(unix_s: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(unix_s))
