"""The device's entry point: hands the arguments to the board's start."""

import sys

from firmware.boards.unix.start import start

sys.exit(start(sys.argv[1:]))
