"""What a step works with: the person's answers, the meter, the journal, the clock. And whoever answers: person or file.

A person is asked again until the answer is of its kind. A file of answers (--answers) names each one "step.question";
one that is missing or wrong ends the command and names it, and what was finished stays finished.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import click

from .clock import Clock
from .journal import Journal
from .meter import Meter
from .refusals import Refusal
from .step import Question, Step, Wrong, free_text, yes_no
from .texts import COMMON, LANGUAGES, Texts, sentence
from .work_order import WorkOrder

REASON_MAX = 200
AGAIN, WAIVE, STOP = "again", "waive", "stop"

ASKING: Texts = {
    "ready": ("When you are ready, press Enter.", "Quand vous êtes prêt, appuyez sur Entrée."),
    "ready_or_waive": (
        "When you are ready, press Enter (w: leave this step out).",
        "Quand vous êtes prêt, appuyez sur Entrée (l : laisser cette étape).",
    ),
    "what_now": ("[r]epeat the step, [s]top here:", "[r]efaire l’étape, [a]rrêter ici :"),
    "what_now_waive": (
        "[r]epeat the step, [l]eave it so with a reason, [s]top here:",
        "[r]efaire l’étape, la [l]aisser ainsi avec une raison, [a]rrêter ici :",
    ),
    "reason": ("Why? The office reads this:", "Pourquoi ? Le bureau lira ceci :"),
    "wrong_yes_no": ("Answer y or n.", "Répondez o ou n."),
    "wrong_whole": ("Type a whole number from {least} to {most}.", "Tapez un nombre entier de {least} à {most}."),
    "wrong_text": ("Type 1 to {most} characters.", "Tapez 1 à {most} caractères."),
    "wrong_litres": ("Type litres, such as 10 or 9.85.", "Tapez des litres, par exemple 10 ou 9,85."),
    "yes_no": (" [y/n]", " [o/n]"),
}


class Voice(Protocol):
    """Whoever answers."""

    lang: str
    is_person: bool

    def say(self, text: str) -> None: ...
    def answer(self, name: str, text: str, parse: Callable[[str], Any], confirms: bool, texts: Texts) -> Any: ...
    def is_ready(self, step: Step) -> bool: ...
    def after_failure(self, step: Step, may_waive: bool) -> str: ...
    def reason(self, step: Step) -> str: ...


class Person:
    """At the terminal; --yes answers what only asks whether something was done."""

    is_person = True

    def __init__(self, lang: str, yes: bool) -> None:
        self.lang, self.yes = lang, yes

    def say(self, text: str) -> None:
        click.echo(text, err=True)

    def answer(self, name: str, text: str, parse: Callable[[str], Any], confirms: bool, texts: Texts) -> Any:
        if confirms and self.yes:
            return True
        while True:
            try:
                return parse(self._typed(text))
            except Wrong as wrong:
                self.say("  " + sentence({**ASKING, **texts}, wrong.key, self.lang, **wrong.facts))

    def is_ready(self, step: Step) -> bool:
        may_waive = step.waivable(None)
        if self.yes or not (may_waive or step.waits):
            return True
        typed = self._typed(self._text("ready_or_waive" if may_waive else "ready"))
        return not (may_waive and typed.lower() in ("w", "l"))

    def after_failure(self, step: Step, may_waive: bool) -> str:
        while True:
            typed = self._typed(self._text("what_now_waive" if may_waive else "what_now")).lower()[:1]
            if typed == "r":
                return AGAIN
            if typed in ("s", "a"):
                return STOP
            if typed in ("l", "w") and may_waive:
                return WAIVE

    def reason(self, step: Step) -> str:
        told: str = self.answer("reason", self._text("reason"), free_text(REASON_MAX), False, {})
        return told

    def _text(self, key: str) -> str:
        return sentence(ASKING, key, self.lang)

    def _typed(self, text: str) -> str:
        click.echo(f"> {text} ", nl=False, err=True)
        try:
            line = sys.stdin.readline()
        except UnicodeDecodeError:
            return "\ufffd"  # of no kind: it is asked again
        if not line:
            click.echo("", err=True)
            raise Refusal("no_terminal", what=text, option="--answers FILE.json")
        return line.strip()


class Script:
    """A file of answers, {"step.question": value}; "step.waive": a reason, for a step that is to be left out."""

    is_person = False

    def __init__(self, lang: str, yes: bool, answers: dict[str, Any]) -> None:
        self.lang, self.yes, self.answers = lang, yes, answers

    def say(self, text: str) -> None:
        click.echo(text, err=True)

    def answer(self, name: str, text: str, parse: Callable[[str], Any], confirms: bool, texts: Texts) -> Any:
        if name not in self.answers:
            if confirms and self.yes:
                return True
            raise Refusal("answer_missing", name=name, question=text)
        given = self.answers[name]
        told = ("no", "yes")[given] if isinstance(given, bool) else str(given)
        try:
            return parse(told)
        except Wrong as wrong:
            why = sentence({**ASKING, **texts}, wrong.key, self.lang, **wrong.facts)
            raise Refusal("answer_wrong", name=name, why=why) from None

    def is_ready(self, step: Step) -> bool:
        return f"{step.name}.waive" not in self.answers or not step.waivable(None)

    def after_failure(self, step: Step, may_waive: bool) -> str:
        return WAIVE if may_waive and f"{step.name}.waive" in self.answers else STOP

    def reason(self, step: Step) -> str:
        name = f"{step.name}.waive"
        told: str = self.answer(name, name, free_text(REASON_MAX), False, {})
        return told


@dataclass
class Hands:
    """The tools of one step."""

    voice: Voice
    order: WorkOrder
    journal: Journal
    meter: Meter
    clock: Clock
    step: Step
    carried: list[dict[str, str]] = field(default_factory=list)  # sealed frames that go along with a finished step
    about: tuple[int, int] | None = None  # where this laptop last installed a meter: (lat_e6, lon_e6)

    def carry(self, frames: list[bytes]) -> None:
        """Take sealed frames of the meter along, to be brought to the headend by hand."""
        self.carried = [{"meter_id": self.meter.meter_id, "frame": frame.hex()} for frame in frames]

    def text(self, key: str, **facts: object) -> str:
        return sentence({**COMMON, **self.step.texts}, key, self.voice.lang, **facts)

    def say(self, key: str, **facts: object) -> None:
        self.voice.say("  " + self.text(key, **facts))

    def ask(self, name: str, **facts: object) -> Any:
        """The answer to one of the step's questions."""
        question: Question = next(one for one in self.step.asks if one.name == name)
        text = self.text(name, **facts)
        if question.parse is yes_no:
            text += ASKING["yes_no"][LANGUAGES.index(self.voice.lang)]
        return self.voice.answer(f"{self.step.name}.{name}", text, question.parse, question.confirms, self.step.texts)
