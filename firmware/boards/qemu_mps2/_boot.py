"""What the image runs first. It mounts and never formats: that is for the provisioning of a blank meter alone."""

from firmware.boards.qemu_mps2 import start

start.start()
