"""Throws noise, damaged lines and strange messages at the service port; prints what became of them, and a digest.

Arguments: seed and lines. The application behind it counts what reaches it: only what was sealed for it may.
"""

import sys

from firmware.service_port import ServicePort
from protocol.compat import sha256
from protocol.wire import cobs, console

SEED, LINES = int(sys.argv[1]), int(sys.argv[2])
ROOT, METER_ID = bytes(range(16)), b"guelta\x00\x01"
QUESTION = b"\x07dread"
KEY = console.console_key(ROOT, METER_ID, 1)
state = SEED


def below(limit):
    """The next draw of 0..limit−1 (xorshift32; G. Marsaglia, 2003)."""
    global state
    state ^= state << 13 & 0xFFFFFFFF
    state ^= state >> 17
    state ^= state << 5 & 0xFFFFFFFF
    return state % limit


class Application:
    """A provisioned meter, or one that never was; the clock runs five seconds a line."""

    state = None  # nothing outlives the power
    ended = False

    def __init__(self):
        self.board = self
        self.provisioned = True
        self.time_us = 0
        self.asked = self.locks = 0

    def now_us(self):
        return self.time_us

    def service_secret(self):
        return (ROOT, METER_ID, 1, bytes(9)) if self.provisioned else None

    def unix_s(self):
        return 1800000000

    def persist(self):
        """Nowhere."""

    def answer(self, question, port):
        if self.provisioned:
            assert question == QUESTION, "a question that nobody sealed"
            self.asked += 1
        return question

    def console_locked(self, wrong_tags):
        self.locks += 1


def damaged(data):
    """With one to three bytes set, cut out or put in."""
    for _ in range(1 + below(3)):
        at = below(len(data) + 1)
        shape = below(3)
        byte = bytes([(0, 1, 0x10, 0x11, 0x13, 0xFF, below(256))[below(7)]])
        data = data[:at] + (b"" if shape == 0 else byte) + data[at + (0 if shape == 1 else 1) :]
    return data


def noise(length):
    return bytes([below(256) for _ in range(length)])


def main():
    application = Application()
    port = ServicePort(application)
    decoder = cobs.Decoder(console.MESSAGE_MAX)
    session = console.Session(KEY, METER_ID, bytes(8), bytes(8))
    kinds = (console.PLAIN, console.HELLO, console.CHALLENGE, console.QUESTION, console.ANSWER, console.REFUSED)
    codes, digest, number = {}, bytes(32), 0
    for _ in range(LINES):
        application.time_us += 5000000
        application.provisioned = below(16) > 0
        shape = below(8)
        if shape == 0:
            line = noise(below(60))
        elif shape == 1:
            line = console.to_line(noise(1 + below(40)))
        elif shape == 2:
            line = console.to_line(bytes([kinds[below(6)]]) + noise(below(30)))
        elif shape == 3:
            nonce = noise(8)
            line = console.to_line(console.hello_grant(nonce, noise(14)) if below(2) else console.hello(nonce))
        else:
            number = (number + (1 if below(8) else 0)) & 0xFFFF
            message = session.seal(console.QUESTION, number, QUESTION)
            if shape < 6:
                message = damaged(message)
            line = console.to_line(message) if shape < 7 else damaged(console.to_line(message))
        said = port.take(line)
        for frame in decoder.feed(said):
            message = console.from_frame(frame)
            code = message[0] << 8 | (message[1] if message[0] == console.REFUSED else 0)
            codes[code] = codes.get(code, 0) + 1
            told = console.read_challenge(message)
            if told is not None and shape == 3:
                session = console.Session(KEY, METER_ID, nonce, told[2])
                number = 0
        digest = sha256(digest + said)
    print("codes", sorted(codes.items()))
    print("asked", application.asked, "locks", application.locks, "digest", digest.hex())


main()
