"""The tariff pack: what a meter needs to price a litre, compiled and with all taxes inside.

Owns the record, its limits and its compact body. Refuses, by a code and the name of the field, every pack outside the
limits, every body with unknown flags or a newer format, and every body that is not the one canonical encoding.
Specified in docs/TARIFFS.md; the body's bytes stand there too.
"""

from collections import namedtuple

from protocol.errors import (
    RULE_NOT_ASCENDING,
    RULE_OPEN_END,
    RULE_OUT_OF_RANGE,
    RULE_TOO_MANY,
    RULE_UNKNOWN_FLAGS,
    RULE_UNKNOWN_FORMAT,
    RuleRefused,
)
from protocol.rules.calendar import Offsets
from protocol.rules.pack_body import (
    BodyReader,
    common_unit,
    require_canonical,
    require_head,
    require_int,
    unzigzag,
    varint,
    zigzag,
)
from protocol.wire.limits import SLOT_MAX

# All money in 10^-scale mill; blocks ((upto_l, price), ...) by litres of one household, the last one open (upto_l 0).
# `minimum` is charged in full at the month's first slot and covers the first block, whose price then is usually 0.
# `households` multiplies the widths of all blocks (several homes on one tap), nothing else.
Tariff = namedtuple(
    "Tariff",
    (
        "version",
        "from_slot",
        "scale",
        "offsets",
        "households",
        "minimum",
        "blocks",
        "standing_day",
        "standing_month",
    ),
)

SCALE_MAX = 4
HOUSEHOLDS_MAX = 255
BLOCKS_MAX = 8
BLOCK_UPTO_L_MAX = 16777215
TRANSITIONS_MAX = 16
PRICE_MILLS_MAX = 16777215  # times 10^scale; one litre at 16,777 minor units
CHARGE_MILLS_MAX = 1099511627775  # times 10^scale; a minimum or standing charge of 1.09e9 minor units
QUARTER_MIN, QUARTER_MAX = -48, 56  # UTC-12 .. UTC+14 in quarter-hours

_FORMAT = 1
_HAS_TRANSITIONS = 1
_HAS_HOUSEHOLDS = 2
_HAS_MINIMUM = 4
_HAS_STANDING_DAY = 8
_HAS_STANDING_MONTH = 16
_KNOWN_FLAGS = 31


def check(tariff: Tariff) -> Tariff:
    """The tariff itself, or RuleRefused with the field that is outside its limit."""
    require_head(tariff.version, tariff.from_slot)
    require_int(tariff.scale, 0, SCALE_MAX, "scale")
    require_int(tariff.households, 1, HOUSEHOLDS_MAX, "households")
    step = 10**tariff.scale
    for field in ("minimum", "standing_day", "standing_month"):
        require_int(getattr(tariff, field), 0, CHARGE_MILLS_MAX * step, field)
    _check_offsets(tariff.offsets)
    _check_blocks(tariff.blocks, PRICE_MILLS_MAX * step)
    return tariff


def encode_body(tariff: Tariff) -> bytes:
    """The pack's body; refuses a tariff outside its limits."""
    check(tariff)
    return _encode(tariff)


def decode_body(version: int, from_slot: int, body: bytes) -> Tariff:
    """The tariff a pack says; RuleRefused when any limit fails or the body is not canonical."""
    reader = BodyReader(body)
    format_and_scale = reader.byte("format")
    if format_and_scale >> 4 != _FORMAT:
        raise RuleRefused(RULE_UNKNOWN_FORMAT, "format")
    flags = reader.byte("flags")
    if flags & ~_KNOWN_FLAGS:
        raise RuleRefused(RULE_UNKNOWN_FLAGS, "flags")
    standard_quarters = unzigzag(reader.varint("standard_minutes"))
    transitions = _read_transitions(reader, standard_quarters) if flags & _HAS_TRANSITIONS else ()
    households = reader.varint("households") if flags & _HAS_HOUSEHOLDS else 1
    unit = reader.varint("unit")
    minimum = unit * reader.varint("minimum") if flags & _HAS_MINIMUM else 0
    standing_day = unit * reader.varint("standing_day") if flags & _HAS_STANDING_DAY else 0
    standing_month = unit * reader.varint("standing_month") if flags & _HAS_STANDING_MONTH else 0
    tariff = Tariff(
        version,
        from_slot,
        format_and_scale & 15,
        Offsets(15 * standard_quarters, transitions),
        households,
        minimum,
        _read_blocks(reader, unit),
        standing_day,
        standing_month,
    )
    check(tariff)
    require_canonical(body, _encode(tariff))
    return tariff


def _check_offsets(offsets: Offsets) -> None:
    _check_minutes(offsets.standard_minutes, "standard_minutes")
    if len(offsets.transitions) > TRANSITIONS_MAX:
        raise RuleRefused(RULE_TOO_MANY, "transitions")
    before_slot, before_minutes = -1, offsets.standard_minutes
    for from_slot, minutes in offsets.transitions:
        require_int(from_slot, 0, SLOT_MAX, "transition slot")
        _check_minutes(minutes, "transition minutes")
        if from_slot <= before_slot or minutes == before_minutes:
            raise RuleRefused(RULE_NOT_ASCENDING, "transitions")
        before_slot, before_minutes = from_slot, minutes


def _check_minutes(minutes: int, field: str) -> None:
    require_int(minutes, 15 * QUARTER_MIN, 15 * QUARTER_MAX, field)
    if minutes % 15:
        raise RuleRefused(RULE_OUT_OF_RANGE, field)


def _check_blocks(blocks: tuple[tuple[int, int], ...], price_max: int) -> None:
    if not blocks or blocks[-1][0] != 0:
        raise RuleRefused(RULE_OPEN_END, "blocks")
    if len(blocks) > BLOCKS_MAX:
        raise RuleRefused(RULE_TOO_MANY, "blocks")
    before_l = 0
    for upto_l, price in blocks[:-1]:
        require_int(upto_l, 0, BLOCK_UPTO_L_MAX, "upto_l")
        if upto_l <= before_l:
            raise RuleRefused(RULE_NOT_ASCENDING, "blocks")
        before_l = upto_l
        require_int(price, 0, price_max, "price")
    require_int(blocks[-1][1], 0, price_max, "price")


def _encode(tariff: Tariff) -> bytes:
    charges = (tariff.minimum, tariff.standing_day, tariff.standing_month)
    unit = common_unit([price for _, price in tariff.blocks] + list(charges))
    parts = [bytes([_FORMAT << 4 | tariff.scale, _flags(tariff)])]
    parts.append(varint(zigzag(tariff.offsets.standard_minutes // 15)))
    if tariff.offsets.transitions:
        parts.append(_transitions(tariff.offsets))
    if tariff.households != 1:
        parts.append(varint(tariff.households))
    parts.append(varint(unit))
    for charge in charges:
        if charge:
            parts.append(varint(charge // unit))
    before_l = 0
    for upto_l, price in tariff.blocks:
        parts.append(varint(_width_code(upto_l - before_l) if upto_l else 0) + varint(price // unit))
        before_l = upto_l
    return b"".join(parts)


def _flags(tariff: Tariff) -> int:
    flags = _HAS_TRANSITIONS if tariff.offsets.transitions else 0
    flags |= _HAS_HOUSEHOLDS if tariff.households != 1 else 0
    flags |= _HAS_MINIMUM if tariff.minimum else 0
    flags |= _HAS_STANDING_DAY if tariff.standing_day else 0
    return flags | (_HAS_STANDING_MONTH if tariff.standing_month else 0)


def _width_code(width_l: int) -> int:
    """A whole number of cubic metres is odd (10 m³ → 21), other litres are even; 0 is the open end."""
    return width_l // 1000 * 2 + 1 if width_l % 1000 == 0 else width_l * 2


def _read_blocks(reader: BodyReader, unit: int) -> tuple[tuple[int, int], ...]:
    blocks: list[tuple[int, int]] = []
    upto_l = 0
    while len(blocks) < BLOCKS_MAX:
        code = reader.varint("upto_l")
        price = unit * reader.varint("price")
        if code == 0:
            blocks.append((0, price))
            return tuple(blocks)
        upto_l += code // 2 * 1000 if code & 1 else code // 2
        blocks.append((upto_l, price))
    raise RuleRefused(RULE_TOO_MANY, "blocks")


def _transitions(offsets: Offsets) -> bytes:
    parts = [varint(len(offsets.transitions))]
    before_slot, before_minutes = 0, offsets.standard_minutes
    for from_slot, minutes in offsets.transitions:
        parts.append(varint(from_slot - before_slot) + varint(zigzag((minutes - before_minutes) // 15)))
        before_slot, before_minutes = from_slot, minutes
    return b"".join(parts)


def _read_transitions(reader: BodyReader, quarters: int) -> tuple[tuple[int, int], ...]:
    count = reader.varint("transitions")
    if count > TRANSITIONS_MAX:
        raise RuleRefused(RULE_TOO_MANY, "transitions")
    transitions: list[tuple[int, int]] = []
    slot = 0
    for _ in range(count):
        slot += reader.varint("transition slot")
        quarters += unzigzag(reader.varint("transition minutes"))
        transitions.append((slot, 15 * quarters))
    return tuple(transitions)
