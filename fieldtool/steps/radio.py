"""How far above silence the radio is where the meter hangs; or that its frames are carried by hand for now."""

from __future__ import annotations

from ..hands import Hands
from ..outcome import FAILED, PASSED, WAIVED, Outcome
from ..step import Question, Step, Wrong, whole
from ..texts import Texts

MARGIN_DB_MIN = 10
BY_HAND = "carried by hand"
_BEARERS = ("lorawan", "udp", "http", "none")

TEXTS: Texts = {
    "title": ("Radio", "Radio"),
    "do": (
        "Close the meter's lid, hold the radio tester at the meter and read the link margin.",
        "Fermez le couvercle du compteur, tenez le testeur radio contre lui et lisez la marge de liaison.",
    ),
    "good": ("Good: 10 dB or more.", "Bon : 10 dB ou plus."),
    "fail": (
        "Turn or raise the antenna, keep it from metal, measure again. Without a network leave the step so: your laptop"
        " carries the frames.",
        "Tournez ou levez l’antenne, loin du métal, et mesurez encore. Sans réseau, laissez l’étape ainsi : votre"
        " portable porte les trames.",
    ),
    "bearer": (
        "What does it speak over? lorawan, udp, http, or none:",
        "Par quoi parle-t-il ? lorawan, udp, http, ou none (aucun) :",
    ),
    "wrong_bearer": ("lorawan, udp, http or none.", "lorawan, udp, http ou none."),
    "margin_db": ("Link margin in dB:", "Marge de liaison en dB :"),
    "by_hand": (
        "No network here: this laptop carries the meter's frames to the office.",
        "Pas de réseau ici : ce portable porte les trames du compteur au bureau.",
    ),
    "low": ("Too little: {margin_db} dB.", "Trop peu : {margin_db} dB."),
}


def _bearer(text: str) -> str:
    told = text.strip().lower()
    if told not in _BEARERS:
        raise Wrong("wrong_bearer")
    return told


def _run(hands: Hands) -> Outcome:
    bearer: str = hands.ask("bearer")
    limits = {"margin_db_min": MARGIN_DB_MIN}
    if bearer == "none":
        hands.say("by_hand")
        return Outcome(WAIVED, {"bearer": "hand", "margin_db": BY_HAND}, limits, "no_network")
    margin_db: int = hands.ask("margin_db")
    values: dict[str, int | str] = {"bearer": bearer, "margin_db": margin_db}
    if margin_db < MARGIN_DB_MIN:
        hands.say("low", margin_db=margin_db)
        return Outcome(FAILED, values, limits, "low")
    return Outcome(PASSED, values, limits)


STEP = Step(
    "radio",
    TEXTS,
    _run,
    (Question("bearer", _bearer), Question("margin_db", whole(-50, 200))),
    waivable=lambda _outcome: True,
)
