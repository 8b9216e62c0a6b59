"""Frames over the chip's own LoRa radio, through the `lora` package of micropython-lib (lora-sync, lora-stm32wl5).

Point to multipoint, not LoRaWAN: that package is a modem driver and has no MAC (README.md says what that leaves out). A
packet is `01 | meter_id 8 | frame`, as a datagram over UDP is. The timing is class A: after a frame the meter listens
one second later at the frame's own factor, and two seconds later at SF12; the other way the signal is inverted, so that
meters do not hear each other. Airtime keeps within one per cent of any hour.
"""

from protocol.compat import const

SECOND_US = const(1000000)
NEVER_US = const(0x7FFFFFFFFFFFFFFF)
HOUR_US = const(3600000000)
BUDGET_US = const(36000000)  # 1 % of an hour: ETSI EN 300 220, 868.0 to 868.6 MHz
RX1_US = const(1000000)
RX2_US = const(2000000)
EARLY_US = const(20000)  # open a window before the answer is due: what a radio needs to start
POLL_US = const(10000)
WAITING_MAX = const(8)

PACKET_VERSION = b"\x01"
HEAD_BYTES = const(9)

UP_KHZ = const(868100)
RX2_KHZ = const(869525)
RX2_FACTOR = const(12)

IDLE = const(0)
SENDING = const(1)
WAITING = const(2)
LISTENING = const(3)


def settings(spreading_factor):
    """What the modem is configured with once; frequency and factor change for the second window."""
    return {
        "freq_khz": UP_KHZ,
        "sf": spreading_factor,
        "bw": 125,
        "coding_rate": 5,
        "preamble_len": 8,
        "output_power": 14,
        "syncword": 0x12,
        "invert_iq_tx": False,
        "invert_iq_rx": True,
    }


def window_ms(spreading_factor):
    """How long to listen for a preamble: eight symbols and as long as the window was opened early."""
    return (8 * (8 << spreading_factor) + 2 * EARLY_US) // 1000 + 1


class Air:
    """`work` is called when its last answer, an instant, has come; `frames` are those heard for this meter."""

    def __init__(self, modem, spreading_factor):
        self.modem = modem
        self.spreading_factor = spreading_factor
        self.head = b""
        self.frames = []
        self.waiting = []
        self.spent = []  # (when a frame was sent, its airtime) of the last hour
        self.state = IDLE
        self.window = 0
        self.at_us = NEVER_US
        self.ended_us = 0

    def address(self, meter_id):
        self.head = PACKET_VERSION + meter_id

    def transmit(self, frame):
        """At once or after what is on its way. Of more frames than the air takes the oldest is lost, as any may be."""
        if len(self.waiting) == WAITING_MAX:
            self.waiting.pop(0)
        self.waiting.append(self.head + frame)

    @property
    def busy(self):
        """Whether the radio itself is at work."""
        return self.state in (SENDING, LISTENING)

    def work(self, now_us):
        """Do what is due; the instant at which to come again."""
        if self.state == SENDING:
            self._sent(now_us)
        elif self.state == LISTENING:
            self._heard(now_us)
        elif self.state == WAITING and now_us >= self.at_us:
            self._listen(now_us)
        if self.state == IDLE:
            self._send(now_us)
        return self.at_us

    def _send(self, now_us):
        self.at_us = NEVER_US
        if not self.waiting:
            return
        airtime_us = self.modem.get_time_on_air_us(len(self.waiting[0]))
        ready_us = self._ready_us(now_us, airtime_us)
        if ready_us > now_us:
            self.at_us = ready_us
            return
        self.spent.append((now_us, airtime_us))
        self.modem.prepare_send(self.waiting.pop(0))
        self.modem.start_send()
        self.state = SENDING
        self.at_us = now_us + airtime_us

    def _ready_us(self, now_us, airtime_us):
        """When a frame of this airtime may start."""
        while self.spent and self.spent[0][0] + HOUR_US <= now_us:
            self.spent.pop(0)
        excess_us = sum([spent for _, spent in self.spent]) + airtime_us - BUDGET_US
        for started_us, spent_us in self.spent:
            if excess_us <= 0:
                break
            excess_us -= spent_us
            now_us = started_us + HOUR_US
        return now_us

    def _sent(self, now_us):
        if self.modem.poll_send() is True:
            self.at_us = now_us + POLL_US
            return
        self.ended_us = now_us
        self.window = 1
        self.state = WAITING
        self.at_us = now_us + RX1_US - EARLY_US

    def _listen(self, now_us):
        factor = self.spreading_factor
        if self.window == 2:
            factor = RX2_FACTOR
            self.modem.configure({"freq_khz": RX2_KHZ, "sf": factor})
        self.modem.start_recv(window_ms(factor))
        self.state = LISTENING
        self.at_us = now_us + POLL_US

    def _heard(self, now_us):
        packet = self.modem.poll_recv()
        if packet is True:
            self.at_us = now_us + POLL_US
            return
        mine = packet is not False and bytes(packet[:HEAD_BYTES]) == self.head
        if mine:
            self.frames.append(bytes(packet[HEAD_BYTES:]))
        elif self.window == 1:
            self.window = 2
            self.state = WAITING
            self.at_us = max(self.ended_us + RX2_US - EARLY_US, now_us)
            return
        if self.window == 2:
            self.modem.configure({"freq_khz": UP_KHZ, "sf": self.spreading_factor})
        self.modem.sleep()
        self.state = IDLE
