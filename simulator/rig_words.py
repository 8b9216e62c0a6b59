"""What `guelta rig` says, in both languages, and the words it understands."""

from __future__ import annotations

from typing import NamedTuple

from .texts import LANGUAGES

LITRES_MAX = 1000
LEAK_ML_PER_H_MAX = 10_000_000
OPEN_TABLE = "draw LITRES, press, read, quit"
AT_THE_PORT = "draw LITRES, pour LITRES, press, unplug, plug, stick, leak ML_PER_H, heal, quit"

TEXTS = {
    "on": (
        "the meter is on and talks to {udp}; words: {words}",
        "le compteur est en marche et parle à {udp} ; mots : {words}",
    ),
    "face": ("balance {balance}{low}. {reason}", "solde {balance}{low}. {reason}"),
    "low": (", the lamp is on", ", le voyant est allumé"),
    "closing": ("the valve closes", "la vanne se ferme"),
    "opening": ("the valve opens", "la vanne s’ouvre"),
    "open": ("the valve is open", "la vanne est ouverte"),
    "closed": ("the valve is closed", "la vanne est fermée"),
    "stalled": ("the motor stalls", "le moteur cale"),
    "draw": ("drawn: {litres} L", "tirés : {litres} L"),
    "pour": ("in the bucket: {litres} L", "dans le seau : {litres} L"),
    "dry": ("the tap is dry: {litres} L were not drawn", "le robinet est à sec : {litres} L n’ont pas été tirés"),
    "unplug": ("the cable is out", "le câble est débranché"),
    "plug": ("the cable is in: {path}", "le câble est branché : {path}"),
    "stick": ("the valve is seized where it stands", "la vanne est grippée où elle est"),
    "leak": ("closed, it lets {ml} mL an hour through", "fermée, elle laisse passer {ml} mL par heure"),
    "heal": ("the valve is as new", "la vanne est comme neuve"),
    "unknown": ("{words}: not understood. Words: {known}", "{words} : pas compris. Mots : {known}"),
}


class Word(NamedTuple):
    """One thing to do, and how much of it."""

    name: str
    amount: int = 0


def say(key: str, lang: str, **facts: object) -> str:
    """One sentence."""
    return TEXTS[key][LANGUAGES.index(lang)].format(**facts)


def understand(line: str, *, at_the_port: bool) -> Word | None:
    """The word of a line that is not empty; None when it is none."""
    words = line.split()
    known = [entry.strip().split() for entry in (AT_THE_PORT if at_the_port else OPEN_TABLE).split(",")]
    for name, *amounts in known:
        if words[:1] != [name] or len(words) != 1 + len(amounts):
            continue
        if not amounts:
            return Word(name)
        least, most = (0, LEAK_ML_PER_H_MAX) if name == "leak" else (1, LITRES_MAX)
        text = words[1]
        if text.isascii() and text.isdigit() and len(text) <= len(str(most)) and least <= int(text) <= most:
            return Word(name, int(text))
    return None
