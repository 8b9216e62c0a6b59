"""An explained day as a person reads it, in French or English: amounts in the currency, with the mills below it."""

from dataclasses import dataclass

from headend.billing.explain import LOST, DayLine, DayRun, ExplainedDay
from headend.wording import ENGLISH, currency_label, date, exact_money, number
from protocol.rules.calendar import Offsets, date_of_day, minute_of_day, slot_start
from protocol.rules.rating import MILL, MINIMUM, STANDING_DAY, STANDING_MONTH, WATER

ROLES = ("water", "sewer", "fixed", "levy", "tax1", "tax2")


@dataclass(frozen=True, slots=True)
class Names:
    """What a day is told with: the holder per contract and the tariff per pack, the currency, and local time."""

    meter: str
    holders: dict[int, str]
    tariffs: dict[int, str]
    currency: str
    exponent: int
    offsets: Offsets


# key: (French, English).
_TEXTS = {
    "head": ("Compteur {meter}, {day}", "Meter {meter}, {day}"),
    "nothing": ("Rien n’est encore relevé de ce jour.", "Nothing of this day is reported yet."),
    "run": ("{begins}–{ends}, {litres} L, {holder}, {tariff}", "{begins}–{ends}, {litres} L, {holder}, {tariff}"),
    "unsure": (", heure incertaine", ", clock unsure"),
    "water": ("eau, tranche {block}, du litre {first} au litre {last} du mois : {n} L à {price}",
              "water, block {block}, litre {first} to {last} of the month: {n} L at {price}"),
    "lost": ("{n} L sans détail", "{n} L without detail"),
    "day": ("abonnement du jour : {n} à {price}", "standing charge of the day: {n} at {price}"),
    "month": ("abonnement du mois : {n} à {price}", "standing charge of the month: {n} at {price}"),
    "minimum": ("minimum du mois : {n} à {price}", "minimum of the month: {n} at {price}"),
    "carried": ("report sous un millième : {before} de la veille, {after} pour la suite",
                "carried below a mill: {before} from before, {after} onwards"),
    "spent": ("consommation et abonnement", "water and standing charges"),
    "differing": ("différence relevée par le compteur", "told differently by the meter"),
    "instalment": ("remboursement de dette", "debt instalment"),
    "corrected": ("correction ultérieure ({roles})", "later correction ({roles})"),
    "wallet": ("sur le crédit", "by the credit"),
    "debt": ("en dette", "as debt"),
    "waived": ("à la charge du service", "borne by the utility"),
    "left": ("total retiré du crédit", "total taken from the credit"),
    "roles": (("eau", "assainissement", "fixe", "redevance", "taxe 1", "taxe 2"),
              ("water", "sewer", "fixed", "levy", "tax 1", "tax 2")),
}  # fmt: skip
_KINDS = {WATER: "water", STANDING_DAY: "day", STANDING_MONTH: "month", MINIMUM: "minimum", LOST: "lost"}


def told_day(day: ExplainedDay, names: Names, language: str) -> list[str]:
    """The lines of a day, the total last."""
    when = date(*date_of_day(day.day), language)
    lines = [_text("head", language).format(meter=names.meter, day=when)]
    if not day.runs:
        return [*lines, _text("nothing", language)]
    for run in day.runs:
        lines.append("  " + _run(run, names, language))
        lines += [f"    {_line(line, names, language)}" for line in run.lines if line.quantity]
    before, after = (_money(value, names, language) for value in (day.remainder_in, day.remainder_out))
    lines.append("  " + _text("carried", language).format(before=before, after=after))
    lines.append(_sum("spent", day.spent_mills, names, language))
    if day.differing_mills:
        lines.append(_sum("differing", day.differing_mills, names, language))
    if day.instalment_mills:
        lines.append(_sum("instalment", day.instalment_mills, names, language))
    if day.borne_mills or any(day.corrected_roles):
        lines.append(_correction(day, names, language))
    lines.append(_sum("left", day.left_mills, names, language))
    return lines


def _run(run: DayRun, names: Names, language: str) -> str:
    begins = _time(run.first_slot, names)
    ends = _time(run.first_slot + run.slots, names)
    text = _text("run", language).format(
        begins=begins,
        ends="24:00" if ends == "00:00" else ends,
        litres=number(run.litres, language),
        holder=names.holders[run.contract_id],
        tariff=names.tariffs[run.pack_version],
    )
    return text + ("" if run.sure else _text("unsure", language))


def _line(line: DayLine, names: Names, language: str) -> str:
    text = _text(_KINDS[line.kind], language).format(
        block=line.block + 1,
        first=number(line.from_l + 1, language),
        last=number(line.to_l, language),
        n=number(line.quantity, language),
        price=_money(line.price, names, language),
    )
    return f"{text} = {_money(line.amount, names, language)} ({_parts(line.roles, names, language)})"


def _correction(day: ExplainedDay, names: Names, language: str) -> str:
    text = _text("corrected", language).format(roles=_parts(day.corrected_roles, names, language))
    borne = [
        f"{_text(kind, language)} {_money(mills * MILL, names, language)}"
        for (kind, _), mills in day.borne_mills.items()
    ]
    return f"  {text}{_colon(language)} {'; '.join(borne) or '0'}"


def _parts(roles: list[int], names: Names, language: str) -> str:
    words = _TEXTS["roles"][language == ENGLISH]
    parts = [f"{word} {_money(amount, names, language)}" for word, amount in zip(words, roles, strict=True) if amount]
    return ", ".join(parts) or "0"


def _sum(key: str, mills: int, names: Names, language: str) -> str:
    return f"  {_text(key, language)}{_colon(language)} {_money(mills * MILL, names, language)}"


def _colon(language: str) -> str:
    return ":" if language == ENGLISH else "\u00a0:"


def _money(amount: int, names: Names, language: str) -> str:
    """An amount at scale 4 with every digit it has."""
    label = currency_label(names.currency)
    return f"{exact_money(amount, names.exponent, language, below_mill_digits=4)}\u00a0{label}"


def _time(slot: int, names: Names) -> str:
    minute = minute_of_day(slot_start(slot), names.offsets)
    return f"{minute // 60:02d}:{minute % 60:02d}"


def _text(key: str, language: str) -> str:
    return str(_TEXTS[key][language == ENGLISH])
