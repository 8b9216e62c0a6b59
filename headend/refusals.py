"""What the headend refuses from people and programs: one table of stable numbers, names and remedies.

A number is never given a second meaning and never removed. 1–199 belong to the protocol, 200–299 to ingest,
300–399 to commands on meters, tariffs and money. The outside turns a refusal into a problem document.
"""

from enum import IntEnum


class Code(IntEnum):
    """Why a command was refused; nothing was changed."""

    METER_ID = 300
    METER_EXISTS = 301
    METER_UNKNOWN = 302
    LITRES_PER_PULSE = 303
    FIRST_INDEX = 304
    START_SLOT = 305
    HOUSEHOLDS = 306
    LANGUAGE = 307
    NAME = 308
    TARIFF_UNKNOWN = 310
    TARIFF_PRINTED = 311
    TARIFF_LATE = 312
    TARIFF_EXISTS = 313
    PLAN = 314
    POLICY = 315
    TARIFF_NOTICE = 316
    PLAN_OVER = 317
    AMOUNT = 320
    CURRENCY = 321
    CUSTOMER_NUMBER = 322
    PAYMENT_UNKNOWN = 323
    PAYMENT_NOT_IN_SUSPENSE = 324
    PAYMENT_NOT_REVERSIBLE = 325
    PROVIDER = 326
    DEV_EUI = 330
    RADIO_TAKEN = 331
    COMMAND = 340
    COMMAND_EXPIRY = 341
    COMMANDS_WAITING = 342
    REKEY_UNDER_WAY = 343
    INDEX_BEHIND = 344
    SLOTS_ASKED = 345
    METER_RETIRED = 346
    METER_SPARE = 347
    NOT_THE_SPARE = 348


REMEDIES = {
    Code.METER_ID: "give 16 hexadecimal digits",
    Code.METER_EXISTS: "choose another meter id, or edit the meter that is there",
    Code.METER_UNKNOWN: "add the meter first",
    Code.LITRES_PER_PULSE: "give 1, 10 or 100 litres",
    Code.FIRST_INDEX: "give the litres on the register, 0 to 2^40 - 1",
    Code.START_SLOT: "give a slot number, 0 to 2^24 - 1",
    Code.HOUSEHOLDS: "give 1 to 255 households",
    Code.LANGUAGE: "give fr or en",
    Code.NAME: "give 1 to 200 printable characters",
    Code.TARIFF_UNKNOWN: "publish a tariff of that code that is valid at that slot",
    Code.TARIFF_PRINTED: "correct the published prices",
    Code.TARIFF_LATE: "give waive, debt or debit",
    Code.TARIFF_EXISTS: "use another idempotency key for another tariff",
    Code.PLAN: "give a ceiling and a daily instalment within the limits of docs/TARIFFS.md",
    Code.POLICY: "keep it within its limit; each relaxation needs an end and a cap in litres, and its other fields "
    "with it (docs/TARIFFS.md)",
    Code.PLAN_OVER: "this meter has no debt plan that still collects; make one first",
    Code.TARIFF_NOTICE: "give 0 to 366 days of notice",
    Code.AMOUNT: "give a whole positive number of minor units, at most 9,007,199,254,740",
    Code.CURRENCY: "pay in the currency of the utility",
    Code.CUSTOMER_NUMBER: "type the 8 digits on the customer's card",
    Code.PAYMENT_UNKNOWN: "name a payment that was received",
    Code.PAYMENT_NOT_IN_SUSPENSE: "the payment is credited already",
    Code.PAYMENT_NOT_REVERSIBLE: "the payment is in suspense or reversed already",
    Code.PROVIDER: "give the provider's name and transaction number, 1 to 200 printable characters each",
    Code.DEV_EUI: "give the 16 hexadecimal digits on the radio's label",
    Code.RADIO_TAKEN: "this radio belongs to another meter; give that one another radio first",
    Code.COMMAND: "open takes hold_s up to 86,400 and limit_l; close takes hold_s; report-period takes report_slots: "
    "1, 2, 3, 4, 6, 8, 12, 16, 24 or 48; release and tell take nothing",
    Code.COMMAND_EXPIRY: "give an instant after now and at most 30 days ahead",
    Code.COMMANDS_WAITING: "wait until the meter has answered, or until the waiting commands expire",
    Code.REKEY_UNDER_WAY: "wait for the first uplink under the keys that were asked for",
    Code.INDEX_BEHIND: "read the register again: it shows less than the meter has reported",
    Code.SLOTS_ASKED: "name 1 to 1,020 half-hours that are over",
    Code.METER_RETIRED: "this meter was taken away and its id never lives again; name the meter that is there now",
    Code.METER_SPARE: "this meter is a spare and nobody's yet; swap it in first",
    Code.NOT_THE_SPARE: "prepare the new meter as the spare of the one that it replaces, and swap it in for that one",
}


class Refused(Exception):
    """A command that is refused and changed nothing: `code` is stable, `field` says where, `remedy` what to do."""

    def __init__(self, code: Code, field: str, detail: str = "") -> None:
        super().__init__(code, field, detail)
        self.code = code
        self.name = code.name.lower().replace("_", "-")
        self.field = field
        self.detail = detail
        self.remedy = REMEDIES[code]

    def __str__(self) -> str:
        return f"{int(self.code)} {self.name}: {self.field}: {': '.join(filter(None, (self.detail, self.remedy)))}"
