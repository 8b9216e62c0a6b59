"""What is true about one meter, by arithmetic of its own: nothing here is the meter's or the headend's code.

Litres are counted one by one and priced at the block each falls into, in ten-thousandths of a mill; days and months are
charged when their first slot begins under a sure clock. Local time is UTC in all scenarios.
"""

from binascii import crc32

SLOT_S = 1800
EPOCH_S = 1577836800  # 2020-01-01
START_S = 1798761600  # 2027-01-01T00:00Z
MONTH_DAYS = (2557, 2588, 2616, 2647)  # days since 2020-01-01 of 1 January to 1 April 2027


def _month(day):
    return sum([day >= first for first in MONTH_DAYS])


class Truth:
    def __init__(self, tariff, pulse_ml):
        self.tariffs = [(0, tariff)]
        self.pulse_ml = pulse_ml
        self.ml = 0  # flowed since the register began, in millilitres
        self.index_l = 0  # first index of the OPENING
        self.slot = (START_S - EPOCH_S) // SLOT_S
        self.first_slot = self.slot
        self.slot_litres = 0
        self.spent = 0  # in ten-thousandths of a mill
        self.position_l = 0
        self.day = self.month = -1
        self.collected = self.instalments = 0
        self.instalment_day = -1
        self.plan = None  # (ceiling, amount, start day)
        self.credited = self.debited = self.statement = self.opened = 0
        self.generation = 0
        self.command = 0
        self.report_slots = 1
        self.versions = [tariff.version, 1, 0]
        self.epochs = (0, 0)
        self.cut_spent = self.cut_collected = 0
        self.sure = True
        self.clock_error_s = 0
        self.closed = {}  # (generation, slot) -> (V at its start, litres, S and R at its end, sure)
        self.slots_written = []
        self.slot_sure = True
        self.pending = 0  # pulses that the open slot cannot hold; they wait in the counter for the next one

    @property
    def litres(self):
        return self.index_l + self.ml // 1000

    def price(self, tariff):
        """Of the next litre, in ten-thousandths of a mill."""
        for upto_l, price in tariff.blocks:
            if not upto_l or self.position_l < upto_l:
                return price * 10 ** (4 - tariff.scale)
        raise AssertionError("no open block")

    def tariff(self):
        acting = [tariff for from_slot, tariff in self.tariffs if from_slot <= self.slot]
        return acting[-1]

    # What happens -----------------------------------------------------------------------------------------------------
    def open(self, credited_mills, slot):
        self.opened = 1
        self.credited = credited_mills
        self.statement = 1
        self.slot = self.first_slot = slot
        self._begin()

    def open_later(self, credited_mills, statement, index_l):
        """An OPENING on a meter that has counted: the litres belong to the open slot, and a new log begins with it."""
        counted_l = self.ml // 1000
        self.index_l = index_l
        self.credited, self.statement, self.opened = credited_mills, statement, 1
        self.generation += self.first_slot != self.slot
        self.first_slot = self.slot
        self.spent = self.cut_spent = self.position_l = self.slot_litres = 0
        self.day = self.month = -1
        self._begin()
        self._litres(counted_l)

    def flow(self, pulses):
        self.pending += pulses
        self.take()

    def take(self):
        """The meter looks at its counter."""
        room = (65535 - self.slot_litres) * 1000 // self.pulse_ml
        pulses = min(self.pending, room)
        self.pending -= pulses
        before = self.ml // 1000
        self.ml += pulses * self.pulse_ml
        self._litres(self.ml // 1000 - before)

    def _litres(self, litres):
        for _ in range(litres):
            self.spent += self.price(self.tariff())
            self.position_l += 1
            self.slot_litres += 1

    def time(self, meter_s):
        """The meter's clock shows this second: slots close and begin."""
        self.take()
        until = (meter_s - EPOCH_S) // SLOT_S
        while self.slot < until:
            self.close()
            self.slot += 1
            last = self.slot == until
            self.slot_sure = self.sure if last else self.slot_sure
            self._begin()

    def close(self):
        volume_l = self.litres - self.slot_litres
        key = (self.generation, self.slot)
        self.closed[key] = (volume_l, self.slot_litres, self.spent // 10000, self.collected, self.slot_sure)
        self.slots_written.append(self.slot)
        self.cut_spent, self.cut_collected = self.spent // 10000, self.collected
        self.slot_litres = 0

    def new_generation(self, slot):
        self.close()
        self.generation += 1
        self.slot = self.first_slot = slot
        self.slot_sure = self.sure
        self._begin()

    def _begin(self):
        """The first second of a slot: standing charges, then an instalment."""
        if self.slot_sure and self.opened:
            tariff, day = self.tariff(), self.slot // 48
            month = _month(day)
            days = 1 if self.day < 0 else max(0, day - self.day)
            months = 1 if self.month < 0 else max(0, month - self.month)
            charge = days * tariff.standing_day + months * (tariff.standing_month + tariff.minimum)
            self.spent += charge * 10 ** (4 - tariff.scale)
            if months:
                self.position_l = 0
            self.day, self.month = max(day, self.day), max(month, self.month)
            self._collect(day)

    def _collect(self, day):
        if self.plan is None or day <= self.instalment_day:
            return
        self.instalment_day = day
        ceiling, amount, start_day = self.plan
        due = min(amount, ceiling - self.collected)
        balance = self.credited - self.debited - self.spent // 10000 - self.collected
        if due > 0 and day >= start_day and balance >= due:
            self.collected += due
            self.instalments += 1

    def boot(self, now_s, valid, meter_s):
        self.sure = bool(valid)
        self.time(meter_s)

    # What there is to compare -----------------------------------------------------------------------------------------
    def money(self):
        spent, remainder = divmod(self.spent, 10000)
        return self.litres, spent, remainder, self.collected, self.credited, self.debited

    def facts(self):
        """As world.seen orders them."""
        volume_l, spent, remainder, collected, credited, debited = self.money()
        return (
            (
                volume_l,
                spent,
                remainder,
                collected,
                credited,
                debited,
                self.statement,
                self.instalments,
                self.opened,
                self.generation,
                self.slot,
                self.slot_litres,
                self.cut_spent,
                self.cut_collected,
                self.command,
                self.report_slots,
            ),
            (self.versions[0], self.versions[1], self.versions[2], self.epochs[0], self.epochs[1]),
        )

    def check_logs(self, logs):
        """Every record of these day files is one of ours, each slot once, and says what is true of it."""
        for name in logs:
            content = logs[name]
            assert len(content) % 48 == 0
            keys = []
            for at in range(0, len(content), 48):
                record = content[at : at + 48]
                key = (number(record, 4, 6), number(record, 0, 4))
                keys.append(key)
                if key not in self.closed or crc32(record[:44]) != number(record, 44, 48):
                    continue  # of a log before this scenario, or spoilt by it
                found = (number(record, 6, 11), number(record, 11, 13), number(record, 16, 23), number(record, 23, 30))
                assert found + (not record[13] & 1,) == self.closed[key], "slot {}".format(key)
            assert len(set(keys)) == len(keys), "a slot twice"


def number(record, start, end):
    return int.from_bytes(record[start:end], "big")
