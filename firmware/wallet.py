"""The wallet: C and D from the headend by maximum, S and R by the rules, as the water flows (SEMANTICS A, B7, CT-06).

At the first slot of a local day the order is: standing charges, then the debt instalment, then litres.
"""

from protocol.rules import debt, rating
from protocol.rules.calendar import local_day
from protocol.wire.messages import DOWN_PLAN, DOWN_TARIFF


class Wallet:
    def __init__(self, state, packs):
        self.state = state
        self.packs = packs

    @property
    def tariff(self):
        return self.packs.current[DOWN_TARIFF]

    def begin_slot(self, slot, sure):
        """Accrue what falls due at the first second of `slot`. Without a tariff nothing is due: litres still count."""
        if self.tariff is None or not self.state.opened:
            return
        self.state.rating = rating.begin_slot(self.state.rating, self.tariff, slot, sure)
        if sure:
            self._collect(local_day(slot, self.tariff.offsets))

    def _collect(self, day):
        state = self.state
        plan = self.packs.current[DOWN_PLAN]
        if plan is None or day <= state.instalment_day:
            return
        before = debt.DebtState(state.collected_mills, state.instalments, state.instalment_day)
        after = debt.collect(plan, before, state.balance_mills, day)
        state.collected_mills, state.instalments, state.instalment_day = after.collected_mills, after.count, after.day

    def spend(self, litres):
        if litres and self.tariff is not None:
            self.state.rating = rating.spend(self.state.rating, self.tariff, litres)

    def apply_statement(self, statement):
        """C, D and the statement's number by maximum (A2): order, loss and repetition do not matter."""
        state = self.state
        state.credited_mills = max(state.credited_mills, statement.credited_mills)
        state.debited_mills = max(state.debited_mills, statement.debited_mills)
        state.statement = max(state.statement, statement.number)

    def open(self, opening):
        """Start the wallet generation that `opening` names (A4): S begins at zero, at the opening's block position."""
        state = self.state
        state.credited_mills = max(state.credited_mills, opening.credited_mills)
        state.debited_mills = max(state.debited_mills, opening.debited_mills)
        state.statement = max(state.statement, opening.number)
        state.holder_start_slot = opening.holder_slot
        day = opening.day if opening.day else -1
        month = opening.month if opening.month else -1
        state.rating = rating.RatingState(0, 0, day, month, opening.position_l)
        state.instalment_day = -1
        state.opened = 1
