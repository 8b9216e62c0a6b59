"""The board interface: everything the application may ask of the hardware it runs on.

The application is event-driven. It does its work, computes the next instant at which it has something to do, and calls
`wait_until`; the board returns at that instant or earlier, when an input arrived. Only `firmware/boards/` touches
machine, sockets, files and stdin, so a port to new hardware is one folder with a class that has these methods. It need
not inherit: only the constants of this file reach a device, and a test holds every board to the list.

Units: `_us` microseconds since this boot on a clock that never steps, `_s` Unix seconds, `_mv` millivolts.
"""

MOTOR_STOP = 0
MOTOR_OPEN = 1
MOTOR_CLOSE = 2

END_STOP_OPEN = 0
END_STOP_CLOSED = 1
END_STOP_NONE = 2  # the motor stalled, or ran its time without meeting a stop

FACTORY_RUNS = 2  # running_slot of the factory's image
RELEASE_KEY_BYTES = 64
FOR_ANOTHER_IMAGE = 2  # why an application ended: the board is to restart

RESET_POWER_ON = 1
RESET_FAULT = 4  # the application failed and was started again


class Board:
    max_frame = 51  # largest frame, in bytes, the bearer carries at this moment
    files = None  # a Files, or None when the flash does not mount
    console_trusted = False  # True on test rigs: each console message is a question, unsealed and whole
    eeprom = None  # an Eeprom for the keepsake, or None where there is none
    slots = None  # SlotFlash for updates; where there is none, none of the following is asked for
    running_slot = FACTORY_RUNS  # or 0, or 1
    hardware = ""  # what a manifest must name
    release_key = bytes(RELEASE_KEY_BYTES)  # of P-256, x | y: what updates are signed with. All zero: takes none
    restart = None  # called to reset the processor: what runs next is chosen anew (boot_slot.py). It does not return.

    # Time -----------------------------------------------------------------------------------------------------------
    def now_us(self):
        """Monotone microseconds. They start anywhere and never step."""
        raise NotImplementedError

    def wait_until(self, deadline_us):
        """Sleep until `deadline_us` or until an input arrives, whichever is first."""
        raise NotImplementedError

    def rtc(self):
        """(unix_s, valid) of the battery-backed clock; valid is False after it lost its supply. Read at boot only."""
        raise NotImplementedError

    def set_rtc(self, unix_s):
        """Set the battery-backed clock: TIME has told the time."""

    # Inputs ---------------------------------------------------------------------------------------------------------
    def pulses(self):
        """Pulses counted since the counter's own power-on, mod 2^32; they survive a reset of the processor.

        The counter is free of bounce: two edges closer together than its meter's Q4 allows are one pulse.
        """
        raise NotImplementedError

    def reverse_pulses(self):
        """The same of water that ran backwards; 0 where the meter's body cannot tell, None until somebody has said."""
        return 0

    def take_button(self):
        """True once for each press since the last call."""
        raise NotImplementedError

    def take_end_stop(self):
        """END_STOP_OPEN, END_STOP_CLOSED or END_STOP_NONE once after a move, else None."""
        raise NotImplementedError

    def tampered(self):
        raise NotImplementedError

    def battery_mv(self):
        raise NotImplementedError

    def temperature_c10(self):
        """Tenths of a degree Celsius at the crystal, or None where nobody knows."""
        return

    def reset_cause(self):
        return RESET_POWER_ON

    def heap_free(self):
        """Free bytes of the heap after a collection; 0 where the question has no meaning."""
        return 0

    def flash_operations(self):
        """Program and erase operations since boot; 0 where nobody counts."""
        return 0

    def flash_blank(self):
        """Whether every byte of the flash is erased: asked where it does not mount; False where nobody can tell."""
        return False

    def format_flash(self):
        """Make an empty file system on the flash and return its Files. Called by provisioning alone."""
        raise NotImplementedError

    def erase_flash(self):
        """Unmount the flash and erase it: a power cut leaves all of its file system, or none. True when it is seen to
        be blank. Called where a meter's life ends, and nowhere else."""
        raise NotImplementedError

    # Outputs --------------------------------------------------------------------------------------------------------
    def motor(self, command):
        raise NotImplementedError

    def face(self, picture):
        """Show `picture`, the CBOR sequence of firmware/face.py, on the meter's display and lamp."""
        raise NotImplementedError

    def log(self, text):
        """A line for a developer. Production boards drop it."""

    # Radio and console ----------------------------------------------------------------------------------------------
    def transmit(self, frame):
        raise NotImplementedError

    def receive(self):
        """The oldest frame not taken yet, or None."""
        raise NotImplementedError

    def console_receive(self):
        """Bytes that came over the service port, in whatever pieces, or None. On a trusted console one question."""
        raise NotImplementedError

    def console_send(self, data):
        """Bytes for the service port, framed already. On a trusted console one answer."""
        raise NotImplementedError


class Eeprom:
    """4096 bytes outside of the flash, good for a million writes (firmware/keepsake.py). Errors are OSError."""

    def read(self, offset, size):
        raise NotImplementedError

    def write(self, offset, data):
        """Return when `data` is stored; a power cut leaves a part of it."""
        raise NotImplementedError


class SlotFlash:
    """Two slots of 512 KB for updates, in NOR flash: programs clear bits, erases set 4096 bytes. Errors are OSError."""

    def read(self, slot, offset, size):
        raise NotImplementedError

    def erase(self, slot, offset):
        """The sector that begins at `offset`."""
        raise NotImplementedError

    def program(self, slot, offset, data):
        """At most 256 bytes, within a page of 256."""
        raise NotImplementedError


class Files:
    """A tiny file store with atomic replacement: after a power cut a file holds its old or its new content, whole."""

    def read(self, path):
        """The file's bytes, or None when it is absent or unreadable."""
        raise NotImplementedError

    def parts(self, path, size):
        """The file in parts of `size` bytes, one after another; nothing when it is absent or unreadable."""
        raise NotImplementedError

    def replace(self, path, content):
        """Write a temporary file and rename it over `path`."""
        raise NotImplementedError

    def append(self, path, content):
        raise NotImplementedError
