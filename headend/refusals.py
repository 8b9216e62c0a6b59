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
    JOB_UNKNOWN = 350
    JOB_FIELDS = 351
    TECHNICIAN_UNKNOWN = 352
    METER_HAS_JOB = 353
    METER_HEARD = 354
    JOB_EXPIRED = 355
    JOB_OVER = 357
    JOB_LOCKED = 358
    TOKEN_WRONG = 359
    TOKEN_USED = 360
    IDENTITY_SPENT = 361
    TOOL_KEY = 362
    TOOL_TAKEN = 363
    TOOL_UNKNOWN = 364
    RECORD_SIGNATURE = 365
    RECORD_OTHER_JOB = 366
    RECORD_EXISTS = 367
    JOB_NOT_CLAIMED = 368
    ATTESTATION = 369
    RECORD_STEPS = 371
    SEAL_RANGE = 372
    SEAL_EXISTS = 373
    SERVICE_AREA = 374
    CASE_UNKNOWN = 375
    CASE_CLOSED = 376
    CASE_NOT_ON_SITE = 377
    RELEASE_KEY_UNSET = 380
    RELEASE_FILE = 381
    RELEASE_TOO_LARGE = 382
    RELEASE_DAMAGED = 383
    RELEASE_SIGNATURE = 384
    RELEASE_EXISTS = 385
    RELEASE_UNKNOWN = 386
    RELEASE_HARDWARE = 387
    UPDATE_NOT_NEWER = 388
    UPDATE_STEP = 389
    UPDATE_UNKNOWN = 390
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
    Code.JOB_UNKNOWN: "name one of your own jobs",
    Code.JOB_FIELDS: "install takes meter, or the meter_id of one that never spoke; swap meter_id, new_meter_id, "
    "litres_per_pulse and first_index_l; retire meter_id; visit meter_id and role",
    Code.TECHNICIAN_UNKNOWN: "name a key that is in use and has the scope field",
    Code.METER_HAS_JOB: "this meter has a job under way; cancel it first, or let it be recorded",
    Code.METER_HEARD: "this meter speaks already; visit, renew or swap it",
    Code.JOB_EXPIRED: "ask the office for a new job",
    Code.JOB_OVER: "this job is cancelled or recorded; ask the office for a new one",
    Code.JOB_LOCKED: "ten wrong tokens locked this job; ask the office for a new one",
    Code.TOKEN_WRONG: "type the token as the office gave it; ten wrong ones lock the job",
    Code.TOKEN_USED: "another tool has claimed this job with its token; ask the office to cancel it and make a new one",
    Code.IDENTITY_SPENT: "the meter of this job speaks already, so its key is not given again; ask for a visit",
    Code.TOOL_KEY: "give the 32 bytes of an Ed25519 public key",
    Code.TOOL_TAKEN: "another technician enrolled this key; make a new one in the tool",
    Code.TOOL_UNKNOWN: "enrol this tool with your own key first",
    Code.RECORD_SIGNATURE: "sign the canonical record with the key of that fingerprint",
    Code.RECORD_OTHER_JOB: "send the record of this job, as it was claimed",
    Code.RECORD_EXISTS: "another record of this job was taken; ask the office for a visit",
    Code.JOB_NOT_CLAIMED: "claim the job with its token before its record is sent",
    Code.ATTESTATION: "have the meters of this job attest the record with its own hash",
    Code.RECORD_STEPS: "name each step once",
    Code.SEAL_RANGE: "give first and last with the same number of digits, at most 10,000 seals",
    Code.SEAL_EXISTS: "one of these numbers was imported before; give the new ones only",
    Code.SERVICE_AREA: "give 3 to 500 corners that do not all lie on one line",
    Code.CASE_UNKNOWN: "name a case; GET /v1/cases lists them",
    Code.CASE_CLOSED: "this case is closed already",
    Code.CASE_NOT_ON_SITE: "only work on site is closed by hand; the books close their own cases",
    Code.RELEASE_KEY_UNSET: "put the public key of your releases (KEY.pub) into the setting release_key, then restart",
    Code.RELEASE_FILE: "send the file that 'guelta firmware release' wrote, whole and as it is",
    Code.RELEASE_TOO_LARGE: "build an image of at most 520,192 bytes: a meter's slot holds no more",
    Code.RELEASE_DAMAGED: "copy the file again: its image is not the one that its manifest tells of",
    Code.RELEASE_SIGNATURE: "sign it with the private key that belongs to the setting release_key",
    Code.RELEASE_EXISTS: "give another image another version: this one was taken with other bytes",
    Code.RELEASE_UNKNOWN: "add the release first; GET /v1/releases lists those that are there",
    Code.RELEASE_HARDWARE: "name the meter's hardware: there is a release of this version for each of these",
    Code.UPDATE_NOT_NEWER: "name a later version: the meter runs this one already, and meters never go back",
    Code.UPDATE_STEP: "install a version between first: this one may not follow what the meter runs",
    Code.UPDATE_UNKNOWN: "nothing is under way for this meter; POST its update first",
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


class Counted(Refused):
    """A refusal that is itself remembered: what was written before it is kept, so that guessing can be counted."""
