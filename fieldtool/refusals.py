"""Everything the tool refuses: a stable code, the exit code, and one sentence with its remedy in both languages.

raise Refusal("port_gone", port="/dev/ttyACM0"); the command line prints it (cli.py). Codes are for ever, texts may
change. The tables stand in refusal_table.py (line, meter, headend, folder) and commission_refusals.py (the checklist).
"""

from __future__ import annotations

from .texts import LANGUAGES


class Refusal(Exception):
    """Why nothing (more) was done. `facts` fill the sentence and never hold a secret."""

    in_result = False  # the verb has put it into its JSON result already

    def __init__(self, code: str, **facts: object) -> None:
        super().__init__(code, facts)
        self.code = code
        self.facts = facts

    @property
    def exit_code(self) -> int:
        return table()[self.code][0]

    def sentence(self, lang: str) -> str:
        """What is wrong, and what to do."""
        return table()[self.code][1][LANGUAGES.index(lang)].format(**self.facts)

    def told(self, lang: str) -> dict[str, object]:
        """For the program that called: `code` and `exit` are stable."""
        return {"code": self.code, "exit": self.exit_code, "text": self.sentence(lang)}

    def __str__(self) -> str:
        return f"{self.code}: {self.sentence('en')}"


Table = dict[str, tuple[int, tuple[str, str]]]


def table() -> Table:
    """Code: (exit code, (English, French)). Loaded at the first refusal: `--help` needs none of it."""
    from .commission_refusals import TABLE as checklist
    from .refusal_table import TABLE as base

    return {code: (row[0], (row[1], row[2])) for code, row in {**base, **checklist}.items()}
