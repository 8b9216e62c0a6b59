"""Jinja2 templates to text: autoescaped, undefined names refused, the same fragment for the page and for the stream."""

from pathlib import Path

import jinja2

from headend.web import present, texts
from headend.web.facts import Facts
from headend.web.health import BooksHealth
from headend.web.story import Numbered

STORY_LINES = 80


class Renderer:
    """Owns the templates. `simulated` marks the time on the page as not the world's."""

    def __init__(self, simulated: bool) -> None:
        self._simulated = simulated
        self._environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def page(self, facts: Facts, health: BooksHealth, lines: list[Numbered], language: str) -> str:
        """The whole document, newest story line first."""
        recent = lines[-STORY_LINES:][::-1]
        return self._render(
            "page.html",
            facts,
            language,
            now=present.now(facts, language, self._simulated),
            totals=present.totals(facts),
            books=present.books(facts, health.balanced, health.chain_ok),
            homes=[present.home(facts, one, language) for one in facts.homes],
            story=[present.line(facts, numbered, language) for numbered in recent],
            last_number=lines[-1].number if lines else 0,
        )

    def fragments(self, facts: Facts, health: BooksHealth, language: str) -> dict[str, str]:
        """Every part that may change, by its element id."""
        books = present.books(facts, health.balanced, health.chain_ok)
        parts = {
            "now": self._render("now.html", facts, language, now=present.now(facts, language, self._simulated)),
            "totals": self._render("totals.html", facts, language, totals=present.totals(facts)),
            "books": self._render("books.html", facts, language, books=books),
        }
        for one in facts.homes:
            home = present.home(facts, one, language)
            parts[f"home-{home.meter_id}"] = self._render("home.html", facts, language, home=home)
        return parts

    def story_line(self, facts: Facts, numbered: Numbered, language: str) -> str:
        return self._render("story_line.html", facts, language, line=present.line(facts, numbered, language))

    def _render(self, template: str, facts: Facts, language: str, **values: object) -> str:
        return self._environment.get_template(template).render(
            language=language,
            t=texts.TEXTS[language],
            money=lambda amount: texts.money(amount, facts.exponent, language),
            number=lambda value: texts.number(value, language),
            currency=texts.currency_label(facts.currency),
            **values,
        )
