"""Tests against a real firmware image, in QEMU or on a board over serial."""
