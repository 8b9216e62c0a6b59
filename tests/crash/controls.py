"""Headends that are broken on purpose. A judge that lets one of them pass is worth nothing."""

from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any

import pytest

from headend.storage import sqlite
from headend.storage.writer import Job, Tx, Writer, _run_job

Batch = list[tuple[Job[Any], "Future[Any]"]]
Outcomes = list[tuple["Future[Any]", Any, bool]]


@contextmanager
def normal_synchronous() -> Iterator[None]:
    """PRAGMA synchronous=NORMAL: commits wait for no disk. The headend's own check of it must be put out of the way."""
    prepare = sqlite._prepare

    def prepare_badly(connection: Any, read_only: bool) -> None:
        prepare(connection, read_only)
        if not read_only:
            connection.execute("PRAGMA synchronous=NORMAL")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sqlite, "_prepare", prepare_badly)
        yield


@contextmanager
def told_before_commit() -> Iterator[None]:
    """Acknowledged first, committed a little later."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Writer, "_commit", _commit_after_telling)
        yield


@contextmanager
def committed_in_two() -> Iterator[None]:
    """Half of a batch in one transaction, half in the next: a state that never should be."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Writer, "_commit", _commit_in_two)
        yield


def _begin(writer: Writer) -> Tx:
    writer._connection.exec_driver_sql("BEGIN IMMEDIATE")
    return Tx(writer._connection, writer._head[0] + 1, writer._clock.unix_us())


def _commit_after_telling(writer: Writer, batch: Batch) -> Outcomes:
    tx = _begin(writer)
    outcomes = [(future, *_run_job(tx, job)) for job, future in batch]
    head = writer._append_link(tx)
    writer._resolve(outcomes)
    writer._connection.exec_driver_sql("COMMIT")
    writer._head = head
    return []


def _commit_in_two(writer: Writer, batch: Batch) -> Outcomes:
    """The rows first, their link of the chain afterwards."""
    tx = _begin(writer)
    outcomes = [(future, *_run_job(tx, job)) for job, future in batch]
    writer._connection.exec_driver_sql("COMMIT")
    writer._connection.exec_driver_sql("BEGIN IMMEDIATE")
    writer._head = writer._append_link(tx)
    writer._connection.exec_driver_sql("COMMIT")
    return outcomes
