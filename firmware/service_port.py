"""The service port: what a meter answers by cable, and to whom (protocol/wire/console.py, docs/SPEC.md, Appendix B).

A provisioned meter answers sealed questions only; one that was never provisioned, or does not know who it is, has no
key and answers unsealed what it has to say, which is little. Who holds the console key is the owner; who holds the key
of a grant has its role, within its time and for as many sessions as it has uses, counted on flash before the first
question of a session acts. A wrong tag ends the session. From the fifth in a row on each one locks the port, for a
minute at first and twice as long each time up to an hour; a locked port looks at nothing, and the headend is told. The
count is on flash before a guess is answered, so that a power cut wins nothing.
What a question may change is the application's affair: `answer(question, port)`. A message for which there is no room
is noise: who proves nothing by cable cannot make a meter begin again by asking at length.
"""

import sys

from firmware.console import WRONG_MAX
from protocol.compat import const, hmac_sha256
from protocol.errors import Refused
from protocol.wire import console
from protocol.wire.cobs import Decoder
from protocol.wire.console_codes import OWNER
from protocol.wire.event_codes import SERVICE

LOCK_S = const(60)
LOCK_S_MAX = const(3600)
DOUBLINGS_MAX = const(6)
WRONG_TAGS_MAX = const(0xFFFF)
SESSION_US = const(300000000)
SECOND_US = const(1000000)
QUESTION_MAX = const(192)  # the longest there is carries 128 bytes of an image; 320 bytes ran a 40 KB heap out
# Of a message to a meter, with its CRC: longer is noise, and not held. A blank board has the room.
LINE_MAX = const(256)
SESSION_L_MAX = const(200)  # what all orders of one session together may let through


class Forgetful:
    """Stands in for a state where there is none."""

    sure = wrong_tags = grant = grant_sessions = 0


class ServicePort:
    def __init__(self, application):
        """`application`: Meter, SafeMode or Factory."""
        self.application = application
        self.memory = application.state or Forgetful()
        self.decoder = Decoder(LINE_MAX if self.memory is application.state else console.MESSAGE_MAX)
        self.session = None
        self.session_until_us = 0
        self.sessions = 0
        self.last = 0
        self.locked_until_us = 0
        self.order = None  # to the valve, a CableOrder
        self._end()
        if self.memory.wrong_tags >= WRONG_MAX:
            self._lock()  # so it was when the power went

    @property
    def role(self):
        return OWNER if self.grant is None else self.grant.role

    def take(self, data):
        """The bytes to send for bytes that came, in whatever pieces; b"" for nothing."""
        out = b""
        try:
            messages = [console.from_frame(frame) for frame in self.decoder.feed(data)]
        except MemoryError:
            self.decoder.__init__(self.decoder.bytes_max)
            return out
        for message in messages:
            if message is not None and not self.application.ended:
                out += console.to_line(self.answer(message))
        return out

    def answer(self, message):
        """The message that answers a message."""
        secret = self.application.service_secret()
        if message[0] == console.PLAIN:
            if secret is not None:
                return console.refused(console.SEALED_ONLY, 0)
            return bytes((console.PLAIN,)) + self.application.answer(message[1:], self)
        if secret is None:
            return console.refused(console.NOT_PROVISIONED, 0)
        now_us = self.application.board.now_us()
        if now_us < self.locked_until_us:
            return console.refused(console.LOCKED, (self.locked_until_us - now_us) // SECOND_US + 1)
        nonce = console.read_hello(message)
        if nonce is not None:
            return self._begin(secret, nonce, None, now_us)
        asked = console.read_hello_grant(message)
        if asked is not None:
            return self._begin_under(secret, asked[0], asked[1], now_us)
        if message[0] == console.QUESTION:
            return self._question(message, now_us)
        return console.refused(console.MALFORMED, 0)

    # Sessions -------------------------------------------------------------------------------------------------------
    def _begin(self, secret, nonce, grant, now_us):
        """A new session takes the place of the one before. Its challenge comes from what never comes again: the
        application's `fresh` changes with each boot, the time and the count of sessions within it."""
        root, meter_id, generation, fresh = secret
        key = console.console_key(root, meter_id, generation)
        self.sessions += 1
        fresh = fresh + self.sessions.to_bytes(4, "big") + now_us.to_bytes(8, "big")
        challenge = hmac_sha256(key, b"challenge" + fresh)[: console.NONCE_LENGTH]
        self._end()
        self.grant = grant
        if grant is not None:
            from protocol.wire import grants

            sys.modules.pop("grants", None)
            key = grants.grant_key(root, grant)
        self.session = console.Session(key, meter_id, nonce, challenge)
        self.session_until_us = now_us + SESSION_US
        self.last = 0
        return console.challenge(meter_id, generation, challenge)

    def _begin_under(self, secret, nonce, terms, now_us):
        """What no grant may be, or what this one no longer is, is refused before its key is asked for."""
        from protocol.wire import grants

        sys.modules.pop("grants", None)  # for this moment only
        try:
            grant = grants.decode_terms(terms, secret[1], secret[2])
        except Refused:
            return console.refused(console.GRANT_TERMS, 0)
        code = self._against(grant)
        if not code and grant.number <= self.memory.grant:
            if grant.number < self.memory.grant or self.memory.grant_sessions >= grant.uses:
                code = console.GRANT_SPENT
        return console.refused(code, 0) if code else self._begin(secret, nonce, grant, now_us)

    def _against(self, grant):
        """The code of REFUSED that the time has against a grant, or 0. An unsure clock may be behind, hardly ever
        ahead: it cannot say "not yet", and what it calls expired is so."""
        unix_s = self.application.unix_s()
        if unix_s >= grant.until_s:
            return console.GRANT_EXPIRED
        return console.GRANT_NOT_YET if self.memory.sure and unix_s < grant.from_s else 0

    def _end(self):
        """No session, and nothing of one: its order to the valve ends with it."""
        self.session = self.grant = None
        self.proved = self.noted = False
        self.litres_left = SESSION_L_MAX
        if self.order is not None:
            self.order = None
            self.application.must_persist = True  # look again at once

    def _question(self, message, now_us):
        session = self.session
        if session is None or now_us >= self.session_until_us:
            return console.refused(console.NO_SESSION, 0)
        if len(message) > QUESTION_MAX:
            return console.refused(console.MALFORMED, 0)
        opened = session.open(console.QUESTION, message)
        if opened is None:
            return self._wrong_tag()
        number, text = opened
        if number <= self.last:
            return console.refused(console.STALE, 0)
        code = 0 if self.grant is None else self._against(self.grant)
        if code:
            self._end()
            return console.refused(code, 0)
        self._prove()
        self.last = number
        self.session_until_us = now_us + SESSION_US
        return session.seal(console.ANSWER, number, self.application.answer(text, self))

    def _prove(self):
        """The first right question: the session is counted, on flash, before the question acts."""
        memory = self.memory
        if self.proved:
            return
        self.proved = True
        if self.grant is not None:
            if self.grant.number > memory.grant:
                memory.grant, memory.grant_sessions = self.grant.number, 0
            memory.grant_sessions += 1
        if memory.wrong_tags or self.grant is not None:
            memory.wrong_tags = 0
            self.application.persist()

    def note_change(self):
        """The first change that a session makes is told to the headend."""
        if not self.noted:
            self.noted = True
            number = 0 if self.grant is None else self.grant.number
            self.application.events.add(SERVICE, self.application.unix_s(), number << 8 | self.role)

    # Guesses --------------------------------------------------------------------------------------------------------
    def _wrong_tag(self):
        memory = self.memory
        self._end()
        memory.wrong_tags = min(memory.wrong_tags + 1, WRONG_TAGS_MAX)
        self.application.persist()
        if memory.wrong_tags < WRONG_MAX:
            return console.refused(console.WRONG_TAG, 0)
        self.application.console_locked(memory.wrong_tags)
        return console.refused(console.LOCKED, self._lock())

    def _lock(self):
        """Locks the port; the seconds for which."""
        lock_s = min(LOCK_S << min(self.memory.wrong_tags - WRONG_MAX, DOUBLINGS_MAX), LOCK_S_MAX)
        self.locked_until_us = self.application.board.now_us() + lock_s * SECOND_US
        return lock_s
