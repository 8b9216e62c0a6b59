"""Where the meter hangs (IW-35). Whether that is in the service area, the headend says; here: what is plainly wrong."""

from __future__ import annotations

from .. import position
from ..hands import Hands
from ..outcome import PASSED, Outcome
from ..position import Position, PositionRefused
from ..step import Question, Step, Wrong, yes_no
from ..texts import Texts

TEXTS: Texts = {
    "title": ("Position", "Position"),
    "do": (
        "Stand at the meter under open sky and wait until your phone or receiver shows a position.",
        "Placez-vous au compteur à ciel ouvert et attendez que téléphone ou récepteur montre une position.",
    ),
    "good": (
        "Good: latitude first, then longitude, such as 13.512345 2.112345.",
        "Bon : latitude d’abord, puis longitude, par exemple 13.512345 2.112345.",
    ),
    "fail": ("Step away from walls and read it again.", "Éloignez-vous des murs et relisez."),
    "place": (
        "Position in degrees, or paste a geo: address or a $GP… line:",
        "Position en degrés, ou collez une adresse geo: ou une ligne $GP… :",
    ),
    "form": (
        "Type latitude and longitude in decimal degrees, a space between: 13.512345 2.112345",
        "Tapez latitude et longitude en degrés décimaux, un espace entre les deux : 13.512345 2.112345",
    ),
    "coarse": (
        "Too coarse: give at least three decimals of each, and a space between the two numbers.",
        "Trop grossier : au moins trois décimales chacune, et un espace entre les deux nombres.",
    ),
    "lat_range": ("A latitude is between -90 and 90.", "Une latitude est entre -90 et 90."),
    "lon_range": ("A longitude is between -180 and 180.", "Une longitude est entre -180 et 180."),
    "swapped": (
        "Latitude is beyond 90: are the two exchanged? Latitude (north) comes first.",
        "La latitude dépasse 90 : sont-elles inversées ? La latitude (nord) vient d’abord.",
    ),
    "checksum": ("That line is damaged; copy it whole.", "Cette ligne est abîmée ; copiez-la entière."),
    "no_fix": ("The receiver has no position yet; wait.", "Le récepteur n’a pas encore de position ; attendez."),
    "looks_swapped": (
        "Far from your last installation, and near to it with the two exchanged. Keep it as typed?",
        "Loin de votre dernière installation, et proche si l’on inverse les deux. Garder ainsi ?",
    ),
    "kept": ("{lat}, {lon}", "{lat}, {lon}"),
}


def _place(text: str) -> Position:
    try:
        return position.parse(text)
    except PositionRefused as refused:
        raise Wrong(refused.args[0]) from None


def _run(hands: Hands) -> Outcome:
    found: Position = hands.ask("place")
    while position.looks_swapped(found, hands.about) and not hands.ask("looks_swapped"):
        found = hands.ask("place")
    hands.say("kept", lat=position.degrees_text(found.lat_e6), lon=position.degrees_text(found.lon_e6))
    return Outcome(PASSED, {"lat_e6": found.lat_e6, "lon_e6": found.lon_e6, "accuracy_m": found.accuracy_m})


STEP = Step(
    "position",
    TEXTS,
    _run,
    (Question("place", _place), Question("looks_swapped", yes_no, confirms=True)),
    waivable=lambda _outcome: True,
)
