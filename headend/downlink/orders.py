"""COMMAND until its RESULT, REKEY until the first uplink under the new keys (SEMANTICS D1, D4)."""

from headend.downlink.reply import Message
from headend.ingest.meter_link import MeterLink
from headend.meters.commands import wanted_command
from headend.storage.writer import Tx
from protocol.wire.downlinks import encode_down
from protocol.wire.messages import Command, Rekey


def command_messages(tx: Tx, link: MeterLink) -> list[Message]:
    """The oldest command that is wanted: one at a time, because a meter does none below the last it did."""
    wanted = wanted_command(tx, link.meter_id)
    if wanted is None:
        return []
    fields = (wanted.number, wanted.expires_unix_s, wanted.code, wanted.argument, wanted.cap)
    return [encode_down(Command(*fields))]


def rekey_messages(link: MeterLink) -> list[Message]:
    """The epoch to change to, sealed under the keys that are in use."""
    return [] if link.next_epoch is None else [encode_down(Rekey(link.next_epoch))]
