"""`guelta field sync`: what a network is needed for. Records go up, open jobs come down.

Each half can be cut at any moment and done again: a record stays in the outbox until the headend has answered for it,
and a claim is kept before it is made, so that an answer which was lost is asked for again instead of a second claim.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from . import claims, exit_codes, outbox
from .claims import KINDS, Tokens
from .enrol import headend_of
from .refusals import Refusal
from .texts import Texts, sentence
from .verb import Tool, option, verb

HELP = (
    "Send signed records to the headend and fetch open jobs with their keys. Needs a network; again is harmless.",
    "Envoyer les dossiers signés à la tête de réseau et prendre les interventions avec leurs clés. Il faut du réseau ;"
    " recommencer est sans danger.",
)
TEXTS: Texts = {
    "token": ("Token of job {job_id} ({kind}, meter {meter_id}; Enter: later):",
              "Jeton de l’intervention {job_id} ({kind}, compteur {meter_id} ; Entrée : plus tard) :"),
    "sent": ("record of job {job_id}: sent, {state}", "dossier de l’intervention {job_id} : envoyé, {state}"),
    "finding": ("  the office will look at: {finding}", "  le bureau examinera : {finding}"),
    "frame": (
        "  a statement for meter {meter_id} is kept for the next visit: guelta field read --deliver",
        "  un ordre pour le compteur {meter_id} est gardé pour la prochaine visite : guelta field read --deliver",
    ),
    "kept": ("record of job {job_id}: kept. {text}", "dossier de l’intervention {job_id} : gardé. {text}"),
    "claimed": ("job {job_id} ({kind}, meter {meter_id}): ready until {until}",
                "intervention {job_id} ({kind}, compteur {meter_id}) : prête jusqu’à {until}"),
    "no_token": ("job {job_id} ({kind}, meter {meter_id}): waits for its token",
                 "intervention {job_id} ({kind}, compteur {meter_id}) : attend son jeton"),
    "grants_left": ("job {job_id} ({kind}, meter {meter_id}): {state}; its grants hold until {until}",
                    "intervention {job_id} ({kind}, compteur {meter_id}) : {state} ; ses permissions valent"
                    " jusqu’à {until}"),
    "refused": ("job {job_id}: {text}", "intervention {job_id} : {text}"),
    "over": ("job {job_id}: {state}; its keys are forgotten here",
             "intervention {job_id} : {state} ; ses clés sont oubliées ici"),
    "heard": ("job {job_id}: the headend has heard the meter", "intervention {job_id} : compteur entendu au bureau"),
    "nothing": ("Nothing to send, no open job.", "Rien à envoyer, aucune intervention ouverte."),
    "would_send": ("would send: record of job {job_id}", "serait envoyé : dossier de l’intervention {job_id}"),
    "would_ask": ("would ask {address} for open jobs", "les interventions ouvertes seraient demandées à {address}"),
}  # fmt: skip
STATES: Texts = {
    "open": ("open", "ouverte"), "claimed": ("claimed", "prise"), "recorded": ("recorded", "enregistrée"),
    "done": ("done", "terminée (done)"), "cancelled": ("cancelled", "annulée"),
}  # fmt: skip
# What the office looks at: a step and what became of it, or one of these.
FINDINGS: Texts = {
    "failed": ("the step {step} failed", "l’étape {step} a échoué"),
    "waived": ("the step {step} was left out", "l’étape {step} a été laissée"),
    "missing": ("the step {step} is missing", "l’étape {step} manque"),
    "pulse_weight_differs": ("the pulse weight differs", "le poids d’impulsion diffère"),
    "position_outside": ("the position is outside of the service area", "la position est hors de la zone desservie"),
    "not_attested": ("the meter does not attest the record", "le compteur n’atteste pas le dossier"),
    "frame_refused": ("a frame was not taken", "une trame n’a pas été prise"),
    "times_odd": ("the times cannot be right", "les heures ne peuvent être justes"),
    "finished_late": ("finished after the job's time", "finie après l’heure de l’intervention"),
    "final_index_behind": ("the final index is below what was heard", "l’index final est sous ce qui a été entendu"),
    "ended_before": ("the meter was taken out of the books before", "le compteur était déjà sorti des livres"),
    "job_was_cancelled": ("the office had cancelled the job", "le bureau avait annulé l’intervention"),
    "swap_not_executed": (
        "the new meter was given up by the office; the old one is still in the books",
        "le bureau avait retiré le nouveau compteur ; l’ancien est encore dans les livres",
    ),
    "older_key": (
        "the meter was given a newer key since; set it up anew",
        "le compteur a reçu une clé plus récente ; remettez-le en service",
    ),
    "seal_unknown": ("the seal is not of the office's stock", "le scellé n’est pas du stock du bureau"),
    "seal_taken": ("the seal is placed elsewhere or broken", "le scellé est posé ailleurs ou brisé"),
    "seal_mismatch": ("the seal found is not the one placed", "le scellé trouvé n’est pas celui qui fut posé"),
}
_TOKEN_FILE = (
    "Read tokens from this file: one alone, or lines of JOB TOKEN (for scripts).",
    "Lire les jetons dans ce fichier : un seul, ou des lignes INTERVENTION JETON (pour les scripts).",
)


@verb("sync", HELP, TEXTS, port=False, writes=True)
@option("--token-file", help=_TOKEN_FILE, type=click.Path(path_type=Path), metavar="FILE")
def sync(tool: Tool, token_file: Path | None) -> None:
    headend = headend_of(tool)
    if tool.dry_run:
        waiting = outbox.waiting(tool.store)
        lines = [tool.text("would_send", job_id=name) for name in waiting]
        tool.result({"dry_run": True, "records": waiting}, [*lines, tool.text("would_ask", address=headend.address)])
        tool.say("dry_run")
        return
    tokens = Tokens(tool, token_file)
    records: list[outbox.Told] = []
    jobs: list[claims.Told] = []
    cut: Refusal | None = None
    with tool.store.lock():
        try:
            outbox.send(tool.store, headend, records)
            claims.fetch(tool.store, headend, tokens, jobs)
        except Refusal as refusal:
            cut = refusal
    _report(tool, records, jobs, cut)
    if cut is not None:
        raise cut
    if any(record.refusal for record in records) or any(job.refusal for job in jobs):
        sys.exit(exit_codes.HEADEND_REFUSED)
    if any(job.what == "no_token" and not job.was_asked for job in jobs):
        sys.exit(exit_codes.INCOMPLETE)


def finding_text(finding: str, lang: str) -> str:
    """A finding in words, with its code; one that is not known here as its code alone."""
    step, _, ended = finding.rpartition("_")
    key = finding if finding in FINDINGS else ended
    if key not in FINDINGS or (key == ended and not step):
        return finding
    return f"{sentence(FINDINGS, key, lang, step=step)} ({finding})"


def _word(words: Texts, code: str, lang: str) -> str:
    return sentence(words, code, lang) if code in words else code


def _report(tool: Tool, records: list[outbox.Told], jobs: list[claims.Told], cut: Refusal | None) -> None:
    lines: list[str] = []
    for record in records:
        if record.refusal is not None:
            lines.append(tool.text("kept", job_id=record.job_id, text=record.refusal.sentence(tool.lang)))
            continue
        lines.append(tool.text("sent", job_id=record.job_id, state=_word(STATES, record.state, tool.lang)))
        lines += [tool.text("finding", finding=finding_text(one, tool.lang)) for one in record.findings]
        if record.frame_for:
            lines.append(tool.text("frame", meter_id=record.frame_for))
    for job in jobs:
        kind, state = _word(KINDS, job.kind, tool.lang), _word(STATES, job.state, tool.lang)
        facts: dict[str, Any] = {**job._asdict(), "text": "", "kind": kind, "state": state}
        if job.refusal is not None:
            facts["text"] = job.refusal.sentence(tool.lang)
        was_done = job.what == "claimed" and job.state in ("recorded", "done")
        lines.append(tool.text("grants_left" if was_done else job.what, **facts))
    document: dict[str, Any] = {
        "records": [record.as_json() for record in records],
        "jobs": [job.as_json() for job in jobs],
    }
    if cut is not None:
        document["refused"] = cut.told(tool.lang)
        cut.in_result = True
    tool.result(document, lines or ([] if cut else [tool.text("nothing")]))
