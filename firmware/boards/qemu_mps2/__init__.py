"""The meter as a Cortex-M3 image: MicroPython's `machine` API over the port in port/, run by QEMU's mps2-an385."""
