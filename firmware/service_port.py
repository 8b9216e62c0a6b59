"""The service port: what a meter answers by cable, and to whom (protocol/wire/console.py, docs/SPEC.md, Appendix B).

A provisioned meter answers sealed questions only; one that was never provisioned, or does not know who it is, has no
key and answers unsealed what it has to say, which is little. A wrong tag ends the session. From the fifth in a row on
each one locks the port, for a minute at first and twice as long each time up to an hour; a locked port looks at
nothing, and the headend is told. Which questions there are, and what they may change, is the application's affair:
`answer(question)`. Who may ask which would be decided here, by the key that the session was begun with.
"""

from protocol.compat import const, hmac_sha256
from protocol.wire import console
from protocol.wire.cobs import Decoder

WRONG_MAX = const(5)
LOCK_S = const(60)
LOCK_S_MAX = const(3600)
SESSION_US = const(300000000)
SECOND_US = const(1000000)


class ServicePort:
    def __init__(self, application):
        """`application`: Meter, SafeMode or Factory."""
        self.application = application
        self.decoder = Decoder(console.MESSAGE_MAX)
        self.session = None
        self.session_until_us = 0
        self.sessions = 0
        self.last = 0
        self.wrong = 0
        self.lock_s = 0
        self.locked_until_us = 0

    def take(self, data):
        """The bytes to send for bytes that came, in whatever pieces; b"" for nothing."""
        out = b""
        for frame in self.decoder.feed(data):
            message = console.from_frame(frame)
            if message is not None:
                out += console.to_line(self.answer(message))
        return out

    def answer(self, message):
        """The message that answers a message."""
        secret = self.application.service_secret()
        if message[0] == console.PLAIN:
            if secret is not None:
                return console.refused(console.SEALED_ONLY, 0)
            return bytes((console.PLAIN,)) + self.application.answer(message[1:])
        if secret is None:
            return console.refused(console.NOT_PROVISIONED, 0)
        now_us = self.application.board.now_us()
        if now_us < self.locked_until_us:
            return console.refused(console.LOCKED, (self.locked_until_us - now_us) // SECOND_US + 1)
        nonce = console.read_hello(message)
        if nonce is not None:
            return self._begin(secret, nonce, now_us)
        if message[0] == console.QUESTION:
            return self._question(message, now_us)
        return console.refused(console.MALFORMED, 0)

    def _begin(self, secret, nonce, now_us):
        """A new session takes the place of the one before. Its challenge comes from what never comes again: the
        application's `fresh` changes with each boot, the time and the count of sessions within it."""
        root, meter_id, generation, fresh = secret
        key = console.console_key(root, meter_id, generation)
        self.sessions += 1
        fresh = fresh + self.sessions.to_bytes(4, "big") + now_us.to_bytes(8, "big")
        challenge = hmac_sha256(key, b"challenge" + fresh)[: console.NONCE_LENGTH]
        self.session = console.Session(key, meter_id, nonce, challenge)
        self.session_until_us = now_us + SESSION_US
        self.last = 0
        return console.challenge(meter_id, generation, challenge)

    def _question(self, message, now_us):
        session = self.session
        if session is None or now_us >= self.session_until_us:
            return console.refused(console.NO_SESSION, 0)
        opened = session.open(console.QUESTION, message)
        if opened is None:
            return self._wrong_tag(now_us)
        self.wrong = self.lock_s = 0
        number, text = opened
        if number <= self.last:
            return console.refused(console.STALE, 0)
        self.last = number
        self.session_until_us = now_us + SESSION_US
        return session.seal(console.ANSWER, number, self.application.answer(text))

    def _wrong_tag(self, now_us):
        self.session = None
        self.wrong += 1
        if self.wrong < WRONG_MAX:
            return console.refused(console.WRONG_TAG, 0)
        self.lock_s = min(2 * self.lock_s, LOCK_S_MAX) if self.lock_s else LOCK_S
        self.locked_until_us = now_us + self.lock_s * SECOND_US
        self.application.console_locked(self.wrong)
        return console.refused(console.LOCKED, self.lock_s)
