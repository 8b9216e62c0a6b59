"""Refusals as problem+json (RFC 9457): a stable code, a title and a remedy in the reader's language.

A handler raises `Problem("unknown_meter", meter_id=…)`; the texts stand in `problem_catalogue.py`. Codes never change;
titles and details may.
"""

import msgspec

from headend.api.field_words import in_words
from headend.api.language import FRENCH
from headend.api.problem_catalogue import CATALOGUE

MEDIA_TYPE = "application/problem+json"


class FieldError(msgspec.Struct, frozen=True):
    """One wrong field: where (RFC 6901 pointer into the body, or `?name` of the query) and what was expected."""

    pointer: str
    detail: str


class ProblemDocument(msgspec.Struct, frozen=True):
    """The body of every refusal (RFC 9457 §3), with `code` for programs and `trace` to quote to the operator."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    errors: list[FieldError]
    trace: str


class Problem(Exception):
    """A refusal on its way to the caller. `fields` fill the sentence; `errors` are (pointer, English detail)."""

    def __init__(self, code: str, errors: tuple[tuple[str, str], ...] = (), /, **fields: object) -> None:
        assert code in CATALOGUE, code
        super().__init__(code)
        self.code = code
        self.errors = errors
        self.fields = fields

    @property
    def status(self) -> int:
        return CATALOGUE[self.code].status

    def document(self, language: str, trace: str) -> ProblemDocument:
        kind = CATALOGUE[self.code]
        french = language == FRENCH
        return ProblemDocument(
            type="urn:guelta:problem:" + self.code.replace("_", "-"),
            title=kind.title_fr if french else kind.title_en,
            status=kind.status,
            code=self.code,
            detail=_writable((kind.detail_fr if french else kind.detail_en).format(**self.fields)),
            errors=[
                FieldError(_writable(pointer), _writable(in_words(text, language))) for pointer, text in self.errors
            ],
            trace=trace,
        )


def _writable(text: str) -> str:
    """Text that is quoted from a request may hold half a surrogate pair, which JSON cannot be written with."""
    return text.encode("utf-8", "replace").decode("utf-8")
