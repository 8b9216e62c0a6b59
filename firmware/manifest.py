"""The files a device carries: exactly these, as .mpy. Host-side files (build, provisioning, vectors) stay at home."""

# What main.mpy calls with the arguments.
ENTRY = "firmware.boards.unix.start.start"

# Loaded only when they are needed, each in a file of its own; all other files are joined into four parts.
APART = (
    "firmware/boot_slot.py",
    "firmware/boards/blank.py",
    "firmware/boards/unix/wall.py",
    "firmware/cable_order.py",
    "firmware/commission.py",
    "firmware/console_fields.py",
    "firmware/decommission.py",
    "firmware/factory.py",
    "firmware/safe_mode.py",
    "firmware/service_port.py",
    "firmware/slot_writer.py",
    "firmware/trial.py",
    "firmware/updating.py",
    "firmware/without_state.py",
    "firmware/boards/unix/slot_file.py",
    "protocol/wire/cobs.py",
    "protocol/wire/console.py",
    "protocol/wire/grants.py",
    "protocol/wire/manifest.py",
)

# Functions needed for a moment (at a boot, or when a pack comes), in files of their own by what they are loaded for.
BORROWED = {
    "keeping": ("firmware.keepsake.keep", "firmware.keepsake.look"),
    "options": ("firmware.boards.unix.start.parse",),
    "starting": ("firmware.boot.boot", "firmware.state.decode"),
    "looking": ("firmware.boot.look",),
    "identities": ("firmware.identity.decode",),
    "valve_health": ("firmware.valve_health.slot_ended",),
    "valve_turns": ("firmware.valve_turns.turn",),
    "answers": ("firmware.reading.of",),
    "service": ("firmware.service.answer",),
    "service_acts": ("firmware.service_acts.answer",),
    "orders": ("firmware.commands.carry_out",),
    "keys": ("protocol.wire.keys.derive",),
    "hearing": ("protocol.wire.downlinks.decode_down",),
    "accruals": ("protocol.rules.rating.begin_slot", "protocol.rules.debt.collect"),
    "policy_body": ("protocol.rules.policy.decode_body",),
    "other_bodies": ("protocol.rules.tariff.decode_body", "protocol.rules.debt.decode_body"),
}

PROTOCOL = (
    "protocol/__init__.py",
    "protocol/compat.py",
    "protocol/errors.py",
    "protocol/rules/__init__.py",
    "protocol/rules/allowance.py",
    "protocol/rules/calendar.py",
    "protocol/rules/debt.py",
    "protocol/rules/decision.py",
    "protocol/rules/pack_body.py",
    "protocol/rules/policy.py",
    "protocol/rules/rating.py",
    "protocol/rules/reason_codes.py",
    "protocol/rules/tariff.py",
    "protocol/rules/windows.py",
    "protocol/wire/__init__.py",
    "protocol/wire/cbor.py",
    "protocol/wire/ccm.py",
    "protocol/wire/cobs.py",
    "protocol/wire/command_codes.py",
    "protocol/wire/console.py",
    "protocol/wire/console_codes.py",
    "protocol/wire/downlinks.py",
    "protocol/wire/envelope.py",
    "protocol/wire/event_codes.py",
    "protocol/wire/fields.py",
    "protocol/wire/grants.py",
    "protocol/wire/keys.py",
    "protocol/wire/limits.py",
    "protocol/wire/log_codec.py",
    "protocol/wire/manifest.py",
    "protocol/wire/messages.py",
    "protocol/wire/parts.py",
    "protocol/wire/priors.py",
    "protocol/wire/update_codes.py",
    "protocol/wire/uplinks.py",
    "protocol/wire/window.py",
)

FIRMWARE = (
    "firmware/__init__.py",
    "firmware/alarms.py",
    "firmware/assembly.py",
    "firmware/backlog.py",
    "firmware/boards/__init__.py",
    "firmware/boards/base.py",
    "firmware/boards/blank.py",
    "firmware/boards/littlefs.py",
    "firmware/boards/streams/__init__.py",
    "firmware/boards/streams/field.py",
    "firmware/boards/streams/records.py",
    "firmware/boot.py",
    "firmware/boot_rules.py",
    "firmware/boot_slot.py",
    "firmware/button.py",
    "firmware/cable_order.py",
    "firmware/clock.py",
    "firmware/commands.py",
    "firmware/commission.py",
    "firmware/console.py",
    "firmware/console_fields.py",
    "firmware/decommission.py",
    "firmware/downlink.py",
    "firmware/events.py",
    "firmware/face.py",
    "firmware/factory.py",
    "firmware/flash_record.py",
    "firmware/frame_counter.py",
    "firmware/identity.py",
    "firmware/keepsake.py",
    "firmware/key_ring.py",
    "firmware/meter.py",
    "firmware/packs.py",
    "firmware/polls.py",
    "firmware/reading.py",
    "firmware/register.py",
    "firmware/reports.py",
    "firmware/safe_mode.py",
    "firmware/service.py",
    "firmware/service_acts.py",
    "firmware/service_port.py",
    "firmware/slot_log.py",
    "firmware/slot_writer.py",
    "firmware/slots.py",
    "firmware/state.py",
    "firmware/status.py",
    "firmware/sync.py",
    "firmware/trial.py",
    "firmware/updating.py",
    "firmware/valve.py",
    "firmware/valve_health.py",
    "firmware/valve_turns.py",
    "firmware/version.py",
    "firmware/wallet.py",
    "firmware/without_state.py",
)

UNIX_BOARD = (
    "firmware/boards/unix/__init__.py",
    "firmware/boards/unix/block_device.py",
    "firmware/boards/unix/board.py",
    "firmware/boards/unix/eeprom.py",
    "firmware/boards/unix/lockstep.py",
    "firmware/boards/unix/slot_file.py",
    "firmware/boards/unix/start.py",
    "firmware/boards/unix/wall.py",
)

QEMU_BOARD = (
    "firmware/boards/qemu_mps2/__init__.py",
    "firmware/boards/qemu_mps2/clock_chip.py",
    "firmware/boards/qemu_mps2/eeprom.py",
    "firmware/boards/qemu_mps2/start.py",
    "firmware/boards/qemu_mps2/thermometer.py",
    "firmware/boards/qemu_mps2/uart_link.py",
)

NUCLEO_BOARD = (
    "firmware/boards/nucleo_wl55/__init__.py",
    "firmware/boards/nucleo_wl55/air.py",
    "firmware/boards/nucleo_wl55/backup.py",
    "firmware/boards/nucleo_wl55/board.py",
    "firmware/boards/nucleo_wl55/pins.py",
    "firmware/boards/nucleo_wl55/spi_nor.py",
    "firmware/boards/nucleo_wl55/start.py",
    "firmware/boards/nucleo_wl55/supply.py",
)

# What runs before the Unix meter, linked apart from it: which image is to run (boards/unix/loader.py).
UNIX_LOADER = (
    "firmware/boards/unix/bundle.py",
    "firmware/boards/unix/loader.py",
    "firmware/boards/unix/slot_file.py",
    "firmware/boot_slot.py",
    "firmware/version.py",
    "protocol/compat.py",
    "protocol/errors.py",
    "protocol/wire/ccm.py",
    "protocol/wire/fields.py",
    "protocol/wire/limits.py",
    "protocol/wire/manifest.py",
)
LOADER_ENTRY = "firmware.boards.unix.loader.load"

UNIX_METER = (*PROTOCOL, *FIRMWARE, *UNIX_BOARD)
# The image adds what it takes from the meter as a process, whose board it is over other streams.
IMAGE = (
    *PROTOCOL,
    *FIRMWARE,
    *QEMU_BOARD,
    "firmware/boards/unix/__init__.py",
    "firmware/boards/unix/board.py",
)
# Frozen the same way into MicroPython's own stm32 port (boards/nucleo_wl55/README.md); never run on hardware.
NUCLEO = (
    *PROTOCOL,
    *FIRMWARE,
    *NUCLEO_BOARD,
    "firmware/boards/qemu_mps2/__init__.py",
    "firmware/boards/qemu_mps2/eeprom.py",
)
NUCLEO_ENTRY = "firmware.boards.nucleo_wl55.start.start"
IMAGE_ENTRY = "firmware.boards.qemu_mps2.start.start"
