"""Parts of packs as they come, mixed, doubled and damaged: what the meter puts together is a body of parts that all
name the same pack, whole and in order (SEMANTICS B4, I25). Input: records of `length | kind and plaintext`."""

from firmware.assembly import Assembly
from protocol.errors import WireRefused
from protocol.vectors import cases
from protocol.wire import parts
from protocol.wire.limits import BODY_MAX
from protocol.wire.messages import Pack


def seeds() -> list[bytes]:
    def records(*packs: Pack) -> bytes:
        texts = [parts.encode_part(pack) for pack in packs]
        return b"".join(bytes([len(text), 3]) + text for text in texts)

    return [
        records(*cases.LONG),
        records(*reversed(cases.LONG)),
        records(*cases.LONGEST),
        records(cases.LONG[0], *cases.LONGEST[:2], *cases.LONG[1:]),
        records(parts.whole_pack(7, 5, b"body")),
    ]


def one(data: bytes) -> None:
    assembly, told, at = Assembly(), {}, 0
    while at < len(data):
        kind, text = data[at + 1 : at + 2], data[at + 2 : at + 2 + data[at]]
        at += 2 + data[at]
        try:
            part = parts.decode_part(text)
        except WireRefused:
            continue
        assert parts.encode_part(part) == text
        told.setdefault((kind, part[:2], part.count, part.hash4), {}).setdefault(part.index, set()).add(part.chunk)
        whole = part if part.count == 1 else assembly.add(kind, part)
        if whole is not None:
            _check(whole, told[kind, whole[:2], part.count, whole.hash4], part.count)
    assert len(assembly.begun) <= 256


def _check(whole: Pack, heard: dict[int, set[bytes]], count: int) -> None:
    """Chunk by chunk it is what was heard under these names."""
    assert (whole.index, whole.count) == (0, 1) and len(whole.chunk) <= BODY_MAX
    assert sorted(heard) == list(range(count))
    left = whole.chunk
    for index in range(count):
        lengths = {len(chunk) for chunk in heard[index] if left.startswith(chunk)}
        assert lengths, "a chunk that nobody sent"
        left = left[max(lengths) :]
