"""A control: a parser of records `7 | length | text` in which one value in one place ends in an exception that is no
refusal. The driver must find it."""


class Refused(Exception):
    """What this parser is meant to raise."""


def seeds() -> list[bytes]:
    return [b"\x07\x03abc\x07\x02de"]


def parse(data: bytes) -> list[bytes]:
    """The texts of the records."""
    found, at = [], 0
    while at < len(data):
        if data[at] != 7 or at + 1 >= len(data) or at + 2 + data[at + 1] > len(data):
            raise Refused
        text = data[at + 2 : at + 2 + data[at + 1]]
        if found and len(text) > 1 and text[0] == 0xF3:
            raise IndexError("the planted fault")
        found.append(text)
        at += 2 + data[at + 1]
    return found


def one(data: bytes) -> None:
    try:
        parse(data)
    except Refused:
        pass
