"""The meter: an event-driven application that runs under MicroPython (firmware/README.md)."""
