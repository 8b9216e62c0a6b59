"""Every refusal of the protocol: one table of stable numbers, names and remedies (docs/SPEC.md, "Refusals").

A number is never given a second meaning and never removed. 1–99 belong to the wire, 100–199 to the rules.
"""

from protocol.compat import const

FRAME_LENGTH = const(1)
FRAME_VERSION = const(2)
TYPE_RESERVED = const(3)
KIND_UNKNOWN = const(4)
COUNTER_RANGE = const(5)
KEY_LENGTH = const(6)
CBOR_TRUNCATED = const(10)
CBOR_TRAILING = const(11)
CBOR_NOT_SHORTEST = const(12)
CBOR_INDEFINITE = const(13)
CBOR_UNSUPPORTED = const(14)
CBOR_DUPLICATE_KEY = const(15)
CBOR_KEY_ORDER = const(16)
CBOR_DEPTH = const(17)
CBOR_SIZE = const(18)
CBOR_ITEMS = const(19)
CBOR_TEXT = const(20)
FIELD_COUNT = const(30)
FIELD_TYPE = const(31)
FIELD_RANGE = const(32)
FIELD_LENGTH = const(33)
PACK_FRAGMENT = const(34)
PACK_HASH = const(35)
LOG_TRUNCATED = const(40)
LOG_NOT_CANONICAL = const(41)
LOG_RANGE = const(42)
RULE_NOT_INTEGER = const(100)
RULE_OUT_OF_RANGE = const(101)
RULE_TRUNCATED = const(102)
RULE_NOT_CANONICAL = const(103)
RULE_UNKNOWN_FORMAT = const(104)
RULE_UNKNOWN_FLAGS = const(105)
RULE_TOO_MANY = const(106)
RULE_NOT_ASCENDING = const(107)
RULE_OPEN_END = const(108)
RULE_TOO_LONG = const(109)
RULE_COUNTER_FULL = const(110)
RULE_UNBOUNDED = const(111)
RULE_CLOCK_CLOSES = const(112)

# code: (name, remedy)
TABLE = {
    FRAME_LENGTH: ("frame-length", "send 11 bytes or more, and no more than the direction allows"),
    FRAME_VERSION: ("frame-version", "send wire version 1"),
    TYPE_RESERVED: ("type-reserved", "send a message type that is in use"),
    KIND_UNKNOWN: ("kind-unknown", "send an extended kind that is in use"),
    COUNTER_RANGE: ("counter-range", "keep the frame counter within 32 bits; then change the key epoch"),
    KEY_LENGTH: ("key-length", "give a root of 16 bytes and a meter id of 8"),
    CBOR_TRUNCATED: ("cbor-truncated", "send the whole item"),
    CBOR_TRAILING: ("cbor-trailing", "send nothing after the last item"),
    CBOR_NOT_SHORTEST: ("cbor-not-shortest", "encode every head in its shortest form"),
    CBOR_INDEFINITE: ("cbor-indefinite", "send definite lengths only"),
    CBOR_UNSUPPORTED: ("cbor-unsupported", "send no floats, tags, or simple values but false, true and null"),
    CBOR_DUPLICATE_KEY: ("cbor-duplicate-key", "send every map key once"),
    CBOR_KEY_ORDER: ("cbor-key-order", "sort map keys by their encoded bytes"),
    CBOR_DEPTH: ("cbor-depth", "nest less deeply"),
    CBOR_SIZE: ("cbor-size", "send fewer bytes"),
    CBOR_ITEMS: ("cbor-items", "send fewer items"),
    CBOR_TEXT: ("cbor-text", "send text as valid UTF-8"),
    FIELD_COUNT: ("field-count", "send exactly the fields of the message"),
    FIELD_TYPE: ("field-type", "send the field in the type of the message table"),
    FIELD_RANGE: ("field-range", "keep the field within its limits"),
    FIELD_LENGTH: ("field-length", "send the field in its exact length"),
    PACK_FRAGMENT: ("pack-fragment", "send the pack whole, in one frame"),
    PACK_HASH: ("pack-hash", "send the first 4 bytes of the body's SHA-256"),
    LOG_TRUNCATED: ("log-truncated", "send every slot of the log"),
    LOG_NOT_CANONICAL: ("log-not-canonical", "encode the log in the one way the specification gives"),
    LOG_RANGE: ("log-range", "send 1 to 255 slots of 0 to 65535 litres each"),
    RULE_NOT_INTEGER: ("rule-not-integer", "give whole numbers; prices in 10^-scale mill, volumes in litres"),
    RULE_OUT_OF_RANGE: ("rule-out-of-range", "keep the field within the limit of the rules document"),
    RULE_TRUNCATED: ("rule-truncated", "send the whole body"),
    RULE_NOT_CANONICAL: ("rule-not-canonical", "encode the body in the one way the rules document gives"),
    RULE_UNKNOWN_FORMAT: ("rule-unknown-format", "send body format 1, or update the meter first"),
    RULE_UNKNOWN_FLAGS: ("rule-unknown-flags", "set only flags this firmware knows, or update the meter first"),
    RULE_TOO_MANY: ("rule-too-many", "use fewer entries"),
    RULE_NOT_ASCENDING: ("rule-not-ascending", "sort the entries upwards, each different from the one before"),
    RULE_OPEN_END: ("rule-open-end", "end with exactly one block without an upper edge"),
    RULE_TOO_LONG: ("rule-too-long", "use fewer blocks, windows or clock changes, so that the pack fits one frame"),
    RULE_COUNTER_FULL: ("rule-counter-full", "open a new wallet generation before a counter reaches 2^53"),
    RULE_UNBOUNDED: ("rule-unbounded", "give friendly hours both an end slot and a litre cap"),
    RULE_CLOCK_CLOSES: ("rule-clock-closes", "let the limit under an unsure clock be at least the emergency limit"),
}


class Refused(Exception):
    """Input from outside that is refused and changes nothing: `code` and `name` are stable, `field` says where."""

    def __init__(self, code: int, field: str) -> None:
        super().__init__(code, field)
        self.code = code
        self.name = TABLE[code][0]
        self.field = field

    def __str__(self) -> str:
        """Code, name, field and remedy in one line for a person."""
        return "{} {}: {}: {}".format(self.code, self.name, self.field, TABLE[self.code][1])


class WireRefused(Refused):
    """Bytes that are no frame or message of this specification."""


class RuleRefused(Refused):
    """A pack, plan or policy outside the limits of the rules."""
