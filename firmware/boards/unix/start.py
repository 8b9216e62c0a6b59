"""Start of the unix board: arguments, flash, link, then the application.

    --flash FILE (--lockstep | --udp HOST:PORT) [--sealed-console] [--release-key HEX] [--provision HEX | @FILE]...

FILE.eeprom beside it is the EEPROM with the keepsake. With --release-key, the public key that updates are signed with,
FILE.slots holds two slots for updates, and loader.py adds --running-slot where one of them runs. With --sealed-console
channel 0 carries the bytes of a service port as on a meter in the field; without it, plain questions.

The unix port ends with "uncaught NLR" on an argument of more than 255 characters, so HEX may come in pieces: the
option is given once for each, in order. @FILE reads the HEX from a file: arguments can be seen by every user of the
machine, and HEX holds the meter's root key.
"""

import gc
import sys
from binascii import unhexlify

from firmware import boot
from firmware.boards import base, littlefs
from firmware.boards.streams.field import Field
from firmware.boards.streams.records import LinkClosed
from firmware.boards.unix.block_device import NorFile
from firmware.boards.unix.board import UnixBoard
from firmware.boards.unix.eeprom import EepromFile
from firmware.boards.unix.lockstep import LockStepLink

USAGE = (
    "usage: -m main --flash FILE (--lockstep | --udp HOST:PORT) [--sealed-console] [--release-key HEX]"
    " [--provision HEX | @FILE]..."
)

GC_THRESHOLD_BYTES = 4096  # collect often: a small heap suffers more from gaps than from the time it takes

EXIT_LINK_CLOSED = 0
EXIT_USAGE = 2
EXIT_PROVISIONING_REFUSED = 3


class BadArguments(Exception):
    pass


def parse(arguments):
    """A dict of the options given. Raises BadArguments."""
    options = {}
    at = 0
    while at < len(arguments):
        name = arguments[at]
        if name in ("--lockstep", "--sealed-console"):
            options[name] = True
        elif name in ("--flash", "--udp", "--provision", "--release-key", "--running-slot") and at + 1 < len(arguments):
            at += 1
            if name == "--provision":
                options[name] = options.get(name, "") + _hex_of(arguments[at])
            else:
                options[name] = arguments[at]
        else:
            raise BadArguments("unknown or incomplete argument " + name)
        at += 1
    if "--flash" not in options or ("--lockstep" in options) == ("--udp" in options):
        raise BadArguments("name a flash file, and either --lockstep or --udp")
    if "--release-key" in options:
        options["--release-key"] = unhexlify(options["--release-key"])
        if len(options["--release-key"]) != base.RELEASE_KEY_BYTES:
            raise BadArguments("--release-key takes 64 bytes in hex")
    if "--udp" in options and not options["--udp"].rpartition(":")[2].isdigit():
        raise BadArguments("--udp takes HOST:PORT")
    return options


def _hex_of(argument):
    if argument[:1] != "@":
        return argument
    try:
        with open(argument[1:]) as file:
            return file.read().strip()
    except OSError:
        raise BadArguments("cannot read " + argument[1:])


def _link(options, source, output, field):
    if "--lockstep" in options:
        return LockStepLink(source, output, field)
    from firmware.boards.unix.wall import WallLink

    host, _, port = options["--udp"].rpartition(":")
    return WallLink(source, output, field, host, int(port), options["--flash"] + ".pulses")


def _complain(text):
    sys.stderr.write(text + "\n")


def start(arguments):
    """Run with these arguments (sys.argv itself) until the link closes or the power goes; returns the exit code."""
    try:
        options = parse(arguments[1:])
        arguments.clear()  # hundreds of bytes that nobody reads again
        provisioning = unhexlify(options.get("--provision", ""))
    except (BadArguments, ValueError) as problem:
        _complain("{}\n{}".format(problem.args[0], USAGE))
        return EXIT_USAGE
    gc.threshold(GC_THRESHOLD_BYTES)
    source, output = sys.stdin.buffer, sys.stdout.buffer
    device = NorFile(options["--flash"], lambda operation: _power_cut(field, link, operation))
    field = Field(output, device.arm_cut)
    link = _link(options, source, output, field)
    board = UnixBoard(field, link, device, littlefs.mount(device))
    board.eeprom = EepromFile(options["--flash"] + ".eeprom")
    board.console_trusted = "--sealed-console" not in options
    board.formatter = lambda: _format(device)
    board.unmount = littlefs.unmount
    if "--release-key" in options:
        from firmware.boards.unix.slot_file import attach

        attach(board, options)
    try:
        board.power_on()
        loaded = set(sys.modules)
        if provisioning and not _provisioned(board, provisioning):
            return EXIT_PROVISIONING_REFUSED
        provisioning = options = None
        while True:
            for name in set(sys.modules) - loaded:  # what only the life before needed
                sys.modules.pop(name)
            _run(board, link)
    except LinkClosed:
        return EXIT_LINK_CLOSED


def _run(board, link):
    """One life of the application. It ends when provisioning made a meter; an exhausted heap ends it like a watchdog
    would: it boots again from flash."""
    application = boot.boot(board)
    if board.slots is not None:
        boot.begin_trial(application)
    link.meter_id = application.meter_id
    try:
        application.run()
    except MemoryError:
        board.cause = base.RESET_FAULT
        if board.slots is not None:
            board.restart()  # an update on trial may not fail for ever
    if application.ended == base.FOR_ANOTHER_IMAGE:
        board.restart()


def _provisioned(board, provisioning):
    from firmware import commission  # once in a meter's life: not in the heap of every meter

    try:
        commission.provision(board, provisioning, board.format_flash)
    except commission.ProvisioningRefused as refusal:
        _complain("provisioning refused: {}".format(refusal.args[0]))
        return False
    return True


def _format(device):
    littlefs.unmount()
    littlefs.format_flash(device)
    return littlefs.mount(device)


def _power_cut(field, link, operation):
    field.cut_reached(operation)
    link.wait_for_the_end()
