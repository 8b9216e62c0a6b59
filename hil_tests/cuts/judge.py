"""The judge: boots the real firmware on a flash that a cut left, and compares it with what is true (world.py).

A cut freezes the meter, so its flash is all that is left of it; the world (pulse counter, clock, battery, contacts)
goes on. What a boot may find, and nothing else:

- exactly what was true after the act that was cut, where nobody but the meter decides it: litres, time, charges;
- what was true before or after it, where it was a downlink or a press on its way; after it, once anything was told;
- with a pulse counter that survived, no litre less; without it, at most the litres in flight (README.md).
"""

from binascii import crc32

from firmware import boot, commission, meter
from firmware.boards.base import END_STOP_CLOSED, END_STOP_OPEN, MOTOR_CLOSE
from firmware.factory import Factory
from hil_tests.cuts.board import FRAME, MOTOR, CutBoard
from hil_tests.cuts.world import KEYS, seen
from protocol.wire.envelope import UP, open_frame, read_header
from protocol.wire.messages import UP_ANCHOR, UP_DAY, UP_DEVICE, UP_EVENT, UP_GAP, UP_RANGE
from protocol.wire.uplinks import decode_up

IN_FLIGHT_L_MAX = meter.UNPERSISTED_L_MAX - 1
OPENED, GENERATION, SLOT, SLOT_LITRES = 8, 9, 10, 11


class Wrong(Exception):
    """What a meter lost, doubled, forgot or said that is not true."""


def require(good, what):
    if not good:
        raise Wrong(what)


class Found:
    """What a boot found, and what it did until it was idle."""

    def __init__(self, total, facts, told, device):
        self.sum = total  # of the facts and of all that was said
        self.facts = facts
        self.told = told  # as a board keeps it
        self.operations = device.journal[:]  # the life goes on, its journal too


class Judge:
    def __init__(self, flash, recording):
        """`flash`: firmware.boards.littlefs."""
        self.flash = flash
        self.recording = recording
        self.formats = 0  # made by anything but provisioning
        self.format_flash = flash.format_flash
        self.slots = {}
        for generation, slot in recording.closed:
            self.slots[(generation & 3, slot)] = recording.closed[(generation, slot)]
        self.told_before = []  # the highest uplink counter that was heard before each act
        highest = recording.told_counter
        for act in recording.acts:
            self.told_before.append(highest)
            highest = max([highest] + [seq_of(payload) for _, kind, payload in act.told if kind == FRAME])
        self.told_before.append(highest)

    def watch(self):
        """From here on every format counts that is not provisioning's."""

        def counted(device):
            self.formats += 1
            self.format_flash(device)

        self.flash.format_flash = counted

    def unwatch(self):
        self.flash.format_flash = self.format_flash
        self.flash.unmount()

    # One boot ---------------------------------------------------------------------------------------------------------
    def board(self, device, inputs):
        """A board with power, before anything boots on it."""
        self.flash.unmount()
        board = CutBoard(device, self.flash.mount(device))
        board.clock, board.count, board.mv, board.tamper = inputs
        return board

    def power_on(self, device, act, count):
        """The board and the application that boots on it, before its first work."""
        board = self.board(device, (act.clock, count, act.mv, act.tamper))
        return board, boot.boot(board)

    def cut(self, device, number, told, past=None, earlier=()):
        """Judge the flash of `device` after a cut within act `number`. `told`: what had left the meter since the act
        began; `past`: what was Found by the boot that was cut, where it is a second cut; `earlier`: what that boot
        told, or one before the act. Returns what is Found now. Raises Wrong."""
        act = self.recording.acts[number]
        if self.recording.provisioning:
            return self._half_provisioned(device, act)
        board, found = self.power_on(device, act, act.count)
        require(isinstance(found, meter.Meter), "no meter but " + type(found).__name__)
        self._loaded(found, act)
        self.work(found)
        facts = seen(found)
        self._facts(facts, act, bool(told), past)
        self._logs(board, act, facts)
        self._valve(board, found, act, told if past is None else list(told) + list(earlier), earlier)
        all_told = board.told
        said = self._uplinks(board, found, facts, max([self.told_before[number]] + counters(told) + counters(earlier)))
        require(found.store.bad_copies() <= self.recording.spoilt, "copies that do not check")
        self.last = (board, found, facts)
        return Found(checksum((facts, said)), facts, all_told, device)

    def lives_on(self, number, report):
        """The meter that was just found does: it hears once more what it may have heard, or goes on to its report."""
        if self.recording.provisioning:
            return
        board, found, facts = self.last
        act = self.recording.acts[number]
        if act.frame is not None and not report:
            self._say_again(board, found, act)
        else:
            self.report(board, found, facts)

    def without_counter(self, device, number):
        """The same for a meter whose pulse counter lost its power too: nothing beyond the litres in flight is lost."""
        act = self.recording.acts[number]
        if self.recording.provisioning:
            return
        _, found = self.power_on(device, act, 0)
        require(isinstance(found, meter.Meter), "no meter but " + type(found).__name__)
        volume_l = self._loaded(found, act)
        self.work(found)
        require(found.state.volume_l == volume_l, "litres nobody counted")
        require(found.state.credited_mills in (act.before[0][4], act.after[0][4]), "credit")

    def work(self, found):
        found.wake_up()
        found.sync.anchor_due = True  # a boot says it at most every 15 minutes, a judge asks for it at once
        found.tick()

    # What is checked --------------------------------------------------------------------------------------------------
    def _loaded(self, found, act):
        """What the state record holds was true once, and not long ago. Returns its V."""
        state = found.state
        rating = state.rating
        money = (
            state.volume_l,
            rating.spent_mills,
            rating.remainder,
            state.collected_mills,
            state.credited_mills,
            state.debited_mills,
        )
        require(money in self.recording.passed, "a state that never was: {}".format(money))
        lost_l = act.after[0][0] - state.volume_l
        require(lost_l <= IN_FLIGHT_L_MAX + act.litres, "{} litres in flight".format(lost_l))
        return state.volume_l

    def _facts(self, facts, act, told, past):
        if past is not None and facts != past.facts:
            require(facts == act.also, "found {} by one boot, {} by the next".format(past.facts, facts))
        if facts == act.after or facts == act.also:
            return
        require(act.free and not told, "true {}, found {}".format(act.after, facts))
        require(facts[0] in (act.before[0], act.after[0]), "neither {} nor after it: {}".format(act.before, facts))
        for at in range(len(facts[1])):
            require(facts[1][at] in (act.before[1][at], act.after[1][at]), "packs or keys {}".format(facts[1]))

    def _logs(self, board, act, facts):
        """Both copies of the day files hold every slot that is closed, once, whole, and nothing else."""
        expected = act.logs_before if facts[0] == act.before[0] else act.logs_after
        for name in expected:
            for directory in ("a/", "b/"):
                content = board.files.read(directory + name) or b""
                require(content == expected[name], "log " + directory + name)

    def _valve(self, board, found, act, told, earlier):
        """The meter never believes in a move that was not made, and never forgets one that was begun."""
        state = found.state
        moves = [payload[0] for _, kind, payload in told if kind == MOTOR]
        moved = [payload[0] for _, kind, payload in board.told if kind == MOTOR]
        if moves:
            require((moves[-1] == MOTOR_CLOSE) == state.valve_intent, "intent of a motor that was started")
        require(state.valve_intent in (act.intent_before, act.intent_after), "intent")
        stands = act.valve if act.stop is None else act.stop
        if moves or (act.stop is None and MOTOR in [kind for _, kind, _ in earlier]):
            stands = None
        if not state.valve_moving:
            wanted = END_STOP_CLOSED if state.valve_intent else END_STOP_OPEN
            require(stands == wanted, "a move believed that was not made")
        else:
            require(moved or state.final_move, "a move forgotten")

    def _uplinks(self, board, found, facts, told_counter):
        """What is said after the boot is fresh, can be opened, and tells the facts. Returns it."""
        said = []
        kinds = set()
        self.codes = []  # of the events that are told
        for _, kind, payload in board.told:
            said.append(payload)
            if kind != FRAME:
                continue
            message_type, message = self.read(payload, told_counter, facts)
            told_counter = seq_of(payload)
            kinds.add(message_type)
            if message_type == UP_EVENT:
                self.codes += [entry.code for entry in message.events]
            self._true(message_type, message, facts, found)
        board.told = []
        require(UP_ANCHOR in kinds, "no ANCHOR")
        return said

    def read(self, frame, told_counter, facts):
        header = read_header(frame)
        require(header.seq > told_counter, "uplink counter {} used twice".format(header.seq))
        plaintext = open_frame(KEYS[header.epoch3], UP, frame, header.seq)
        require(plaintext is not None, "a frame that does not open")
        phase = 0
        if header.type in (UP_DAY, UP_RANGE):
            phase = near(plaintext[0] << 8 | plaintext[1], facts) % 48
        return header.type, decode_up(header.type, plaintext, phase)

    def _true(self, message_type, message, facts, found):
        money, apart = facts
        if message_type == UP_ANCHOR:
            expected = (money[SLOT], money[0] - money[SLOT_LITRES], money[4], money[5], money[12], money[13])
            require(tuple(message[:6]) == expected, "ANCHOR {}".format(message))
            require(message.log_generation2 == money[GENERATION] & 3, "log generation")
        elif message_type == UP_DEVICE:
            expected = (money[6], apart[0], apart[1], apart[2], money[14])
            packs = (message.pack_version, message.policy_version, message.plan_version)
            require((message.statement,) + packs + (message.command,) == expected, "DEVICE {}".format(message))
        elif message_type in (UP_DAY, UP_RANGE):
            self._slots(message, facts)
        elif message_type == UP_GAP:
            self._gap(message, money)

    def _slots(self, message, facts):
        first = near(message.slot14, facts)
        for at in range(len(message.litres)):
            known = self.slots.get((message.log_generation2, first + at))
            if known is None or first + at >= facts[0][SLOT]:
                continue  # closed before the recording, or after this boot
            require(message.litres[at] == known[1], "slot {} said {} L".format(first + at, message.litres[at]))
            if at == 0:
                require(message.volume16_l == known[0] & 0xFFFF, "V of a report")
            if at == len(message.litres) - 1:
                require(message.spent24_mills == known[2] & 0xFFFFFF, "S of a report")

    def _gap(self, message, money):
        last = self.slots.get((message.log_generation2, message.first_slot + message.slots - 1))
        if last is not None:
            ends = (message.volume_l, message.spent_mills, message.collected_mills)
            require(ends == (last[0] + last[1], last[2], last[3]), "GAP {}".format(message))
        require(message.volume_l <= money[0], "GAP beyond V")

    def report(self, board, found, facts):
        """Go on to the next report and judge it too. Returns the types that were said."""
        told_counter = found.store.counter.next - 1
        board.us = max(board.us, min(found.sync.report_us, board.us + 3600000000))
        board.told = []
        found.tick()
        kinds = []
        for _, kind, payload in board.told:
            if kind == FRAME:
                message_type, message = self.read(payload, told_counter, facts)
                told_counter = seq_of(payload)
                kinds.append(message_type)
                if message_type in (UP_DAY, UP_RANGE, UP_GAP):
                    self._true(message_type, message, facts, found)
        return kinds

    def _say_again(self, board, found, act):
        """The headend repeats what was not answered: once is once."""
        board.inbox.append(act.frame)
        found.tick()
        facts = seen(found)
        require(facts == act.after, "said again: true {}, found {}".format(act.after, facts))

    def _half_provisioned(self, device, act):
        """Never mistaken for a meter, and provisioned again without harm."""
        board, found = self.power_on(device, act, 0)
        if not isinstance(found, meter.Meter):
            require(isinstance(found, Factory), "no factory but " + type(found).__name__)
            commission.provision(board, self.recording.identity, lambda: self._format(device))
            board, found = self.power_on(device, act, 0)
            require(isinstance(found, meter.Meter), "not a meter after provisioning")
        self.work(found)
        facts = seen(found)
        require(facts == self.recording.facts, "true {}, found {}".format(self.recording.facts, facts))
        all_told = board.told
        said = self._uplinks(board, found, facts, -1)
        return Found(checksum((facts, said)), facts, all_told, device)

    def _format(self, device):
        self.flash.unmount()
        self.format_flash(device)
        return self.flash.mount(device)


def seq_of(frame):
    return frame[1] << 8 | frame[2]


def counters(told):
    return [seq_of(payload) for _, kind, payload in told if kind == FRAME]


def near(low, facts):
    """The slot with these low 14 bits at or before the open one."""
    slot = facts[0][SLOT]
    return slot - ((slot - (low & 0x3FFF)) & 0x3FFF)


def checksum(value):
    return crc32(repr(value).encode()) & 0xFFFFFFFF
