"""The label of a commissioned meter: one page of PDF with a QR code, the same bytes for the same facts.

What the QR code holds, and nothing else (capitals, so that it stays small and any scanner reads it as text):

    GUELTA:1/M<meter id, 16 hex>/C<customer number, 8 digits>/S<seal>/D<date, YYYYMMDD>

The service point is printed and not in the code; no name of a person and no key is in either. A value that is too long
for its line is set smaller, then on two lines, then cut with "…": nothing drawn leaves the page or meets another line.
"""

import io
import os
import time
import unicodedata
from typing import Any, NamedTuple

import reportlab
import segno
from reportlab.lib import pagesizes
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from . import seals

SIZES = {"a6": pagesizes.A6, "a7": pagesizes.A7, "a8": pagesizes.A8}

_PLAIN, _BOLD = "Vera", "VeraBd"
_QUIET_MODULES = 4  # ISO/IEC 18004: the margin a scanner needs
_WORDS = {
    "meter": ("Meter", "Compteur"),
    "customer": ("Customer number", "Numéro de client"),
    "point": ("Service point", "Point de service"),
    "seal": ("Seal", "Scellé"),
    "date": ("Commissioned", "Mise en service"),
}


class Label(NamedTuple):
    """The facts of a label; the seal as seals.py has it."""

    meter_id: str
    customer_number: str
    service_point: str
    seal: str
    unix_s: int


class Row(NamedTuple):
    """A caption and its value, and how many times the common size the value is set in."""

    caption: str
    value: str
    scale: float
    lines: int


def qr_text(label: Label) -> str:
    """What the QR code holds."""
    assert seals.is_number(label.seal)
    return (
        f"GUELTA:1/M{label.meter_id.upper()}/C{label.customer_number}/S{label.seal}"
        f"/D{time.strftime('%Y%m%d', time.gmtime(label.unix_s))}"
    )


def pdf(label: Label, size: str = "a7", lang: str = "en") -> bytes:
    """The label's page."""
    _load_fonts()
    width, height = SIZES[size]
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=(width, height), invariant=1, pageCompression=1)
    canvas.setTitle(f"Guelta {label.meter_id}")
    margin = width / 15
    side = min(width - 2 * margin, height * 0.42)
    _draw_qr(canvas, qr_text(label), (width - side) / 2, height - margin - side, side)
    _draw_rows(canvas, rows(label, lang), margin, width - 2 * margin, height - margin - side, margin)
    canvas.showPage()
    canvas.save()
    return out.getvalue()


def rows(label: Label, lang: str) -> list[Row]:
    """What is printed under the code, from top to bottom."""
    words = {key: texts[lang == "fr"] for key, texts in _WORDS.items()}
    meter = " ".join(label.meter_id.upper()[at : at + 4] for at in range(0, len(label.meter_id), 4))
    return [
        Row(words["meter"], meter, 1.25, 1),
        Row(words["customer"], label.customer_number, 1.6, 1),
        Row(words["point"], label.service_point, 1.0, 2),
        Row(words["seal"], label.seal, 1.0, 1),
        Row(words["date"], time.strftime("%Y-%m-%d", time.gmtime(label.unix_s)), 1.0, 1),
    ]


def fit(text: str, font: str, size: float, width: float, lines: int) -> tuple[float, list[str]]:
    """(font size, lines) of `text` within `width`: as it is, else smaller to three quarters, else wrapped, else cut."""
    text = drawable(text)
    least = size * 0.75
    natural = pdfmetrics.stringWidth(text, font, size)
    if natural <= width:
        return size, [text]
    if natural * 0.75 <= width:
        return size * width / natural * 0.999, [text]
    broken: list[str] = []
    rest = text
    while rest and len(broken) < lines:
        taken = len(rest)
        while taken > 1 and pdfmetrics.stringWidth(rest[:taken], font, least) > width:
            taken -= 1
        space = rest.rfind(" ", 1, taken + 1)
        if taken < len(rest) and space > 0:
            taken = space
        broken.append(rest[:taken].strip())
        rest = rest[taken:].strip()
    if rest:
        last = broken[-1]
        while last and pdfmetrics.stringWidth(last + "…", font, least) > width:
            last = last[:-1]
        broken[-1] = last.rstrip() + "…"
    return least, broken


def drawable(text: str) -> str:
    """`text` in the letters the font has: others lose their marks, or become a question mark."""
    _load_fonts()
    font: Any = pdfmetrics.getFont(_PLAIN)
    out = ""
    for character in " ".join(text.split()):
        bare = unicodedata.normalize("NFKD", character)[0]
        out += next((letter for letter in (character, bare) if ord(letter) in font.face.charToGlyph), "?")
    return out


def _load_fonts() -> None:
    """Bitstream Vera, which comes with the library and is embedded: the label prints alike everywhere."""
    for name in (_PLAIN, _BOLD):
        if name not in pdfmetrics.getRegisteredFontNames():
            path = os.path.join(os.path.dirname(reportlab.__file__), "fonts", name + ".ttf")
            pdfmetrics.registerFont(TTFont(name, path))


def _draw_qr(canvas: Canvas, text: str, left: float, bottom: float, side: float) -> None:
    """Dark modules as rectangles, a run of a row in one; quartile correction, for labels that get scratched."""
    matrix = segno.make(text, error="q", micro=False, boost_error=False).matrix
    module = side / (len(matrix) + 2 * _QUIET_MODULES)
    canvas.setFillGray(0)
    for row, bits in enumerate(matrix):
        y = bottom + side - (row + 1 + _QUIET_MODULES) * module
        start = None
        for column, dark in enumerate([*bits, 0]):
            if dark and start is None:
                start = column
            elif not dark and start is not None:
                x = left + (start + _QUIET_MODULES) * module
                canvas.rect(x, y, (column - start) * module, module, stroke=0, fill=1)
                start = None


def _draw_rows(canvas: Canvas, shown: list[Row], left: float, width: float, top: float, bottom: float) -> None:
    """Captions and values, the height shared out among them so that the last one ends above `bottom`."""
    # A caption takes 0.95 of the common size, a line of a value 1.25 of its own, and 0.3 separates two rows.
    units = sum(0.95 + 1.25 * row.scale * row.lines + 0.3 for row in shown) - 0.3
    size = (top - bottom) / units
    y = top
    for row in shown:
        y -= size * 0.75
        canvas.setFillGray(0.25)
        _, caption = fit(row.caption, _PLAIN, size * 0.7, width, 1)
        canvas.setFont(_PLAIN, size * 0.7)
        canvas.drawString(left, y, caption[0])
        y -= size * 0.2
        canvas.setFillGray(0)
        value_size, lines = fit(row.value, _BOLD, size * row.scale, width, row.lines)
        canvas.setFont(_BOLD, value_size)
        for at in range(row.lines):
            y -= size * row.scale
            if at < len(lines):
                canvas.drawString(left, y, lines[at])
            y -= size * row.scale * 0.25
        y -= size * 0.3
