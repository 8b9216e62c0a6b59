"""A visit as the technician's hands and answers make it: each question of the checklist, what is typed, what is done
at the tap. A question that is not known here is a failure that quotes it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import pexpect

from .table_meter import TableMeter

Reply = str | Callable[[], str]
ENTER = ""
PLACE = "13.512345 2.112345"
SEAL = "NE-000123"

# Questions by a few of their words, in the order of the checklist.
INSTALLER: dict[str, Reply] = {
    "press Enter": ENTER,
    "Serial number on the plate": "RIG-0001",
    "Litres per pulse on the plate": "1",
    "arrow on the body": "y",
    "strainer clean": "y",
    "check valve behind": "y",
    "joints dry": "y",
    "Litres in the bucket": "10",
    "has it stopped running": "y",
    "How many minutes": "1",
    "still drip": "n",
    "speak over": "udp",
    "Link margin": "20",
    "Number on the seal": SEAL,
    "same number once more": SEAL,
    "Is it tight": "y",
    "Position in degrees": PLACE,
    "Does the customer agree": "y",
    "Name of the person": "Household 1",
    "Does the customer know": "y",
    "same box": "y",
    "stopcock closed": "y",
}
PROMPT = re.compile(r"> ([^\r\n]*?) $")


def installer(meter: TableMeter, bucket_l: int = 10, **changed: Reply) -> dict[str, Reply]:
    """The answers of somebody who does everything right at this meter, with a bucket of so many litres."""

    def fills() -> str:
        meter.pour(bucket_l)
        return "y"

    return {**INSTALLER, "tap closed again": fills, "Litres in the bucket": str(bucket_l), **changed}


def holds(talk: pexpect.spawn[str], answers: Mapping[str, Reply], until: str | None = None) -> str:
    """Answer what is asked until `until` is said, or to the end; all that was said."""
    said = ""
    while True:
        ended = talk.expect([PROMPT, pexpect.EOF, *([until] if until else [])])
        said += talk.before
        if ended == 1:
            talk.close()
            return said
        assert isinstance(talk.after, str)
        said += talk.after
        if ended == 2:
            return said
        talk.sendline(reply_to(talk, answers, said))


def reply_to(talk: pexpect.spawn[str], answers: Mapping[str, Reply], said: str = "") -> str:
    """What is typed to the question that PROMPT has just matched."""
    assert talk.match is not None and not isinstance(talk.match, type)
    asked = talk.match.group(1)
    known = [reply for words, reply in answers.items() if words in asked]
    assert len(known) == 1, f"nobody knows what to answer: {asked!r} after {said}"
    return known[0] if isinstance(known[0], str) else known[0]()
