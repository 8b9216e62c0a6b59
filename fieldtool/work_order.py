"""A claimed job as the checklist needs it: what to do, to which meters, and what a new box is provisioned with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .refusals import Refusal
from .store import JOBS, Store

INSTALL, SWAP, RETIRE, VISIT = "install", "swap", "retire", "visit"
_VERBS = {INSTALL: "commission", SWAP: "swap", RETIRE: "decommission", VISIT: "visit"}


@dataclass(frozen=True)
class WorkOrder:
    """`identity` is what a box is provisioned with, where the job puts one in."""

    job: dict[str, Any]
    identity: dict[str, Any] | None
    installation_grace_mills: int

    @property
    def job_id(self) -> str:
        return str(self.job["job_id"])

    @property
    def kind(self) -> str:
        return str(self.job["kind"])

    @property
    def installs(self) -> str:
        """The id of the meter that this job puts in."""
        return str(self.job["new_meter_id"] if self.kind == SWAP else self.job["meter_id"])

    @property
    def removes(self) -> str:
        """The id of the meter that this job takes out."""
        return str(self.job["meter_id"])


def read(document: dict[str, Any]) -> WorkOrder:
    """The work order of a job's file. Raises Refusal: job_not_claimed, store_damaged."""
    job = document.get("job")
    if not isinstance(job, dict) or not isinstance(document.get("grants"), list):
        raise Refusal("job_not_claimed")
    grace_mills, named = document.get("installation_grace_mills") or 0, ("job_id", "kind", "meter_id")
    if not isinstance(grace_mills, int) or not all(isinstance(job.get(name), str) for name in named):
        raise Refusal("store_damaged", file=f"{JOBS}/", why="job")
    return WorkOrder(job, document.get("identity"), grace_mills)


def choose(store: Store, job_id: str, kinds: tuple[str, ...]) -> WorkOrder:
    """The job of that id, or the only claimed one of these kinds.

    Raises Refusal: job_unknown, job_kind, no_job, several_jobs, job_not_claimed.
    """
    if job_id:
        document = store.read(JOBS, job_id)
        if document is None:
            raise Refusal("job_unknown", job_id=job_id)
        order = read(document)
        if order.kind not in kinds:
            raise Refusal("job_kind", job_id=job_id, kind=order.kind, verb=_VERBS.get(order.kind, "sync"))
        return order
    documents = [store.read(JOBS, name) or {} for name in store.names(JOBS)]
    claimed = [read(document) for document in documents if "grants" in document]
    orders = [order for order in claimed if order.kind in kinds]
    if not orders:
        raise Refusal("no_job", kinds=", ".join(kinds))
    if len(orders) > 1:
        raise Refusal("several_jobs", jobs=", ".join(f"{order.job_id} ({order.removes})" for order in orders))
    return orders[0]
