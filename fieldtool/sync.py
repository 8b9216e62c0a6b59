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
from .claims import Tokens
from .enrol import headend_of
from .refusals import Refusal
from .texts import Texts
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
    "refused": ("job {job_id}: {text}", "intervention {job_id} : {text}"),
    "over": ("job {job_id}: {state}; its keys are forgotten here",
             "intervention {job_id} : {state} ; ses clés sont oubliées ici"),
    "heard": ("job {job_id}: the headend has heard the meter", "intervention {job_id} : compteur entendu au bureau"),
    "nothing": ("Nothing to send, no open job.", "Rien à envoyer, aucune intervention ouverte."),
    "would_send": ("would send: record of job {job_id}", "serait envoyé : dossier de l’intervention {job_id}"),
    "would_ask": ("would ask {address} for open jobs", "les interventions ouvertes seraient demandées à {address}"),
}  # fmt: skip
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


def _report(tool: Tool, records: list[outbox.Told], jobs: list[claims.Told], cut: Refusal | None) -> None:
    lines: list[str] = []
    for record in records:
        if record.refusal is not None:
            lines.append(tool.text("kept", job_id=record.job_id, text=record.refusal.sentence(tool.lang)))
            continue
        lines.append(tool.text("sent", job_id=record.job_id, state=record.state))
        lines += [tool.text("finding", finding=finding) for finding in record.findings]
        if record.frame_for:
            lines.append(tool.text("frame", meter_id=record.frame_for))
    for job in jobs:
        facts: dict[str, Any] = {**job._asdict(), "text": "", "until": job.until}
        if job.refusal is not None:
            facts["text"] = job.refusal.sentence(tool.lang)
        lines.append(tool.text(job.what, **facts))
    document: dict[str, Any] = {
        "records": [record.as_json() for record in records],
        "jobs": [job.as_json() for job in jobs],
    }
    if cut is not None:
        document["refused"] = cut.told(tool.lang)
        cut.in_result = True
    tool.result(document, lines or ([] if cut else [tool.text("nothing")]))
