"""A control: a parser that never comes to an end for one input. The bound on time must find it (I25)."""


def seeds() -> list[bytes]:
    return [b"\x02ab\x01c"]


def one(data: bytes) -> None:
    at = 0
    while at < len(data):
        length = data[at]
        if length == 0xFE and data[at + 1 : at + 2] == b"\x00":
            length = -1  # the planted fault: nothing is ever consumed
        at += 1 + length
