"""What every verb shares: its options, its language, and where it writes. A verb is a click command made by `verb`.

    @verb("read", HELP, port=True)
    @option("--deliver", is_flag=True, help=(english, french))
    def read(tool: Tool, deliver: bool) -> None:
        with tool.session() as session: …
        tool.result(document, lines)

Standard output carries the result only; questions, progress and errors go to standard error.
"""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

import click

from .refusals import Refusal
from .texts import COMMON, LANGUAGES, Texts, default_language, sentence

if TYPE_CHECKING:
    from .session import Session
    from .store import Store

LANG, JSON = "guelta.field.lang", "guelta.field.json"
Both = tuple[str, str]

HELP: dict[str, Both] = {
    "port": (
        "The meter's port: auto, serial:NUMBER, or a path.",
        "Le port du compteur : auto, serial:NUMÉRO, ou un chemin.",
    ),
    "json": ("Print the result as one JSON object.", "Écrire le résultat comme un seul objet JSON."),
    "lang": ("Language (from LANG).", "Langue (d’après LANG)."),
    "dry_run": ("Say what would be done; write nothing.", "Dire ce qui serait fait ; ne rien écrire."),
    "yes": ("Ask for no confirmation (for scripts).", "Ne demander aucune confirmation (pour les scripts)."),
    "help": ("Show this message.", "Montrer ce message."),
}


class Tool:
    """What a verb has in its hand. `texts` are the verb's own sentences, beside those of all verbs."""

    def __init__(self, texts: Texts, lang: str, as_json: bool, port: str, dry_run: bool, yes: bool) -> None:
        self.lang, self.as_json, self.dry_run, self.yes = lang, as_json, dry_run, yes
        self.asked_port = port
        self._texts = {**COMMON, **texts}
        self._store: Store | None = None

    @property
    def store(self) -> Store:
        """The tool's folder."""
        if self._store is None:
            from .store import Store

            self._store = Store()
        return self._store

    def text(self, key: str, **facts: object) -> str:
        return sentence(self._texts, key, self.lang, **facts)

    def say(self, key: str, **facts: object) -> None:
        """A line for the person, on standard error."""
        click.echo(self.text(key, **facts), err=True)

    def result(self, document: dict[str, Any], lines: Iterable[str]) -> None:
        """What the verb is for, on standard output: one JSON object, or lines for people."""
        if self.as_json:
            click.echo(json.dumps(document, ensure_ascii=False, sort_keys=True))
        else:
            for line in lines:
                click.echo(line)

    def confirm(self, key: str = "proceed", **facts: object) -> None:
        """Ask before what cannot be taken back. Raises not_confirmed; --yes answers for a script."""
        if self.yes:
            return
        if not sys.stdin.isatty():
            raise Refusal("no_terminal", what=self.text(key, **facts), option="--yes")
        letters = "[o/N]" if self.lang == "fr" else "[y/N]"
        click.echo(f"{self.text(key, **facts)} {letters} ", nl=False, err=True)
        if sys.stdin.readline().strip().lower() not in ("y", "yes", "o", "oui"):
            raise Refusal("not_confirmed")

    def secret(self, key: str, option: str, **facts: object) -> str:
        """A secret from a hidden prompt; without a terminal, `option` names the other way. "" when nothing is typed."""
        if not sys.stdin.isatty():
            raise Refusal("no_terminal", what=self.text(key, **facts), option=option)
        import getpass

        return getpass.getpass(self.text(key, **facts) + " ", stream=sys.stderr).strip()

    @contextlib.contextmanager
    def session(self) -> Iterator[Session]:
        """A conversation with the meter that --port means (nothing is asked yet). The port of one that answers is
        remembered."""
        from .ports import chosen, remember
        from .session import Session

        with chosen(self.asked_port, self.store) as line:
            session = Session(line)
            try:
                yield session
            finally:
                if session.has_answered and not self.dry_run:
                    remember(line.path, self.store)


class Option(click.Option):
    """An option whose help has two languages, the name of its kind too."""

    def __init__(self, *names: Any, both: Both, **settings: Any) -> None:
        super().__init__(*names, **settings)
        self.both = both

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        self.help = self.both[LANGUAGES.index(language(ctx))]
        told = super().get_help_record(ctx)
        if told is None or language(ctx) != "fr":
            return told
        return told[0].replace("INTEGER RANGE", "NOMBRE"), told[1].replace("[default: ", "[d’ordinaire : ")


class Command(click.Command):
    """A command whose help has two languages."""

    def __init__(self, *arguments: Any, both: Both, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self.both = both

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        self.help = self.both[LANGUAGES.index(language(ctx))]
        super().format_help_text(ctx, formatter)

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        return help_option(super().get_help_option(ctx), ctx)


def help_option(found: click.Option | None, ctx: click.Context) -> click.Option | None:
    """Click's own --help, in the caller's language."""
    if found is not None:
        found.help = HELP["help"][LANGUAGES.index(language(ctx))]
    return found


def language(ctx: click.Context) -> str:
    """What --lang says, else the environment."""
    told: str = ctx.meta.get(LANG) or default_language()
    return told


def option(*names: str, help: Both, **settings: Any) -> Callable[[Any], Any]:
    """click.option with help in two languages."""
    return click.option(*names, cls=Option, both=help, **settings)


def _remember(key: str) -> Callable[[click.Context, click.Parameter, Any], Any]:
    def callback(ctx: click.Context, _parameter: click.Parameter, value: Any) -> Any:
        if value:
            ctx.meta[key] = value
        return value

    return callback


def lang_option() -> Callable[[Any], Any]:
    return option(
        "--lang", help=HELP["lang"], type=click.Choice(LANGUAGES), is_eager=True, expose_value=False,
        callback=_remember(LANG),
    )  # fmt: skip


def verb(
    name: str, both: Both, texts: Texts, *, port: bool = True, writes: bool = False
) -> Callable[[Callable[..., None]], click.Command]:
    """A verb of `guelta field`. `port`: it speaks with a meter; `writes`: it has --dry-run and --yes."""

    def made(function: Callable[..., None]) -> click.Command:
        def run(*arguments: Any, **given: Any) -> None:
            ctx = click.get_current_context()
            tool = Tool(
                texts,
                language(ctx),
                as_json=given.pop("json"),
                port=given.pop("port", ""),
                dry_run=given.pop("dry_run", False),
                yes=given.pop("yes", False),
            )
            function(tool, *arguments, **given)

        run.__click_params__ = getattr(function, "__click_params__", [])  # type: ignore[attr-defined]
        options = [lang_option(), option("--json", help=HELP["json"], is_flag=True, callback=_remember(JSON))]
        if writes:
            options.append(option("--yes", help=HELP["yes"], is_flag=True))
            options.append(option("--dry-run", help=HELP["dry_run"], is_flag=True))
        if port:
            options.append(option("--port", help=HELP["port"], default="", metavar="PORT"))
        decorated: Callable[..., Any] = run
        for one in options:
            decorated = one(decorated)
        return click.command(name, cls=Command, both=both)(decorated)

    return made
