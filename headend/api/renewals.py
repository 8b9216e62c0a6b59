"""Other keys for a meter: the next key epoch over the air, or a new wallet generation with a new root by cable."""

from headend.api.endpoint import PROVISION, Endpoint
from headend.api.meters import MeterPath
from headend.api.new_meters import AddedMeter, added
from headend.api.shapes import Litres, Request, Response
from headend.meters.keyring import Keyring
from headend.meters.rekey import ask_rekey
from headend.meters.renewal import renew_meter
from headend.storage.writer import Tx


class MeterToRenew(Request):
    """`index_l`: litres on the register now; without it, what the meter reported last."""

    index_l: Litres | None = None


class KeysToChange(Request):
    """Nothing more is to be said: an empty object."""


class AskedEpoch(Response):
    """The key epoch that the meter is asked to change to."""

    meter_id: str
    next_epoch: int


def renew(tx: Tx, keyring: Keyring, path: MeterPath, body: MeterToRenew) -> AddedMeter:
    """Close the meter's wallet and open the next one with its balance, under a new root key, for a meter that lost its
    state or whose root leaked. The answer is what it is provisioned with; a quarantine ends."""
    return added(renew_meter(tx, keyring, bytes.fromhex(path.meter_id), body.index_l))


def change_keys(tx: Tx, path: MeterPath, body: KeysToChange) -> AskedEpoch:
    """Have a meter change to the next key epoch (SEMANTICS D4). It makes no leaked root good: renew the meter then."""
    return AskedEpoch(path.meter_id, ask_rekey(tx, bytes.fromhex(path.meter_id)))


ENDPOINTS = (
    Endpoint(
        "POST",
        "/v1/meters/{meter_id}/renewals",
        renew,
        "Renew a meter",
        "Meters",
        PROVISION,
        writes=True,
        status=201,
        refusals=("meter_unknown", "meter_retired", "meter_spare", "index_behind"),
    ),
    Endpoint(
        "POST",
        "/v1/meters/{meter_id}/rekey",
        change_keys,
        "Change a meter's keys",
        "Meters",
        PROVISION,
        writes=True,
        status=201,
        refusals=("meter_unknown", "meter_retired", "meter_spare", "rekey_under_way"),
    ),
)
