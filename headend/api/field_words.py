"""What was expected of a field, in words a person can act on, in English and French.

msgspec words its findings in English and shows a pattern as it is written; here a pattern is told by what it means.
A pattern that only lists words (`^(fr|en)(?![\\s\\S])`) needs no entry.
"""

import re

from headend.api.command_refusals import FRENCH_REMEDIES
from headend.api.language import FRENCH

# pattern: what to write there.
PATTERNS: dict[str, tuple[str, str]] = {
    r"^[0-9a-f]{16}(?![\s\S])": ("16 lower-case hexadecimal digits", "16 chiffres hexadécimaux en minuscules"),
    r"^[0-9a-fA-F]{16}(?![\s\S])": ("16 hexadecimal digits", "16 chiffres hexadécimaux"),
    r"^(?=.*\S)[^\x00-\x1f\x7f-\x9f]{1,80}(?![\s\S])": (
        "1 to 80 characters, not all of them blank, no control characters",
        "1 à 80 caractères, pas tous blancs, sans caractère de commande",
    ),
    r"^[A-Z]{3}(?![\s\S])": ("3 capital letters of ISO 4217, as XOF", "3 majuscules de l’ISO 4217, comme XOF"),
    r"^[0-9]{8}(?![\s\S])": ("the 8 digits of a customer number", "les 8 chiffres d’un numéro de client"),
    r"^[A-Za-z0-9][A-Za-z0-9._-]{0,39}(?![\s\S])": (
        "1 to 40 letters, digits, '.', '_' or '-', a letter or digit first",
        "1 à 40 lettres, chiffres, « . », « _ » ou « - », une lettre ou un chiffre d’abord",
    ),
    r"^[0-9]{1,18}(\.[0-9]{1,9}|/[0-9]{1,9})?(?![\s\S])": (
        'a number of minor units as 127, "412.34" or "127/3"',
        'un nombre d’unités comme 127, "412.34" ou "127/3"',
    ),
    r"^20[2-9][0-9]-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])(?![\s\S])": (
        "a day from 2020 to 2099, as 2026-11-22",
        "un jour de 2020 à 2099, comme 2026-11-22",
    ),
    r"^20[2-9][0-9]-(0[1-9]|1[0-2])(?![\s\S])": (
        "a month from 2020 to 2099, as 2026-11",
        "un mois de 2020 à 2099, comme 2026-11",
    ),
    r"^([01][0-9]|2[0-3]):[0-5][0-9](?![\s\S])": ("a local time, as 17:30", "une heure locale, comme 17:30"),
    r"^\+[1-9][0-9]{6,14}(?![\s\S])": (
        "a phone number with its country, as +22790123456",
        "un numéro de téléphone avec son pays, comme +22790123456",
    ),
    r"^[a-z][a-z0-9-]{1,39}(?![\s\S])": (
        "2 to 40 lower-case letters, digits or '-', a letter first",
        "2 à 40 minuscules, chiffres ou « - », une lettre d’abord",
    ),
    r"^[A-Za-z0-9][A-Za-z0-9 ._-]{0,39}(?![\s\S])": (
        "1 to 40 letters, digits, spaces, '.', '_' or '-', a letter or digit first",
        "1 à 40 lettres, chiffres, espaces, « . », « _ » ou « - », une lettre ou un chiffre d’abord",
    ),
    r"^[A-Za-z0-9._:-]{1,64}(?![\s\S])": (
        "1 to 64 letters, digits, '.', '_', ':' or '-'",
        "1 à 64 lettres, chiffres, « . », « _ », « : » ou « - »",
    ),
    r"^[0-9a-f]{32}(?![\s\S])": (
        "32 lower-case hexadecimal digits",
        "32 chiffres hexadécimaux en minuscules",
    ),
    r"^[0-9a-f]{64}(?![\s\S])": (
        "64 lower-case hexadecimal digits",
        "64 chiffres hexadécimaux en minuscules",
    ),
    r"^[0-9a-f]{128}(?![\s\S])": (
        "128 lower-case hexadecimal digits",
        "128 chiffres hexadécimaux en minuscules",
    ),
    r"^[a-z][a-z0-9_]{0,39}(?![\s\S])": (
        "1 to 40 lower-case letters, digits or '_', a letter first",
        "1 à 40 minuscules, chiffres ou « _ », une lettre d’abord",
    ),
    r"^(?:[0-9a-f]{2}){11,222}(?![\s\S])": (
        "a frame of 11 to 222 bytes in lower-case hexadecimal digits",
        "une trame de 11 à 222 octets en chiffres hexadécimaux minuscules",
    ),
    r"^[!-~]{1,16}(?![\s\S])": (
        "1 to 16 visible ASCII characters, as qemu-mps2",
        "1 à 16 caractères ASCII visibles, comme qemu-mps2",
    ),
    r"^[0-9]{1,12}(?![\s\S])": ("1 to 12 digits", "1 à 12 chiffres"),
    r"^[A-Z0-9-]{0,8}(?![\s\S])": ("up to 8 capitals, digits or '-'", "8 majuscules, chiffres ou « - » au plus"),
    r"^([0-9a-f]{16})?(?![\s\S])": ("16 lower-case hexadecimal digits", "16 chiffres hexadécimaux en minuscules"),
    r"^j[1-9][0-9]{0,8}(?![\s\S])": ('a job as "j17"', 'une intervention comme "j17"'),
    r"^[0-9A-Za-z -]{16,40}(?![\s\S])": (
        "the job's token, as K7QM-4T2D-9XNP-0ABC",
        "le jeton de l’intervention, comme K7QM-4T2D-9XNP-0ABC",
    ),
    r"^[A-Za-z0-9-]{1,20}(?![\s\S])": (
        "1 to 20 letters, digits or '-'",
        "1 à 20 lettres, chiffres ou « - »",
    ),
    r"^[^\x00-\x1f\x7f-\x9f]{0,200}(?![\s\S])": (
        "up to 200 characters, no control characters",
        "200 caractères au plus, sans caractère de commande",
    ),
    r"^[^\x00-\x1f\x7f-\x9f]{1,64}(?![\s\S])": (
        "1 to 64 characters, no control characters",
        "1 à 64 caractères, sans caractère de commande",
    ),
}

_LISTED = re.compile(r"\^\(([a-z0-9_|-]+)\)\(\?!\[\\s\\S\]\)")
_PATTERN = re.compile(r"`str` matching regex (['\"])(.*)\1$", re.DOTALL)

# What our own handlers say, whole.
_SENTENCES = {
    "Expected an RFC 3339 time with an offset and whole seconds between 2020 and 2100, as 2026-11-22T07:30:00Z": (
        "Attendu : une heure RFC 3339 avec décalage, en secondes entières, entre 2020 et 2100, "
        "comme 2026-11-22T07:30:00Z"
    ),
    "Expected an RFC 3339 time with an offset between 2020 and 2100, as 2026-11-22T07:30:00.125Z": (
        "Attendu : une heure RFC 3339 avec décalage, entre 2020 et 2100, comme 2026-11-22T07:30:00.125Z"
    ),
    "Expected a full half-hour": "Attendu : une demi-heure pleine",
    "Expected a day that is in the calendar": "Attendu : un jour qui existe au calendrier",
    "Expected at least one field to correct": "Attendu : au moins un champ à corriger",
    "Expected an instant after `since`, at least one half-hour and at most 366 days later": (
        "Attendu : un instant après `since`, une demi-heure à 366 jours plus tard"
    ),
    "Expected an instant that is not before the present one": "Attendu : un instant qui n’est pas avant le présent",
    "Expected `int` as plain digits": "Attendu : un nombre en chiffres seuls",
    "Expected text in UTF-8": "Attendu : un texte en UTF-8",
    "This address takes no parameters": "Cette adresse ne prend pas de paramètre : retirez-le",
}

# msgspec's own wordings; these are all it uses for our types.
_PHRASES = (
    (re.compile(r"^Object missing required field (`.*`)$"), r"\1 is missing: add it", r"\1 manque : ajoutez-le"),
    (
        re.compile(r"^Object contains unknown field (`.*`)$", re.DOTALL),
        r"\1 is not known here: leave it out",
        r"\1 n’est pas connu ici : retirez-le",
    ),
    (
        re.compile(r"^duplicate field (`.*`)$", re.DOTALL),
        r"\1 stands twice: give it once",
        r"\1 y est deux fois : donnez-le une fois",
    ),
    (re.compile(r"^Invalid enum value (.*)$", re.DOTALL), r"\1 is none of the values allowed", r"\1 n’est pas admis"),
    (re.compile(r"^Expected one of (.*)$"), r"Expected one of \1", r"Attendu : l’un de \1"),
    (re.compile(r"^Expected (`.*`) of length (.*)$"), r"Expected \1 of length \2", r"Attendu : \1 de longueur \2"),
    (re.compile(r"^Expected (`.*`), got (`.*`)$"), r"Expected \1, got \2", r"Attendu : \1, reçu : \2"),
    (re.compile(r"^Expected (`.*)$"), r"Expected \1", r"Attendu : \1"),
)


def in_words(text: str, language: str) -> str:
    """One finding in the reader's language; what we have no words for stays as it is."""
    french = language == FRENCH
    found = _PATTERN.search(text)
    if found is not None:
        return ("Attendu : " if french else "Expected ") + pattern_words(_unquoted(found.group(2)))[french]
    if french and text in _SENTENCES:
        return _SENTENCES[text]
    if text in FRENCH_REMEDIES:
        return FRENCH_REMEDIES[text] if french else text
    for phrase, in_english, in_french in _PHRASES:
        if phrase.match(text):
            return phrase.sub(in_french if french else in_english, text)
    return text


def pattern_words(pattern: str) -> tuple[str, str]:
    """(English, French) for a pattern of the schema. KeyError for one that has no words yet: add it to PATTERNS."""
    listed = _LISTED.fullmatch(pattern)
    if listed is not None:
        names = ", ".join(listed.group(1).split("|"))
        return f"one of {names}", f"l’un de {names}"
    return PATTERNS[pattern]


def _unquoted(shown: str) -> str:
    """The pattern behind Python's way of showing a text."""
    return shown.replace("\\\\", "\\").replace("\\'", "'")
