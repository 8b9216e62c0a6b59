"""Which box this is: the number on its plate, and that it is blank or already the meter of this job."""

from __future__ import annotations

import re

from ..hands import Hands
from ..outcome import PASSED, Outcome
from ..step import Question, Step, Wrong
from ..texts import Texts

_SERIAL = re.compile(r"[A-Z0-9][A-Z0-9./-]{2,31}")

TEXTS: Texts = {
    "title": ("Identify the box", "Identifier la boîte"),
    "do": (
        "Plug the cable into the meter's service port and switch its power on. Find the serial number on its plate.",
        "Branchez le câble au port de service du compteur et mettez-le sous tension. Cherchez le numéro de série sur"
        " sa plaque.",
    ),
    "good": (
        "Good: a box that was never used, or the one you began this job with.",
        "Bon : une boîte jamais utilisée, ou celle avec laquelle vous avez commencé.",
    ),
    "fail": (
        "Take another box from the van and begin again; nothing was written to this one.",
        "Prenez une autre boîte et recommencez ; rien n’a été écrit dans celle-ci.",
    ),
    "serial": ("Serial number on the plate:", "Numéro de série sur la plaque :"),
    "wrong_serial": (
        "3 to 32 letters, digits, and . / - as printed on the plate.",
        "3 à 32 lettres, chiffres, et . / - comme sur la plaque.",
    ),
    "blank": ("The box is blank.", "La boîte est vierge."),
    "known": ("The box is meter {meter_id} already.", "La boîte est déjà le compteur {meter_id}."),
}


def _serial(text: str) -> str:
    told = text.strip().upper().replace(" ", "")
    if not _SERIAL.fullmatch(told):
        raise Wrong("wrong_serial")
    return told


def _run(hands: Hands) -> Outcome:
    hands.say("blank" if hands.meter.is_blank() else "known", meter_id=hands.meter.meter_id)
    return Outcome(PASSED, {"serial": hands.ask("serial")})


STEP = Step("identify", TEXTS, _run, (Question("serial", _serial),))
