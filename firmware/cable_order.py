"""An order to the valve by cable: as one of COMMAND (commands.py), but in memory only. It ends with the session, and a
power cut ends it; its litres count against the session's besides."""

from protocol.compat import const
from protocol.rules.decision import Order, draw_order

SECOND_US = const(1000000)


class CableOrder:
    def __init__(self, port, is_open, seconds, litres):
        self.port = port
        self.is_open = is_open
        self.until_us = port.application.board.now_us() + seconds * SECOND_US
        self.litres = litres

    def in_force(self, unix_s):
        """The Order, or None where it has ended."""
        now_us = self.port.application.board.now_us()
        until_us = min(self.until_us, self.port.session_until_us)
        if now_us >= until_us or (self.is_open and not self.litres):
            self.port.order = None
            return None
        return Order(self.is_open, unix_s + (until_us - now_us) // SECOND_US + 1, self.litres)

    def flowed(self, order, reason, litres):
        """Litres that flowed count against the order that let them through, and against the session."""
        left = draw_order(order, reason, litres).litres_left
        self.port.litres_left -= self.litres - left
        self.litres = left
