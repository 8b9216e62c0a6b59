"""Who the meter is: written once, at provisioning, and never changed. One CBOR array, kept as a flash record.

[format, meter_id 8, root 16, generation, pulse_ml, report_slots, installation_grace_mills, opening frame,
 [[kind, version, from_slot, body], ...]]

pulse_ml: millilitres per pulse (100, 1000, 10000, 100000). report_slots: 1 reports every half-hour, 48 once a day at an
hour and minute of the meter's own. The opening frame is the sealed OPENING (SEMANTICS A4), or empty.
"""

from collections import namedtuple

from protocol.compat import const
from protocol.errors import Refused
from protocol.wire import cbor
from protocol.wire.limits import BODY_MAX, METER_ID_LENGTH, ROOT_LENGTH, U32_MAX
from protocol.wire.messages import DOWN_PLAN, DOWN_POLICY, DOWN_TARIFF

FORMAT = const(1)
BYTES_MAX = const(900)
PACKS_MAX = const(3)
PULSE_ML = (100, 1000, 10000, 100000)
GRACE_MILLS_MAX = const(1099511627775)

Identity = namedtuple(
    "Identity",
    ("meter_id", "root", "generation", "pulse_ml", "report_slots", "installation_grace_mills", "opening", "packs"),
)


class IdentityRefused(Exception):
    """A field of an identity that is missing or outside its limits; the argument names it."""


def _require(good, field):
    if not good:
        raise IdentityRefused(field)


def _is_int(value, low, high):
    return not isinstance(value, bool) and isinstance(value, int) and low <= value <= high


def check(identity):
    """The identity itself. Raises IdentityRefused with the name of the field."""
    _require(isinstance(identity.meter_id, bytes) and len(identity.meter_id) == METER_ID_LENGTH, "meter_id")
    _require(isinstance(identity.root, bytes) and len(identity.root) == ROOT_LENGTH, "root")
    _require(_is_int(identity.generation, 0, U32_MAX), "generation")
    _require(_is_int(identity.pulse_ml, 1, 100000) and identity.pulse_ml in PULSE_ML, "pulse_ml")
    _require(_is_int(identity.report_slots, 1, 48), "report_slots")
    _require(_is_int(identity.installation_grace_mills, 0, GRACE_MILLS_MAX), "installation_grace_mills")
    _require(isinstance(identity.opening, bytes) and len(identity.opening) <= 51, "opening")
    _require(len(identity.packs) <= PACKS_MAX, "packs")
    for pack in identity.packs:
        _require(len(pack) == 4 and pack[0] in (DOWN_TARIFF, DOWN_POLICY, DOWN_PLAN), "packs")
        _require(_is_int(pack[1], 1, 65535) and _is_int(pack[2], 0, U32_MAX), "packs")
        _require(isinstance(pack[3], bytes) and 1 <= len(pack[3]) <= BODY_MAX, "packs")
    return identity


def encode(identity):
    return cbor.encode([FORMAT] + list(check(identity)))


def decode(data):
    """The identity in `data`. Raises IdentityRefused."""
    try:
        fields = cbor.decode(data, 3, 64, BYTES_MAX)
    except Refused:
        raise IdentityRefused("cbor")
    _require(isinstance(fields, list) and len(fields) == 9 and _is_int(fields[0], FORMAT, FORMAT), "format")
    _require(isinstance(fields[8], list) and all([isinstance(pack, list) for pack in fields[8]]), "packs")
    return check(Identity(*fields[1:8], tuple([tuple(pack) for pack in fields[8]])))
