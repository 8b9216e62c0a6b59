"""Every refusal of the protocol by its stable number (docs/SPEC.md, "Refusals"); names and remedies: refusal_texts.py.

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
RANGE_ORDER = const(36)
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
RULE_COUNTER_FULL = const(110)
RULE_UNBOUNDED = const(111)
RULE_CLOCK_CLOSES = const(112)


class Refused(Exception):
    """Input from outside that is refused and changes nothing: `code` and `name` are stable, `field` says where."""

    def __init__(self, code: int, field: str) -> None:
        super().__init__(code, field)
        self.code = code
        self.field = field

    @property
    def name(self) -> str:
        """The stable name. The table of texts is loaded when a person asks: a meter's 64 KB never hold it."""
        from protocol.refusal_texts import TABLE

        return TABLE[self.code][0]

    def __str__(self) -> str:
        """Code, name, field and remedy in one line for a person."""
        from protocol.refusal_texts import TABLE

        return "{} {}: {}: {}".format(self.code, self.name, self.field, TABLE[self.code][1])


class WireRefused(Refused):
    """Bytes that are no frame or message of this specification."""


class RuleRefused(Refused):
    """A pack, plan or policy outside the limits of the rules."""
