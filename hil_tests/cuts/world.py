"""One meter's world: what happens to it, what is true about it, and a record of all that its flash went through.

A scenario (scenarios.py) is a row of acts. Each act changes the world once, lets the meter work until it is idle, and
holds what was true before and after, the flash operations that it took, and everything that left the meter, each with
the number of operations done by then. `truth` never asks the meter; at the end of each act the meter is compared to it.
"""

from firmware import boot, commission
from firmware.boards.base import END_STOP_CLOSED, END_STOP_NONE, END_STOP_OPEN, MOTOR_CLOSE
from hil_tests.cuts.board import MOTOR, Act, CutBoard, Recording
from hil_tests.cuts.nor_ram import NorRam
from hil_tests.cuts.truth import SLOT_S, START_S, Truth
from protocol.rules.calendar import UTC
from protocol.rules.policy import NEW
from protocol.rules.policy import encode_body as policy_body
from protocol.rules.tariff import Tariff
from protocol.rules.tariff import encode_body as tariff_body
from protocol.wire.downlinks import encode_down
from protocol.wire.envelope import DOWN, seal
from protocol.wire.keys import derive
from protocol.wire.messages import DOWN_POLICY, DOWN_TARIFF, Opening, Time

METER_ID = b"gueltaCU"
ROOT = bytes(range(16))
GENERATION = 1
KEYS = [derive(ROOT, METER_ID, GENERATION, epoch) for epoch in range(4)]


class World:
    def __init__(self, files_module, name, tariff=None, policy=None, opening=True, credited_mills=1000000, **identity):
        self.flash = files_module
        self.name = name
        self.now_s = START_S
        self.rtc_valid = True
        self.rtc_error_s = 0
        self.device = NorRam()
        self.board = CutBoard(self.device, None)
        self.valve = END_STOP_OPEN
        self.valve_works = True
        self.meter = None
        self.recording = None
        self.down_counter = 0
        self.epoch = 0
        self.statements = 1
        self.tariff = tariff or Tariff(1, 0, 0, UTC, 1, 0, ((0, 500),), 0, 0)
        self.policy = policy or NEW
        pulse_ml = identity.get("pulse_ml", 1000)
        self.truth = Truth(self.tariff, pulse_ml)
        self.opening = b""
        if opening:
            self.opening = self.seal(Opening(GENERATION, 0, 0, 0, 0, self.slot(), credited_mills, 0, 1))
            self.truth.open(credited_mills, self.slot())
        packs = (
            (DOWN_TARIFF, self.tariff.version, 0, tariff_body(self.tariff)),
            (DOWN_POLICY, self.policy.version, 0, policy_body(self.policy)),
        )
        self.identity = _identity(self.opening, packs, identity)

    def slot(self):
        return (self.now_s - 1577836800) // SLOT_S

    def seal(self, message, kind=None):
        message_type, plaintext = encode_down(message, kind)
        self.down_counter += 1
        return seal(KEYS[self.epoch], DOWN, message_type, self.down_counter - 1, plaintext)

    # Power ----------------------------------------------------------------------------------------------------------
    def format(self):
        self.flash.unmount()
        self.flash.format_flash(self.device)
        return self.flash.mount(self.device)

    def provision(self):
        self._clock()
        commission.provision(self.board, self.identity, self.format)

    def clock(self):
        return self.now_s + self.rtc_error_s, self.rtc_valid

    def _clock(self):
        board = self.board
        board.us = 1000000
        board.clock = self.clock()
        self.booted_s = self.now_s - 1

    def boot(self):
        """Power on: mount, boot, wake up, and work until idle."""
        self.flash.unmount()
        self.board.files = self.flash.mount(self.device)
        self._clock()
        self.board.presses = 0
        self.board.stop = None
        self.meter = boot.boot(self.board)
        self.meter.wake_up()
        self.meter.tick()

    def begin(self, provisioning=False):
        """From here on everything is recorded."""
        self.board.told = []
        self.device.operations = 0
        self.recording = Recording(self.name, bytes(self.device.image))
        self.recording.identity = self.identity
        self.recording.provisioning = provisioning
        self.recording.told_counter = self.meter.store.counter.next - 1 if self.meter is not None else -1
        self.device.journal = self.recording.operations
        self._note()

    def _note(self):
        if self.recording is not None:
            self.recording.passed.add(self.truth.money())

    # Acts -----------------------------------------------------------------------------------------------------------
    def act(self, name, work, free=False, **about):
        """Do `work`, which changes board and truth; then let the meter work until it is idle."""
        if self.recording is None:
            work()
            if self.meter is not None:
                self.meter.tick()
            return self.end_stop()
        recording = self.recording
        act = Act(name, self)
        act.free = free
        for field in about:
            setattr(act, field, about[field])
        act.before = self.facts()
        act.logs_before = self.logs()
        operations = self.board.device.operations
        self.board.told = []
        litres = self.truth.litres
        work()
        act.clock = self.clock()
        act.count, act.mv, act.tamper = self.board.count, self.board.mv, self.board.tamper
        act.litres = self.truth.litres - litres
        if self.meter is not None:
            self.meter.tick()
        act.first, act.last = operations, self.device.operations
        act.told = tuple(self.board.told)
        act.intent_after = self.intent()
        act.after = self.facts()
        act.logs_after = self.logs(act.logs_before)
        self._note()
        recording.acts.append(act)
        self.agree(act)
        return self.end_stop()

    def end_stop(self):
        """The valve arrives where the motor drives it."""
        moves = [payload[0] for _, kind, payload in self.board.told if kind == MOTOR]
        self.board.told = []
        if not moves:
            return
        self.valve = None
        stop = END_STOP_CLOSED if moves[-1] == MOTOR_CLOSE else END_STOP_OPEN
        stop = stop if self.valve_works else END_STOP_NONE

        def arrive():
            self.board.stop = stop
            self.valve = stop

        self.act("end-stop", arrive, stop=stop)

    def intent(self):
        return self.meter.state.valve_intent if self.meter is not None else 0

    def facts(self):
        """What must be on the meter: (what is money or its place in time, what stands in records of their own)."""
        return self.truth.facts() if self.meter is not None else None

    def logs(self, known=()):
        """The day files that the truth says were written in this scenario, as the meter has them."""
        names = dict(known)
        for slot in self.truth.slots_written[-3:]:
            name = "log/{:02}".format(slot // 48 % 92)
            names[name] = None
        if self.board.files is None:
            return {}
        return dict([(name, self.board.files.read("a/" + name) or b"") for name in names])

    def agree(self, act):
        """The uncut meter says what is true; else the scenario or the truth is wrong and no cut is worth anything."""
        if self.meter is None:
            return
        found = seen(self.meter)
        assert found == act.after, "{} {}: true {}, found {}".format(self.name, act.name, act.after, found)
        for name in act.logs_after:
            content = self.board.files.read("b/" + name) or b""
            assert content == act.logs_after[name], name
        self.truth.check_logs(act.logs_after)
        assert self.device.overwrites == 0

    # The vocabulary of scenarios --------------------------------------------------------------------------------------
    def pulses(self, count, each=None):
        """So many pulses, in lots of `each`."""
        lot = each or count
        while count > 0:
            take = min(lot, count)
            count -= take

            def flow(take=take):
                self.board.count += take
                self.truth.flow(take)

            self.act("pulses", flow)

    def pass_to(self, until_s):
        """Time passes; the meter works whenever it asks to."""
        while self.now_s < until_s:
            wake_s = self.booted_s + -(-self.meter.next_us() // 1000000)
            wake_s = max(self.now_s + 1, min(until_s, wake_s))
            self.act("time", lambda wake_s=wake_s: self._time(wake_s), free=not (self.truth.sure and self.rtc_valid))

    def _time(self, wake_s):
        self.now_s = wake_s
        self.board.us = (wake_s - self.booted_s) * 1000000
        self.truth.time(self.meter_s())
        self._note()

    def meter_s(self):
        """The second the meter's clock should show."""
        return self.now_s + self.truth.clock_error_s

    def passes(self, seconds):
        self.pass_to(self.now_s + seconds)

    def hear(self, name, message, kind=None, truth=None, repeatable=True):
        """A downlink; `truth` says what becomes true when it is heard."""
        frame = self.seal(message, kind)

        def listen():
            self.board.inbox.append(frame)
            self.truth.take()
            if truth is not None:
                truth()

        self.act(name, listen, free=True, heard=frame, frame=frame if repeatable else None)

    def press(self, times=1, truth=None):
        def pressed():
            self.board.presses += times
            self.truth.take()
            if truth is not None:
                truth()

        self.act("button", pressed, free=True, presses=times)

    def set(self, name, **values):
        """Inputs of the board that stay as they are: mv, tamper."""

        def change():
            self.truth.take()
            for field in values:
                setattr(self.board, field, values[field])

        self.act(name, change)

    def reboot(self, seconds=0):
        """A power cut without harm, so many seconds long."""

        def power():
            self.now_s += seconds
            self.flash.unmount()
            self.board.files = self.flash.mount(self.device)
            self._clock()
            self.meter = boot.boot(self.board)
            self.meter.wake_up()
            self.truth.boot(self.now_s, self.rtc_valid, self.meter_s())

        self.act("boot", power, free=not self.rtc_valid, power=True)

    def heard(self):
        """TIME about the newest uplink of this boot, heard the second it was sent."""
        counter, sent_us = self.meter.clock.sent[-1]
        return Time(counter, self.booted_s + sent_us // 1000000)

    def finish(self):
        self.device.journal = None
        self.recording.closed = self.truth.closed
        self.flash.unmount()
        return self.recording


def _identity(opening, packs, fields):
    from firmware.identity import Identity, encode

    return encode(
        Identity(
            METER_ID,
            ROOT,
            GENERATION,
            fields.get("pulse_ml", 1000),
            fields.get("report_slots", 1),
            fields.get("installation_grace_mills", 0),
            opening,
            packs,
        )
    )


def seen(meter):
    """The facts as the meter has them, in the order of Truth.facts."""
    kept = meter.state
    money = (
        kept.volume_l,
        kept.rating.spent_mills,
        kept.rating.remainder,
        kept.collected_mills,
        kept.credited_mills,
        kept.debited_mills,
        kept.statement,
        kept.instalments,
        kept.opened,
        kept.log_generation,
        kept.open_slot,
        kept.open_litres,
        kept.cut_spent_mills,
        kept.cut_collected_mills,
        kept.command,
        kept.report_slots,
    )
    packs = meter.packs
    apart = (
        packs.newest_version(DOWN_TARIFF),
        packs.newest_version(DOWN_POLICY),
        packs.newest_version(6),
        meter.store.counter.epoch,
        meter.store.counter.epoch_before,
    )
    return money, apart
