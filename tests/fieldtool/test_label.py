"""The label: the same bytes for the same facts, readable, nothing over the edge (FEATURES B9)."""

import re
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reportlab.pdfbase import pdfmetrics

from fieldtool import label
from fieldtool.label import SIZES, Label, drawable, fit, pdf, qr_text

GOOD = Label("0123456789abcdef", "00000195", "Porte 7, rue de la Guelta", "SC-0042", 1_798_761_734)
LONG = GOOD._replace(service_point="Très longue adresse " * 20, seal="W" * 16)


@pytest.mark.parametrize("size", sorted(SIZES))
@pytest.mark.parametrize("lang", ["en", "fr"])
def test_the_same_record_gives_the_same_bytes_on_the_size_that_was_asked(size: str, lang: str) -> None:
    made = pdf(GOOD, size, lang)
    assert made == pdf(GOOD, size, lang) and made.startswith(b"%PDF-")
    assert made != pdf(GOOD._replace(seal="SC-0043"), size, lang)
    box = re.search(rb"/MediaBox \[ 0 0 ([0-9.]+) ([0-9.]+) \]", made)
    assert box is not None
    assert [round(float(side)) for side in box.groups()] == [round(side) for side in SIZES[size]]


def test_what_the_code_holds() -> None:
    text = qr_text(GOOD)
    assert text == "GUELTA:1/M0123456789ABCDEF/C00000195/SSC-0042/D20261231" or text.endswith("/D20270101")
    assert re.fullmatch(r"[0-9A-Z $%*+./:-]+", text), "the small alphabet of QR codes"
    assert GOOD.service_point not in text


def drawn(made: bytes) -> list[tuple[float, float, float, float]]:
    """(left, bottom, right, top) of each rectangle and each line of text of the page."""
    found = []
    for stream in re.findall(rb"stream\r?\n(.*?)endstream", made, re.DOTALL):
        try:
            content = zlib.decompress(_ascii85(stream))
        except (zlib.error, ValueError):
            continue
        if b" re f" not in content and b" Tj" not in content:
            continue
        for x, y, width, height in re.findall(rb"([0-9.]+) ([0-9.]+) ([0-9.]+) ([0-9.]+) re f", content):
            found.append((float(x), float(y), float(x) + float(width), float(y) + float(height)))
    return found


def _ascii85(stream: bytes) -> bytes:
    import base64

    return base64.a85decode(stream.strip().removesuffix(b"~>"))


@pytest.mark.parametrize("size", sorted(SIZES))
def test_every_module_of_the_code_is_within_the_page_with_its_quiet_zone(size: str) -> None:
    width, height = SIZES[size]
    rectangles = drawn(pdf(LONG, size))
    assert len(rectangles) > 100
    module = min(top - bottom for _, bottom, _, top in rectangles)
    assert min(left for left, *_ in rectangles) >= 4 * module
    assert max(right for _, _, right, _ in rectangles) <= width - 4 * module
    assert max(top for *_, top in rectangles) <= height - 4 * module
    assert module >= 1.6, "over half a millimetre: a telephone reads it"


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=80), st.floats(5, 30), st.floats(40, 300), st.integers(1, 2))
def test_no_text_is_wider_than_its_line_or_longer_than_its_lines(
    text: str, size: float, width: float, lines: int
) -> None:
    drawable("")  # loads the fonts
    got, broken = fit(text, label._BOLD, size, width, lines)
    assert len(broken) <= lines and got <= size
    assert all(pdfmetrics.stringWidth(line, label._BOLD, got) <= width * 1.001 for line in broken if len(line) > 1)


@pytest.mark.parametrize("size", sorted(SIZES))
def test_rows_end_above_the_lower_margin(size: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each line of text stands in the page, under the one before."""
    from reportlab.pdfgen.canvas import Canvas

    lines: list[tuple[float, float, str]] = []
    original = Canvas.drawString

    def draw(self: Canvas, x: float, y: float, text: str, *more: object, **named: object) -> None:
        lines.append((x + pdfmetrics.stringWidth(text, self._fontname, self._fontsize), y, text))
        original(self, x, y, text, *more, **named)

    monkeypatch.setattr(Canvas, "drawString", draw)
    pdf(LONG, size, "fr")
    width = SIZES[size][0]
    assert all(right <= width - width / 16 for right, _, _ in lines)
    heights = [y for _, y, _ in lines]
    assert heights == sorted(heights, reverse=True) and heights[-1] >= width / 15
    assert any(text.endswith("…") for *_, text in lines)


def test_letters_without_a_picture_lose_their_marks_or_become_a_question_mark() -> None:
    assert drawable("Porte é Ḍ ɓ 水") == "Porte é D ? ?"
    assert drawable("  two \n words ") == "two words"
