"""Jobs and their keys: the claim of a job with its one-time token.

A claim is made here, kept, and then used: whoever asks again with the same claim gets the same answer. The token is
kept with it only until the headend has answered, and a claim that was refused is forgotten with its token.
"""

from __future__ import annotations

import secrets
import time
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from . import exit_codes
from .enrol import read_secret
from .headend import Headend
from .refusals import Refusal
from .store import DONE, JOBS, JOURNALS, Store
from .texts import Texts, sentence
from .verb import Tool

CLAIMING, CLAIMED = "claiming", "claimed"
OPEN_STATES = ("open", "claimed")
PAGES_MAX = 100
_FINAL = ("headend_refused",)

KINDS: Texts = {
    "install": ("install", "pose"), "swap": ("swap", "remplacement"), "retire": ("retire", "retrait"),
    "visit": ("visit", "visite"),
}  # fmt: skip


class Told(NamedTuple):
    """What became of a job; `what` is the key of its sentence (sync.py)."""

    what: str
    job_id: str
    kind: str
    meter_id: str
    until: str = ""
    state: str = ""
    was_asked: bool = False
    refusal: Refusal | None = None

    def as_json(self) -> dict[str, Any]:
        document: dict[str, Any] = {"job_id": self.job_id, "kind": self.kind, "meter_id": self.meter_id}
        document |= {"outcome": self.what, "until": self.until, "state": self.state}
        if self.refusal is not None:
            document["refused"] = self.refusal.code
        return document


class Tokens:
    """Where tokens come from: a file, or a hidden prompt on a terminal. Never an argument."""

    def __init__(self, tool: Tool, file: Path | None) -> None:
        self._tool = tool
        self._from_file: dict[str, str] | None = None
        if file is not None:
            words = [line.split() for line in read_secret(file, "--token-file").splitlines() if line.strip()]
            if any(len(each) > 2 for each in words) or (len(words) > 1 and any(len(each) != 2 for each in words)):
                raise Refusal("token_file", file=file)
            self._from_file = {each[0] if len(each) == 2 else "": each[-1] for each in words}

    def of(self, job: dict[str, Any]) -> tuple[str, bool]:
        """The job's token, "" for none; and whether somebody was asked for it."""
        if self._from_file is not None:
            return self._from_file.get(str(job["job_id"]), self._from_file.get("", "")), False
        kind = str(job.get("kind"))
        facts = {name: job.get(name) for name in ("job_id", "meter_id")}
        facts["kind"] = sentence(KINDS, kind, self._tool.lang) if kind in KINDS else kind
        try:
            return self._tool.secret("token", "--token-file FILE", **facts), True
        except Refusal as refusal:
            assert refusal.exit_code == exit_codes.USAGE
            return "", False


def fetch(store: Store, headend: Headend, tokens: Tokens, told: list[Told]) -> None:
    """Bring the jobs here up to what the headend says, and claim those that have a token; add to `told` what became
    of each. Raises Refusal without a network; what was claimed until then is kept."""
    listed = {str(job["job_id"]): job for job in _listed(headend)}
    here = store.names(JOBS)
    for name in here:
        told.append(_known(store, headend, name, listed.get(name)))
    for name, job in listed.items():
        if name not in here and job.get("state") in OPEN_STATES:
            token, was_asked = tokens.of(job)
            told.append(claim(store, headend, job, token) if token else _told("no_token", job, was_asked=was_asked))


def claim(store: Store, headend: Headend, job: dict[str, Any], token: str) -> Told:
    """Claim a job with a token that was typed in: keep the claim, use it, keep the answer."""
    if not token.isascii() or not token.isprintable():
        return _told("refused", job, refusal=Refusal("token_form"))
    claiming = {"state": CLAIMING, "job": job, "claim": secrets.token_hex(32), "token": token}
    store.keep(JOBS, job["job_id"], claiming)
    return _use(store, headend, claiming)


def _use(store: Store, headend: Headend, claiming: dict[str, Any]) -> Told:
    job = claiming["job"]
    body = {"token": claiming["token"], "claim": claiming["claim"]}
    try:
        answer = headend.post(f"/v1/field/jobs/{job['job_id']}/claim", body)
    except Refusal as refusal:
        if refusal.code not in _FINAL:
            raise
        store.drop(JOBS, job["job_id"])
        return _told("refused", job, refusal=refusal)
    told = answer.get("job")
    if not isinstance(told, dict) or told.get("job_id") != job["job_id"] or not _are_grants(answer.get("grants")):
        raise Refusal("headend_nonsense", address=headend.address, field="job, grants")
    store.keep(JOBS, job["job_id"], {**answer, "state": CLAIMED, "claim": claiming["claim"]})
    return _told("claimed", told)


def _known(store: Store, headend: Headend, name: str, listed: dict[str, Any] | None) -> Told:
    """A job that is here already: ask a lost answer again, follow its state, forget what is over."""
    document = store.read(JOBS, name)
    assert document is not None
    if not _is_whole(document):
        raise Refusal("store_damaged", file=store.home / JOBS / f"{name}.json", why="job")
    if document.get("state") == CLAIMING:
        return _use(store, headend, document)
    before = document["job"]
    try:
        job = listed or headend.get(f"/v1/field/jobs/{name}")
    except Refusal as refusal:
        if refusal.code not in _FINAL:
            raise
        return _told("refused", before, refusal=refusal)
    if job.get("job_id") != name:
        raise Refusal("headend_nonsense", address=headend.address, field="job_id")
    heard = bool(job.get("first_uplink_at")) and not before.get("first_uplink_at")
    document["job"] = job
    is_over = job.get("state") not in OPEN_STATES and _has_ended(store, document)
    if is_over:
        store.drop(JOBS, name)
    else:
        store.keep(JOBS, name, document)
    if heard:
        return _told("heard", job)
    return _told("over", job) if is_over else _told("claimed", job)


def _is_whole(document: dict[str, Any]) -> bool:
    """Whether a job's file holds what is read of it here."""
    job, claim = document.get("job"), (document.get("token"), document.get("claim"))
    if not isinstance(job, dict) or not isinstance(job.get("job_id"), str):
        return False
    if document.get("state") == CLAIMING:
        return all(isinstance(text, str) for text in claim)
    return _are_grants(document.get("grants") or [])


def _are_grants(grants: Any) -> bool:
    return isinstance(grants, list) and all(
        isinstance(grant, dict) and isinstance(grant.get("until_s"), int) for grant in grants
    )


def _has_ended(store: Store, document: dict[str, Any]) -> bool:
    """A finished job's grants may still have to carry a statement; when they are over, so is the job. Work that was
    begun goes on to its record, also under a job that the office cancelled meanwhile."""
    job = document["job"]
    is_begun = store.read(JOURNALS, job["job_id"]) is not None and store.read(DONE, job["job_id"]) is None
    if job.get("state") == "cancelled" and not is_begun:
        return True
    return all(int(grant["until_s"]) <= time.time() for grant in document.get("grants") or [])


def _listed(headend: Headend) -> list[dict[str, Any]]:
    """The open jobs of this technician, all pages."""
    found: list[dict[str, Any]] = []
    path = "/v1/field/jobs"
    for _ in range(PAGES_MAX):
        page = headend.get(path)
        items = page.get("items")
        if not isinstance(items, list) or not all(isinstance(job, dict) and "job_id" in job for job in items):
            raise Refusal("headend_nonsense", address=headend.address, field="items")
        found += items
        if not page.get("next"):
            break
        path = f"/v1/field/jobs?cursor={quote(str(page['next']).encode('utf-8', 'replace'), safe='')}"
    return found


def _told(what: str, job: dict[str, Any], refusal: Refusal | None = None, was_asked: bool = False) -> Told:
    return Told(
        what,
        str(job.get("job_id", "")),
        str(job.get("kind", "")),
        str(job.get("new_meter_id") or job.get("meter_id") or "-"),
        str(job.get("expires_at", "")),
        str(job.get("state", "")),
        was_asked,
        refusal,
    )
