"""A serial line: bytes out, bytes in, and what may go wrong with a cable, said as refusals.

A path such as /dev/ttyACM0 or COM3, or a pseudo-terminal. No other program shares it while it is open, and its control
lines are left alone: some boards reset by them.
"""

from __future__ import annotations

import errno
from types import TracebackType

from .refusals import Refusal

BAUD = 115_200
WRITE_S = 5
_CHUNK = 4096


def _terminal_errors() -> tuple[type[Exception], ...]:
    """Of POSIX alone, and no OSError."""
    try:
        import termios
    except ImportError:
        return ()
    return (termios.error,)


class Line:
    """An open port. Raises Refusal: port_unknown, port_busy, port_denied when it opens; port_gone later."""

    def __init__(self, path: str) -> None:
        import serial

        self.path = path
        # What pyserial lets through: TypeError where it is closed meanwhile, termios.error where a flush finds it gone.
        self._gone: tuple[type[Exception], ...] = (serial.SerialException, OSError, TypeError, *_terminal_errors())
        self._serial = serial.Serial()
        self._serial.port = path
        self._serial.baudrate = BAUD
        self._serial.write_timeout = WRITE_S
        self._serial.exclusive = True
        self._serial.dtr = self._serial.rts = False
        try:
            self._serial.open()
        except (OSError, ValueError) as failure:
            raise _cannot_open(path, failure) from None

    def write(self, data: bytes) -> None:
        """All of it, or port_gone."""
        try:
            self._serial.write(data)
            self._serial.flush()
        except self._gone:
            raise Refusal("port_gone", port=self.path) from None

    def read(self, timeout_s: float) -> bytes:
        """What has come, as soon as something has; b"" when nothing came in time."""
        try:
            self._serial.timeout = max(timeout_s, 0)
            first = self._serial.read(1)
            more = self._serial.in_waiting if first else 0
            return first + (self._serial.read(min(more, _CHUNK)) if more else b"")
        except self._gone:
            raise Refusal("port_gone", port=self.path) from None

    def close(self) -> None:
        try:
            self._serial.close()
        except self._gone:
            pass  # what has gone needs no closing

    def __enter__(self) -> Line:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _cannot_open(path: str, failure: Exception) -> Refusal:
    number = getattr(failure, "errno", None)
    if number in (errno.EACCES, errno.EPERM):
        return Refusal("port_denied", port=path)
    if number in (errno.EAGAIN, errno.EBUSY) or "exclusively lock" in str(failure):
        return Refusal("port_busy", port=path)
    return Refusal("port_unknown", port=path)
