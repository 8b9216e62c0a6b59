"""The meter: the loop and its work order, written once.

    pulses → register → slot log → wallet → valve policy → radio → persist → outputs

Nothing leaves the meter (motor command, frame, face) before what it tells is on flash. A power cut at any instant
therefore loses at most something nobody was told.
"""

from firmware import console, face, reading, service, service_acts, valve_health
from firmware.alarms import CRITICAL_BATTERY, TAMPER, Alarms
from firmware.button import Button
from firmware.clock import SECOND_US, Clock
from firmware.commands import Commands
from firmware.downlink import Downlink
from firmware.events import Events
from firmware.key_ring import KeyRing
from firmware.packs import Packs
from firmware.register import Register
from firmware.slot_log import SlotLog
from firmware.slots import Slots
from firmware.sync import Sync
from firmware.valve import OPEN, Valve
from firmware.valve_turns import CLOSED
from firmware.wallet import Wallet
from protocol.compat import const
from protocol.rules import allowance, decision, policy
from protocol.rules.calendar import UTC
from protocol.wire import cbor, event_codes
from protocol.wire.envelope import UP, seal
from protocol.wire.messages import DOWN_POLICY

UNPERSISTED_L_MAX = const(10)


def installation_policy(grace_mills):
    """What rules the valve until an OPENING and a POLICY have come: a negative limit, no credit (A4)."""
    return policy.Policy(0, 0, grace_mills, grace_mills, *policy.NEW[4:])


class Meter:
    update = None  # under way (updating.py)

    def __init__(self, board, identity, state, store):
        """`store` is the Store of boot.py: where state, packs and frame counters are kept."""
        self.board = board
        self.meter_id = identity.meter_id
        self.state = state
        self.store = store
        self.keys = KeyRing(identity, store.counter)
        self.jitter16 = decision.jitter_share(identity.meter_id)
        self.installation_policy = installation_policy(identity.installation_grace_mills)
        now_us = board.now_us()
        self.clock = Clock(state, now_us, board.rtc())
        self.events = Events(state)
        self.packs = Packs(store.packs)
        if state.opened and not self.packs.held:
            self.packs.begin_again(identity.packs, state.open_slot)
        self.packs.activate(state.open_slot)
        self.register = Register(state, identity.pulse_ml)
        self.wallet = Wallet(state, self.packs)
        self.valve = Valve(state, self.events, identity.pulse_ml)
        self.alarms = Alarms(state, self.events, identity.pulse_ml)
        self.slot_log = SlotLog(board.files)
        state.report_slots = state.report_slots or identity.report_slots
        self.sync = Sync(self, identity.meter_id)
        self.slots = Slots(self)
        self.commands = Commands(self)
        self.button = Button(self)
        self.downlink = Downlink(self)
        self.low_credit = None  # not known yet: a boot is not a crossing
        self.until_unix_s = 0
        self.must_persist = False
        self.unpersisted_l = 0
        self.shown = None
        self.port = None
        self.ended = False
        self.heap_free_min = board.heap_free()

    def persist(self):
        self.state.unix_s = self.unix_s()
        self.store.state.save(self.state.encode())
        self.must_persist = False
        self.events.unsaved = False
        self.unpersisted_l = 0

    def unix_s(self):
        return self.clock.unix_s(self.board.now_us())

    def rules(self):
        """The Policy in force."""
        policy_held = self.packs.current[DOWN_POLICY] if self.state.opened else None
        return self.installation_policy if policy_held is None else policy_held

    # Life -----------------------------------------------------------------------------------------------------------
    def wake_up(self):
        """After a boot: finish what a power cut interrupted, say that we are back."""
        state = self.state
        if state.last_record:
            self.slot_log.recover(state.last_record)
        now_us = self.board.now_us()
        unix_s = self.clock.unix_s(now_us)
        state.boot_count += 1
        if not state.sure:
            self.events.add(event_codes.CLOCK_UNSURE, unix_s)
        if self.store.bad_copies():
            self.events.add(event_codes.FLASH_COPY_BAD, unix_s, self.store.bad_copies())
        self.sync.booted(now_us, unix_s)
        if state.wrong_tags >= console.WRONG_MAX:
            console.port_of(self)  # the port begins as it was: locked
            if self.sync.anchor_due:
                self.console_locked(state.wrong_tags)
        self.persist()

    def run(self):
        """The meter's whole life. It ends with the power, or over the service port."""
        self.wake_up()
        while True:
            self.tick()
            if self.ended:
                return
            self.board.wait_until(self.next_us())

    def tick(self):
        """Everything there is to do at this instant."""
        while True:
            now_us = self.board.now_us()
            unix_s = self.clock.unix_s(now_us)
            litres = self.register.take(self.board.pulses())
            self.register.take_back(self.board.reverse_pulses())
            self.spend(litres, now_us, unix_s)
            self.turn_slots(now_us)
            self.sense(now_us, unix_s)
            self.decide(now_us, unix_s)
            heard = self.listen()
            if self.must_persist or self.events.unsaved or self.unpersisted_l >= UNPERSISTED_L_MAX:
                self.persist()
            if heard:
                continue  # what was heard may open the valve: decide again before acting
            self.act(now_us, unix_s)
            return

    def next_us(self):
        """The next instant at which there is work without any input."""
        if self.events.unsaved or self.must_persist:
            return self.board.now_us()  # something came over the console, after all else was done
        next_us = min(self.clock.us_of_slot(self.state.open_slot + 1), self.valve.next_us())
        if not self.store.counter.silent:
            next_us = min(next_us, self.sync.next_us())
        if self.until_unix_s:
            until_us = self.until_unix_s * SECOND_US - self.clock.offset_us
            if until_us > self.board.now_us():
                next_us = min(next_us, until_us)
        return next_us

    # Steps ----------------------------------------------------------------------------------------------------------
    def spend(self, litres, now_us, unix_s):
        """Litres that flowed: wallet, the allowance that let them through, and what the flow says of the valve."""
        if not litres:
            return
        state = self.state
        self.unpersisted_l += litres
        self.wallet.spend(litres)
        state.allowance = allowance.draw(state.allowance, state.valve_reason, litres)
        self.commands.flowed(litres, unix_s)
        self.valve.flowed(litres, now_us, unix_s)
        self.alarms.flowed(litres, now_us, unix_s)

    def turn_slots(self, now_us):
        slot = self.clock.slot(now_us)
        ended, litres = self.state.open_slot, self.state.open_litres
        if slot > ended:
            self.slots.advance(slot)
            self.clock.warm(self.board.temperature_c10(), now_us)
            valve_health.slot_ended(self, ended, litres, self.clock.unix_s(now_us))
            self.heap_free_min = min(self.heap_free_min, self.board.heap_free())

    def sense(self, now_us, unix_s):
        """Button, tamper, battery, end-stops."""
        board = self.board
        self.button.take(now_us, unix_s)
        self.alarms.inputs(board.tampered(), board.battery_mv(), unix_s)
        if self.valve.end_stop(board.take_end_stop(), now_us, unix_s):
            self.must_persist = True

    def decide(self, now_us, unix_s):
        """The valve policy, on what is known now."""
        state = self.state
        rules = self.rules()
        critical = self.alarms.active(CRITICAL_BATTERY)
        offsets = self.wallet.tariff.offsets if self.wallet.tariff is not None else UTC
        sure = bool(state.sure)
        state.allowance = allowance.renew(state.allowance, rules, unix_s, sure, offsets, state.balance_mills)
        decided = decision.decide(
            rules,
            decision.Situation(
                unix_s,
                sure,
                offsets,
                state.balance_mills,
                bool(state.opened),
                state.allowance,
                self.jitter16,
                state.valve_intent == OPEN,
                self.alarms.active(TAMPER),
                critical,
                self.commands.order(unix_s),
            ),
        )
        if self.valve.plan(OPEN if decided.open else CLOSED, decided.reason, critical, now_us):
            self.must_persist = True
        if self.valve.prepare(now_us):
            self.must_persist = True
        self.until_unix_s = decided.until_unix_s
        if decided.low_credit and self.low_credit is False:
            self.events.add(event_codes.LOW_CREDIT, unix_s, max(0, state.balance_mills))
        self.low_credit = decided.low_credit
        self.sync.polls.dry(state.valve_intent == CLOSED or not state.opened, now_us)

    def listen(self):
        """Take what came by radio. True when something authentic came."""
        heard = False
        frame = self.board.receive()
        while frame is not None:
            if self.downlink.take(frame):
                heard = self.must_persist = True
            frame = self.board.receive()
        return heard

    def act(self, now_us, unix_s):
        """Outputs. Everything they tell is on flash by now."""
        command = self.valve.command(now_us)
        if command is not None:
            self.board.motor(command)
        if not self.store.counter.silent:
            for message_type, plaintext in self.sync.due(now_us, unix_s):
                self.send(message_type, plaintext, now_us)
        picture = face.picture(self.state, self.valve.position, self.low_credit, self.until_unix_s)
        if picture != self.shown:
            self.shown = picture
            self.board.face(cbor.encode_sequence(picture))
        console.serve(self)

    def send(self, message_type, plaintext, now_us):
        counter = self.store.counter.take(self.state.window.highest)
        self.clock.note_sent(counter, now_us)
        self.board.transmit(seal(self.keys.up, UP, message_type, counter, plaintext))

    # Rare -----------------------------------------------------------------------------------------------------------
    def open_wallet(self, opening):
        """Begin the wallet generation of an OPENING; the log begins with it, at the open slot."""
        state = self.state
        counted_l = self.register.rebase(opening.volume_l)
        if state.first_slot != state.open_slot:
            state.log_generation += 1
        self.wallet.open(opening)
        self.slots.cut()
        self.sync.backlog.begin()
        self.wallet.begin_slot(state.open_slot, bool(state.open_sure))
        self.wallet.spend(counted_l)
        self.store.counter.save(state.window.highest)
        self.sync.anchor_due = True

    def reading(self):
        return reading.of(self)

    def answer(self, question, port):
        said = service.answer(self, question, port)
        if not isinstance(said, tuple):
            return said
        number, name, given = said
        if name == "frame":  # nothing but what reads it is loaded now: a small heap has no room for more
            return cbor.encode_sequence([number, self.hear_by_cable(given[0], port)])
        return service_acts.answer(self, port, number, name, given)

    def hear_by_cable(self, frame, port):
        """A downlink, heard over the cable as it would be over the air: 1 when it was authentic and fresh."""
        if not self.downlink.take(frame):
            return 0
        port.note_change()
        self.persist()
        self.must_persist = True  # look again at once: it may open the valve
        return 1

    def service_secret(self):
        return self.keys.service_secret(self.state.boot_count)

    def console_locked(self, wrong_tags):
        self.events.add(event_codes.CONSOLE_LOCKED, self.unix_s(), wrong_tags)
