"""`guelta config`: a configuration file to begin with, and the settings that are in force."""

import json
import os
import re
from pathlib import Path
from typing import Any

import click

from headend.cli.work import AS_JSON, refusals_told
from headend.configuration import DEFAULTS, TYPES, Effective, effective, file_of, meaning, option, shown, variable
from headend.log import REDACTED, redact

CONFIG = click.option(
    "--config", "config_file", type=click.Path(dir_okay=False, path_type=Path), envvar="GUELTA_CONFIG",
    help="A TOML file of settings; see 'guelta config template'.",
)  # fmt: skip

_HEADS = {
    "en": (
        "Settings of `guelta serve`. Take the '#' away from what you change.",
        "A variable of the environment comes before this file, an option before both.",
        "No secret stands here: a setting that needs one names a file that belongs to its owner alone.",
    ),
    "fr": (
        "Réglages de `guelta serve`. Enlevez le « # » de ce que vous changez.",
        "Une variable d’environnement passe avant ce fichier, une option avant les deux.",
        "Aucun secret ici : un réglage qui en demande un nomme un fichier que seul son propriétaire peut lire.",
    ),
}


@click.group()
def config() -> None:
    """Print a configuration file, or the settings in force."""


@config.command("template")
@click.option("--lang", type=click.Choice(sorted(_HEADS)), default="en", show_default=True)
def config_template(lang: str) -> None:
    """Print every setting with its meaning and default, as a TOML file to be edited."""
    click.echo(template(lang))


@config.command("show")
@CONFIG
@AS_JSON
def config_show(config_file: Path | None, as_json: bool) -> None:
    """Print the settings in force, each with where it comes from. Secrets are not shown."""
    with refusals_told():
        found = effective(config_file or file_of(os.environ), os.environ)
    rows = {name: (_safe(found, name), origin) for name, origin in found.origins.items()}
    if as_json:
        click.echo(json.dumps({name: {"value": value, "origin": origin} for name, (value, origin) in rows.items()}))
        return
    for name, (value, origin) in rows.items():
        click.echo(f"{name} = {value}\t# {origin}" if value is not None else f"# {name} is not set")


def template(language: str) -> str:
    """The file, made from the settings themselves."""
    lines = [f"# {line}" for line in _HEADS[language]]
    for name in TYPES:
        default: Any = getattr(DEFAULTS, name)
        example = shown(default) if default is not None else '""'
        lines += ["", f"# {meaning(name, language)}", f"# {variable(name)}, {option(name)}", f"#{name} = {example}"]
    return "\n".join(lines)


def _safe(found: Effective, name: str) -> str | None:
    value = getattr(found.configuration, name)
    if value is None:
        return None
    text = re.sub(r"//[^/@\s]+@", f"//{REDACTED}@", shown(value))
    return str(redact(None, "", {"value": text})["value"])
