"""Terms of grants: what is accepted encodes back to the same bytes and stays within 72 hours and a hundred sessions."""

from protocol.errors import WireRefused
from protocol.wire import grants
from protocol.wire.console_codes import READER, RETIRER
from protocol.wire.grants import Grant

METER_ID = bytes.fromhex("6775656c74610001")


def seeds() -> list[bytes]:
    made = (
        Grant(METER_ID, 1, 1, READER, 1, 0, 1),
        Grant(METER_ID, 1, 2**32 - 1, RETIRER, 100, 1_798_761_600, 1_798_761_600 + grants.GRANT_S_MAX),
    )
    return [grants.encode_terms(one) for one in made]


def one(data: bytes) -> None:
    try:
        grant = grants.decode_terms(data, METER_ID, 1)
    except WireRefused:
        return
    assert grants.encode_terms(grant) == data
    assert READER <= grant.role <= RETIRER and 1 <= grant.uses <= grants.USES_MAX and grant.number
    assert 0 < grant.until_s - grant.from_s <= grants.GRANT_S_MAX
