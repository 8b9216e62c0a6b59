"""The replay window against a set of numbers: no counter is taken twice, none that is younger than the window is
forgotten, and the candidates hold every counter that may be meant (SEMANTICS D1, D2, I15)."""

from protocol.wire import window
from protocol.wire.limits import COUNTER_MAX

STEPS = (1, 2, 63, 64, 65, 0xFFFF, 0x10000, 0x10001)


def seeds() -> list[bytes]:
    return [bytes([1, 5, 0, 1, 3, 128, 66, 0]), bytes([255, 255, 255, 250, 1, 1, 64, 3, 199, 6, 70]), bytes(12)]


def one(data: bytes) -> None:
    counter = int.from_bytes(data[:4], "big")
    now, used = window.EMPTY, set()
    for byte in data[4:]:
        step = STEPS[byte & 7] + (byte >> 4)
        counter += -step if byte & 8 else step
        if not 0 <= counter <= COUNTER_MAX:
            return
        _check_candidates(now, counter)
        highest = max(used, default=-1)
        is_fresh = counter not in used and counter > highest - window.SIZE
        assert window.is_fresh(now, counter) == is_fresh
        if is_fresh:
            used.add(counter)
            now = window.accept(now, counter)
            assert now.highest == max(used) and now.bitmap < 1 << window.SIZE


def _check_candidates(now: window.Window, counter: int) -> None:
    """From the window's start on, so many windows far, the counter is among the candidates of its low bits."""
    base = max(0, now.highest - window.SIZE + 1)
    found = list(window.candidates(now, counter & 0xFFFF, window.EXTRA_WINDOWS_METER))
    assert all(base <= one <= COUNTER_MAX for one in found)
    if base <= counter < base + 0x10000 * (window.EXTRA_WINDOWS_METER + 1):
        assert counter in found
