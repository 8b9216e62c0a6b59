"""Provisioning on the meter: the one time that flash is formatted.

The identity is written last, so its presence says that everything else was written.
"""

from firmware import boot, identity, packs, state
from firmware.flash_record import TwoCopies
from firmware.meter import Meter
from protocol.wire.parts import whole_pack


class ProvisioningRefused(Exception):
    """This flash holds another meter, or the identity is not acceptable; the argument says which."""


def provision(board, data, format_flash):
    """Write the identity `data` on a flash that holds no meter. Raises ProvisioningRefused and then changes nothing.

    `format_flash()` makes an empty file system and returns its Files. Doing it again with the same identity is
    harmless.
    """
    try:
        who = identity.decode(data)
    except identity.IdentityRefused as refusal:
        raise ProvisioningRefused(refusal.args[0])
    if board.files is not None:
        present = TwoCopies(board.files, "identity").load()
        if present == data:
            return
        if present is not None:
            raise ProvisioningRefused("this flash holds another meter: erase it first")
    board.files = format_flash()
    store = boot.Store(board.files)
    store.counter.create()
    fresh = state.State()
    fresh.pulses_taken = board.pulses()
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
    store.identity.save(data)
