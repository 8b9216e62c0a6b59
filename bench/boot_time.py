"""How long a boot takes with nothing, a confirmed and an unproved image in the slots, and so what a signature costs.

The image runs in QEMU with every instruction counted as 32 ns (31 million a second), so the figures are exact and the
same everywhere. The rig belongs to a checkout, not to an installation.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec

from firmware.boot_slot import COMPLETE, CONFIRMED, FACTORY
from firmware.image.release import IMAGE_HARDWARE, keyed, public_key, update
from simulator.meter_process import MeterFailed

_VERSION = 40_001  # above any factory's
_STATES = {"empty_us": None, "confirmed_us": (COMPLETE, CONFIRMED), "trial_us": (COMPLETE,)}


def boot_times(image: Path, payload: Path) -> dict[str, int]:
    """Microseconds that the loader takes per state of a slot, the difference that a signature makes, and the size."""
    from hil_tests.rig.qemu import Machine
    from hil_tests.rig.slots import filled, put, until_booted

    key = ec.generate_private_key(ec.SECP256R1())
    content = payload.read_bytes()
    told = update(content, key, IMAGE_HARDWARE, _VERSION, _VERSION)
    found = {"image_bytes": len(content)}
    with tempfile.TemporaryDirectory() as place:
        with_key, flash = Path(place, "meter.elf"), Path(place, "flash")
        with_key.write_bytes(keyed(image, public_key(key)))
        machine = Machine(with_key, flash, Path(place, "eeprom"), counted=True)
        machine.make_chips()
        for name, marks in _STATES.items():
            put(flash, 0, b"" if marks is None else filled(told, marks))
            try:
                machine.power_on()
                loaded = until_booted(machine, with_key)
            finally:
                machine.cut()
            if (loaded.slot == FACTORY) != (marks is None):
                raise MeterFailed(f"slot {loaded.slot} runs with {name} in the first")
            found[name] = loaded.us
        machine.dispose()
    return found | {"signature_us": found["trial_us"] - found["confirmed_us"]}
