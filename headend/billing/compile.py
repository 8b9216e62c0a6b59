"""Compile a printed tariff into the pack a meter holds and the split of every price per role.

A utility prints minor units per m³, a sewer share, a minimum, standing charges and taxes apart. A meter wants one price
per block with everything inside (SEMANTICS B3), and the books want to know which part of each price is water, sewer,
fixed, levy or tax. Both come from here, once, at publication: exact fractions in, integers at one scale out, and the
parts of every price sum to the price. One minor unit per m³ is one mill per litre, digit for digit.

Refuses (RuleRefused, naming the field) floats, negative amounts, taxes on roles that do not exist, and whatever the
pack itself refuses. docs/TARIFFS.md works Niger, Kiambu and Mogale through.
"""

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

from protocol.errors import RULE_NOT_INTEGER, RULE_OUT_OF_RANGE, RuleRefused
from protocol.rules.calendar import Offsets
from protocol.rules.pack_body import require_int
from protocol.rules.rating import MINIMUM, STANDING_DAY, STANDING_MONTH, WATER, Line
from protocol.rules.tariff import HOUSEHOLDS_MAX, SCALE_MAX, Tariff, check

# Whole numbers, or texts such as "412.34" and "127/3"; never floats.
Amount = int | str | Fraction

# No exponent: "1e999999999" would be a number of a billion digits.
_PLAIN_NUMBER = re.compile(r"-?[0-9]{1,18}(?:\.[0-9]{1,9}|/[0-9]{1,9})?(?![\s\S])")

TAXABLE_ROLES = frozenset({"water", "sewer", "fixed", "levy"})
MILLS_PER_MINOR = 1000
PER_CENT = Fraction(1, 100)


class Roles(NamedTuple):
    """One price or amount, by the role of its parts (SEMANTICS F2); the same order as the ledger's columns."""

    water: int
    sewer: int
    fixed: int
    levy: int
    tax1: int
    tax2: int


@dataclass(frozen=True)
class PrintedBlock:
    """Upper edge in litres of one household (0: open end) and the water price in minor units per m³."""

    upto_l: int
    water_per_m3: Amount


@dataclass(frozen=True)
class Tax:
    """A percentage on the roles it is levied on: 10 % on sewer only is Tax("10", frozenset({"sewer"}))."""

    percent: Amount
    roles: frozenset[str]


@dataclass(frozen=True)
class PrintedTariff:
    """A tariff as a utility prints it, without taxes; amounts in minor units, prices per m³.

    `minimum` is the month's water charge for the first block, per household; `sewer_percent` is a share of every water
    charge, the minimum included, `sewer_per_m3` and `levy_per_m3` are owed on every m³; `standing_*` per connection.
    """

    blocks: tuple[PrintedBlock, ...]
    offsets: Offsets
    households: int = 1
    minimum: Amount = 0
    sewer_percent: Amount = 0
    sewer_per_m3: Amount = 0
    levy_per_m3: Amount = 0
    standing_day: Amount = 0
    standing_month: Amount = 0
    tax1: Tax | None = None
    tax2: Tax | None = None


@dataclass(frozen=True)
class Split:
    """For each price of a pack its parts at the pack's scale; each `Roles` sums to that price."""

    scale: int
    blocks: tuple[Roles, ...]
    minimum: Roles
    standing_day: Roles
    standing_month: Roles


@dataclass(frozen=True)
class CompiledTariff:
    """The pack, its split, and whether every printed price survived without rounding at 10^-4 mill."""

    tariff: Tariff
    split: Split
    is_exact: bool


def compile_tariff(printed: PrintedTariff, version: int, from_slot: int) -> CompiledTariff:
    """The coarsest scale that holds every part exactly; at scale 4 what is finer is rounded half up, once.

    Kiambu, 65 KSh per m³ and sewer 75 %: 6,500 + 4,875 = 11,375 mills per litre at scale 0.
    """
    require_int(printed.households, 1, HOUSEHOLDS_MAX, "households")
    exact = [_block_parts(printed, block) for block in printed.blocks] + _charge_parts(printed)
    scale = next((s for s in range(SCALE_MAX) if _fits(exact, s)), SCALE_MAX)
    lines = [_to_scale(parts, scale) for parts in exact]
    blocks, (minimum, standing_day, standing_month) = tuple(lines[:-3]), lines[-3:]
    tariff = Tariff(
        version=version,
        from_slot=from_slot,
        scale=scale,
        offsets=printed.offsets,
        households=printed.households,
        minimum=sum(minimum),
        blocks=tuple((block.upto_l, sum(roles)) for block, roles in zip(printed.blocks, blocks, strict=True)),
        standing_day=sum(standing_day),
        standing_month=sum(standing_month),
    )
    split = Split(scale, blocks, minimum, standing_day, standing_month)
    return CompiledTariff(check(tariff), split, _fits(exact, scale))


def roles_of_line(split: Split, line: Line) -> Roles:
    """The parts of one line of rating.charge_lines at scale 4; they sum to its amount."""
    roles = {
        STANDING_DAY: split.standing_day,
        STANDING_MONTH: split.standing_month,
        MINIMUM: split.minimum,
    }.get(line.kind)
    if line.kind == WATER:
        roles = split.blocks[line.block]
    assert roles is not None, "a line of a kind this split does not know"
    times = line.quantity * 10 ** (SCALE_MAX - split.scale)
    return Roles(*(part * times for part in roles))


def _block_parts(printed: PrintedTariff, block: PrintedBlock) -> tuple[Fraction, ...]:
    """Mills per litre of one block, by role."""
    water = _exact(block.water_per_m3, "water_per_m3")
    sewer = _sewer(printed, water) + _exact(printed.sewer_per_m3, "sewer_per_m3")
    return _with_taxes(printed, water, sewer, Fraction(0), _exact(printed.levy_per_m3, "levy_per_m3"))


def _charge_parts(printed: PrintedTariff) -> list[tuple[Fraction, ...]]:
    """Mills of the minimum (of all households on the tap) and of the standing charges, by role."""
    minimum = _exact(printed.minimum, "minimum") * MILLS_PER_MINOR * printed.households
    day = _exact(printed.standing_day, "standing_day") * MILLS_PER_MINOR
    month = _exact(printed.standing_month, "standing_month") * MILLS_PER_MINOR
    nothing = Fraction(0)
    return [
        _with_taxes(printed, minimum, _sewer(printed, minimum), nothing, nothing),
        _with_taxes(printed, nothing, nothing, day, nothing),
        _with_taxes(printed, nothing, nothing, month, nothing),
    ]


def _sewer(printed: PrintedTariff, water: Fraction) -> Fraction:
    return water * _exact(printed.sewer_percent, "sewer_percent") * PER_CENT


def _with_taxes(
    printed: PrintedTariff, water: Fraction, sewer: Fraction, fixed: Fraction, levy: Fraction
) -> tuple[Fraction, ...]:
    bases = {"water": water, "sewer": sewer, "fixed": fixed, "levy": levy}
    taxes = [_tax(tax, bases, field) for tax, field in ((printed.tax1, "tax1"), (printed.tax2, "tax2"))]
    return (water, sewer, fixed, levy, *taxes)


def _tax(tax: Tax | None, bases: dict[str, Fraction], field: str) -> Fraction:
    if tax is None:
        return Fraction(0)
    percent = _exact(tax.percent, field)
    if percent > 100 or not tax.roles <= TAXABLE_ROLES:
        raise RuleRefused(RULE_OUT_OF_RANGE, field)
    return sum((bases[role] for role in tax.roles), Fraction(0)) * percent * PER_CENT


def _exact(amount: Amount, field: str) -> Fraction:
    if isinstance(amount, bool) or not isinstance(amount, int | str | Fraction):
        raise RuleRefused(RULE_NOT_INTEGER, field)
    if isinstance(amount, str) and not _PLAIN_NUMBER.match(amount):
        raise RuleRefused(RULE_NOT_INTEGER, field)
    try:
        exact = Fraction(amount)
    except ZeroDivisionError as error:
        raise RuleRefused(RULE_NOT_INTEGER, field) from error
    if exact < 0:
        raise RuleRefused(RULE_OUT_OF_RANGE, field)
    return exact


def _fits(lines: list[tuple[Fraction, ...]], scale: int) -> bool:
    return all((part * 10**scale).denominator == 1 for parts in lines for part in parts)


def _to_scale(parts: tuple[Fraction, ...], scale: int) -> Roles:
    """Integers at a scale: the price rounded half up, its parts by largest remainder so that they sum to it."""
    scaled = [part * 10**scale for part in parts]
    price = (sum(scaled, Fraction(0)) + Fraction(1, 2)).__floor__()
    whole = [part.__floor__() for part in scaled]
    by_remainder = sorted(range(len(scaled)), key=lambda index: (whole[index] - scaled[index], index))
    for index in by_remainder[: price - sum(whole)]:
        whole[index] += 1
    return Roles(*whole)
