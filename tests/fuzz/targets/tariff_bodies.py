"""Bodies of TARIFF packs: one meaning has one body; what is accepted is within the limits and prices a litre (I25)."""

from protocol.errors import RuleRefused
from protocol.rules import tariff
from protocol.rules.calendar import UTC, Offsets
from protocol.rules.rating import MILL, NEW, rate_slot
from protocol.rules.tariff import Tariff

DAKAR = ((10_000, 127), (40_000, 279), (0, 448))


def seeds() -> list[bytes]:
    made = (
        Tariff(1, 0, 0, UTC, 1, 0, ((0, 500),), 0, 0),
        Tariff(2, 48, 1, Offsets(60, ()), 1, 0, DAKAR, 0, 0),
        Tariff(3, 48, 4, Offsets(60, ((120_000, 120), (128_000, 60))), 6, 2_500_000, DAKAR, 12_500, 500_000),
    )
    return [bytes(4) + tariff.encode_body(one) for one in made]


def one(data: bytes) -> None:
    version, from_slot, body = 1 + sum(data[:1]), int.from_bytes(data[1:4], "big"), data[4:]
    try:
        found = tariff.decode_body(version, from_slot, body)
    except RuleRefused:
        return
    assert (found.version, found.from_slot) == (version, from_slot)
    assert tariff.check(found) is found and tariff.encode_body(found) == body
    before = NEW
    for slot, litres in ((from_slot, 3), (from_slot + 1, 0), (from_slot + 1_500, 65_535)):
        after = rate_slot(before, found, slot, litres, True)
        assert after.spent_mills >= before.spent_mills and 0 <= after.remainder < MILL
        before = after
