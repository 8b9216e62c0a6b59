"""A command that was typed wrongly, said in the caller's language: which word is wrong and what may stand there.

Click finds the mistakes and words them in English; here are the same sentences in French.
"""

from __future__ import annotations

import click


def sentence(error: click.UsageError, lang: str) -> str:
    """What is wrong and what to do."""
    if lang != "fr":
        return error.format_message()
    if isinstance(error, click.NoSuchOption):
        near = f" Vouliez-vous dire {', '.join(sorted(error.possibilities))} ?" if error.possibilities else ""
        return f"L’option {error.option_name} n’existe pas.{near}"
    if isinstance(error, click.MissingParameter):
        return f"Il manque {_name(error)}.{_allowed(error)}"
    if isinstance(error, click.BadParameter):
        return f"{_name(error)} : valeur refusée.{_allowed(error)}"
    if isinstance(error, click.BadOptionUsage):
        return f"L’option {error.option_name} attend une valeur, ou n’en prend pas."
    told = error.format_message()
    word = (
        told[told.find("(") + 1 : told.rfind(")")] if told.endswith(")") else told.partition("'")[2].partition("'")[0]
    )
    if told.startswith("No such command"):
        return f"Le verbe {word} n’existe pas."
    return f"Mot de trop, ou mal placé : {word or told}."


def try_help(error: click.UsageError, lang: str) -> str:
    """Where to read on."""
    path = error.ctx.command_path if error.ctx is not None else "guelta field"
    return f"« {path} --help » montre ce qui est possible." if lang == "fr" else f"Try '{path} --help'."


def _name(error: click.BadParameter) -> str:
    if error.param_hint is not None:
        return error.param_hint if isinstance(error.param_hint, str) else " / ".join(error.param_hint)
    if error.param is None:
        return "une valeur"
    if isinstance(error.param, click.Option):
        return error.param.opts[-1] if error.param.opts[-1].startswith("--") else error.param.opts[0]
    return error.param.make_metavar(click.get_current_context(silent=True) or click.Context(click.Command("field")))


def _allowed(error: click.BadParameter) -> str:
    """What may stand there, by the kind of value."""
    kind = None if error.param is None else error.param.type
    if isinstance(kind, click.Choice):
        return f" Permis : {', '.join(map(str, kind.choices))}."
    if isinstance(kind, click.IntRange):
        return f" Permis : un nombre entier de {kind.min} à {kind.max}."
    if isinstance(kind, click.types.IntParamType):
        return " Permis : un nombre entier."
    if isinstance(kind, click.DateTime):
        return " Permis : un jour, AAAA-MM-JJ."
    if isinstance(kind, click.Path):
        return " Permis : un fichier."
    return ""
