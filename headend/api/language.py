"""French or English, by the reader's own wish (RFC 9110 §12.5.4)."""

FRENCH = "fr"
ENGLISH = "en"
LANGUAGES = (FRENCH, ENGLISH)


def preferred(accept_language: str, otherwise: str = ENGLISH) -> str:
    """The language of ours with the highest weight; `otherwise` when the header names neither. Never raises."""
    best, best_weight = otherwise, 0
    for part in accept_language[:500].split(","):
        tag, _, parameter = part.strip().partition(";")
        language = tag.strip().lower().partition("-")[0]
        weight = _weight(parameter)
        if language in LANGUAGES and weight > best_weight:
            best, best_weight = language, weight
    return best


def _weight(parameter: str) -> int:
    """A quality value in thousandths: `q=0.8` is 800, absent is 1000, unreadable is 0."""
    name, _, value = parameter.strip().partition("=")
    if not name:
        return 1000
    whole, _, fraction = value.strip().partition(".")
    if (
        name.strip() != "q"
        or whole not in ("0", "1")
        or not (fraction == "" or (fraction.isdigit() and fraction.isascii()))
    ):
        return 0
    return min(1000, int(whole) * 1000 + int((fraction + "000")[:3]))
