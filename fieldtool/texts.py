"""The tool's own sentences in English and French: one key, two texts, the same named facts.

Each verb keeps its texts beside it, in a table of this form, and says them with `sentence`. Here: those of all verbs.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

LANGUAGES = ("en", "fr")

Texts = Mapping[str, tuple[str, str]]

COMMON: Texts = {
    "interrupted": (
        "Interrupted. What was done is kept; the same command goes on.",
        "Interrompu. Ce qui est fait est gardé ; la même commande reprend.",
    ),
    "proceed": ("Proceed?", "Continuer ?"),
    "dry_run": ("--dry-run: nothing was written.", "--dry-run : rien n’a été écrit."),
    "error": ("Error: {text}", "Erreur : {text}"),
    "yes": ("yes", "oui"),
    "no": ("no", "non"),
}


def sentence(texts: Texts, key: str, lang: str, **facts: object) -> str:
    """One sentence in one language."""
    return texts[key][LANGUAGES.index(lang)].format(**facts)


def default_language() -> str:
    """French when the environment asks for French, else English."""
    asked = os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG") or ""
    return "fr" if asked.lower().startswith("fr") else "en"
