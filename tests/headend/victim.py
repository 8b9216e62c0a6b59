"""Headends to be killed: `guelta serve`, with one byte of shared memory that says whether a commit is under way.

    python victim.py MARK_FILE honest|early SERVE_ARGUMENTS…

Each line on stdin starts one: a process of its own, forked from this one, which has loaded the code and holds nothing
else. It says {"process": its id} and then what `serve` says; {"ended": its id} follows when it is gone.
`early` is the control: a writer that tells its callers before it commits. A checker that lets it pass is worth nothing.
"""

import json
import mmap
import os
import sys
import time
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import headend.storage.sqlite  # isort: split

from headend.api.openapi import encoded
from headend.api.routes import ENDPOINTS
from headend.cli.serve import serve
from headend.storage.writer import Job, Tx, Writer, _run_job

IDLE, WRITING = 0, 1
EARLY_S = 0.02

Batch = list[tuple[Job[Any], "Future[Any]"]]


def commit_honestly(writer: Writer, batch: Batch) -> list[tuple["Future[Any]", Any, bool]]:
    return HONEST(writer, batch)


def commit_after_telling(writer: Writer, batch: Batch) -> list[tuple["Future[Any]", Any, bool]]:
    """The planted bug: results first, the commit a little later."""
    if not batch:
        return []
    connection = writer._connection
    connection.exec_driver_sql("BEGIN IMMEDIATE")
    tx = Tx(connection, writer._head[0] + 1, writer._clock.unix_us())
    outcomes = [(future, *_run_job(tx, job)) for job, future in batch]
    head = writer._append_link(tx)
    writer._resolve(outcomes)
    time.sleep(EARLY_S)
    connection.exec_driver_sql("COMMIT")
    writer._head = head
    return []


HONEST = Writer._commit
COMMITS = {"honest": commit_honestly, "early": commit_after_telling}


def headend(mark: mmap.mmap, way: str, arguments: list[str]) -> None:
    def marked(writer: Writer, batch: Batch) -> list[tuple["Future[Any]", Any, bool]]:
        mark[0] = WRITING
        outcomes = COMMITS[way](writer, batch)
        mark[0] = IDLE
        return outcomes

    Writer._commit = marked  # type: ignore[method-assign]
    serve(arguments)


def main() -> None:
    mark_file, way, *arguments = sys.argv[1:]
    with Path(mark_file).open("r+b") as file:
        mark = mmap.mmap(file.fileno(), 1)
    encoded(ENDPOINTS)  # the same for every start
    while sys.stdin.readline():
        process = os.fork()
        if not process:
            say(process=os.getpid())
            headend(mark, way, arguments)
            os._exit(0)
        os.waitpid(process, 0)
        say(ended=process)


def say(**what: int) -> None:
    print(json.dumps(what), flush=True)


main()
