"""`guelta field`: the technician's tool. One table of verbs, each loaded when it is used; refusals become exit codes.

Exit codes: exit_codes.py. Standard output is for results, so `guelta field read --json | jq` works.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
from typing import Any, NamedTuple

import click

from . import exit_codes
from .refusals import Refusal
from .texts import COMMON, LANGUAGES, sentence
from .verb import JSON, Both, help_option, lang_option, language

# What the extra brings. Looked for, not loaded: most verbs need one of them at most.
for _needed in ("serial", "platformdirs", "segno", "reportlab"):
    if importlib.util.find_spec(_needed) is None:
        raise ModuleNotFoundError(f"No module named '{_needed}'", name=_needed)


class Verb(NamedTuple):
    """Where a verb lives, and its line in `guelta field --help`."""

    module: str
    attribute: str
    summary: Both


VERBS = {
    "enrol": Verb(
        "fieldtool.enrol",
        "enrol",
        ("Make this laptop known to a headend, once.", "Faire connaître ce portable à une tête de réseau, une fois."),
    ),
    "sync": Verb(
        "fieldtool.sync",
        "sync",
        ("Send records, fetch jobs (needs a network).", "Envoyer les dossiers, prendre les interventions (réseau)."),
    ),
    "ports": Verb(
        "fieldtool.list_ports",
        "ports",
        ("List serial ports; opens none of them.", "Lister les ports série, sans en ouvrir aucun."),
    ),
    "flash": Verb(
        "fieldtool.flash",
        "flash",
        ("Give a meter a signed firmware; resumes.", "Donner à un compteur un micrologiciel signé ; reprend."),
    ),
    "commission": Verb(
        "fieldtool.commission",
        "commission",
        ("Turn a box into a trusted meter, step by step.", "Faire d’une boîte un compteur sûr, pas à pas."),
    ),
    "read": Verb("fieldtool.read", "read", ("Read a meter.", "Lire un compteur.")),
    "test": Verb(
        "fieldtool.test", "test", ("Check a meter against its limits.", "Vérifier un compteur et ses limites.")
    ),
    "log": Verb("fieldtool.log", "log", ("Print the meter's half-hours.", "Imprimer les demi-heures d’un compteur.")),
    "swap": Verb(
        "fieldtool.swap", "swap", ("Replace a meter; its books move along.", "Remplacer un compteur et ses comptes.")
    ),
    "visit": Verb(
        "fieldtool.visit", "visit", ("Look after a meter in service.", "S’occuper d’un compteur en service.")
    ),
    "decommission": Verb(
        "fieldtool.decommission",
        "decommission",
        ("Take a meter out of service.", "Mettre un compteur hors service."),
    ),
    "label": Verb("fieldtool.print_label", "label", ("Print a meter's label (PDF).", "Imprimer l’étiquette (PDF).")),
}

ABOUT: Both = (
    "The technician's tool: a laptop, a cable, and a network later. What is done is kept; the same command goes on.",
    "L’outil du technicien : un portable, un câble, et du réseau plus tard. Ce qui est fait est gardé ; la même"
    " commande reprend.",
)


class Field(click.Group):
    """The verbs, loaded at first use, and what their refusals come to."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        verb = VERBS.get(cmd_name)
        if verb is None:
            return None
        command = getattr(importlib.import_module(verb.module), verb.attribute)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        at = LANGUAGES.index(language(ctx))
        with formatter.section(("Commands", "Commandes")[at]):
            formatter.write_dl([(name, verb.summary[at]) for name, verb in VERBS.items()])

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        self.help = ABOUT[LANGUAGES.index(language(ctx))]
        super().format_help_text(ctx, formatter)

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        return help_option(super().get_help_option(ctx), ctx)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except click.UsageError as error:
            self._tell_usage(ctx, error)
            ctx.exit(exit_codes.USAGE)
        except Refusal as refusal:
            self._tell(ctx, refusal)
            ctx.exit(refusal.exit_code)
        except (KeyboardInterrupt, click.Abort):
            click.echo("\n" + sentence(COMMON, "interrupted", language(ctx)), err=True)
            ctx.exit(exit_codes.INTERRUPTED)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, args)
        except click.exceptions.NoArgsIsHelpError:
            raise
        except click.UsageError as error:
            self._tell_usage(ctx, error)
            ctx.exit(exit_codes.USAGE)

    def _tell_usage(self, ctx: click.Context, error: click.UsageError) -> None:
        from . import usage

        lang = language(ctx)
        text = usage.sentence(error, lang)
        click.echo(sentence(COMMON, "error", lang, text=text), err=True)
        click.echo(usage.try_help(error, lang), err=True)
        if ctx.meta.get(JSON):
            told = {"code": "usage", "exit": exit_codes.USAGE, "text": text}
            click.echo(json.dumps({"refused": told}, ensure_ascii=False, sort_keys=True))

    def _tell(self, ctx: click.Context, refusal: Refusal) -> None:
        """The reason on standard error; with --json, for the program that called, on standard output too."""
        lang = language(ctx)
        text = refusal.sentence(lang)
        click.echo(sentence(COMMON, "error", lang, text=text), err=True)
        if ctx.meta.get(JSON) and not refusal.in_result:
            click.echo(json.dumps({"refused": refusal.told(lang)}, ensure_ascii=False, sort_keys=True))


@click.command("field", cls=Field, context_settings={"help_option_names": ["-h", "--help"]})
@lang_option()
def field() -> None:
    pass
