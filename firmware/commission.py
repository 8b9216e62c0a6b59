"""Provisioning on the meter: the one time that flash is formatted.

The keepsake is marked before the format, so that a format that was cut is known as one. Identities are written last,
first the keepsake's and then the flash's: either one says that all else was written.
"""

from firmware import boot, boot_rules, identity, keepsake, packs, state
from firmware.meter import Meter
from protocol.wire.parts import whole_pack

REFUSED = (
    "this flash holds another meter: erase it first",
    "this meter has lost its flash, which is never formatted: put in another one and erase the keepsake too",
    "the EEPROM does not keep what is written: replace it",
)


class ProvisioningRefused(Exception):
    """This flash holds another meter, or the identity is not acceptable; the argument says which."""


def provision(board, data, format_flash):
    """Write the identity `data` on a flash that holds no meter. Raises ProvisioningRefused and then changes nothing, or
    leaves a meter that was never provisioned.

    `format_flash()` makes an empty file system and returns its Files. Doing it again with the same identity is
    harmless.
    """
    try:
        who = identity.decode(data)
    except identity.IdentityRefused as refusal:
        raise ProvisioningRefused(refusal.args[0])
    decided, present, _ = boot.look(board)
    if decided in (boot_rules.ALARM, boot_rules.SILENT):
        raise ProvisioningRefused(REFUSED[1])
    if decided != boot_rules.FACTORY:
        if present == data:
            return
        raise ProvisioningRefused(REFUSED[0])
    _keep(board.eeprom, b"")
    board.files = format_flash()
    store = boot.Store(board.files, board.eeprom)
    store.counter.create()
    fresh = state.State()
    fresh.pulses_taken, fresh.reverse_taken = board.pulses(), board.reverse_pulses() or 0
    boot.place(fresh, board.rtc())
    meter = Meter(board, who, fresh, store)
    for kind, version, from_slot, body in who.packs:
        if meter.packs.offer(kind, whole_pack(version, from_slot, body), fresh.open_slot) != packs.TAKEN:
            raise ProvisioningRefused("packs")
    if who.opening and not (meter.downlink.take(who.opening) and fresh.opened):
        raise ProvisioningRefused("opening")
    if not fresh.opened:
        meter.slots.begin(fresh.open_slot, fresh.sure)
    meter.persist()
    _keep(board.eeprom, data)
    store.identity.save(data)


def _keep(eeprom, data):
    if eeprom is not None and not keepsake.keep(eeprom, keepsake.IDENTITY, data):
        raise ProvisioningRefused(REFUSED[2])
