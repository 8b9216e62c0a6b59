"""A cable that is pulled at any instant is said as a refusal (IW-83)."""

import os
import pty
import termios
from typing import Any

import pytest

from fieldtool.line import Line
from fieldtool.refusals import Refusal


@pytest.mark.parametrize("error", [termios.error(5, "Input/output error"), OSError(5, "gone"), TypeError()])
def test_a_cable_pulled_in_mid_write_is_gone(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    """Between write and flush the kernel answers by an error that is no OSError."""
    master, slave = pty.openpty()
    line = Line(os.ttyname(slave))

    def flush() -> Any:
        raise error

    monkeypatch.setattr(line._serial, "flush", flush)
    with pytest.raises(Refusal) as refused:
        line.write(b"said")
    assert refused.value.code == "port_gone"
    line._serial.close()
    os.close(master)
    os.close(slave)
