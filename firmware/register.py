"""The register: pulses become litres, exactly (CT-04).

V = pulses x weight, kept as whole litres and a rest in millilitres. The pulse counter belongs to the board and
survives a reset; the count already taken into V is persisted with V, so a pulse is never taken twice nor forgotten. A
count below the one taken is a counter that went on past 2^32, if so it counted no more than WRAP_PULSES_MAX; else the
counter itself lost power and began again at zero.

Water that ran backwards has a register of its own: it takes nothing from V, and nobody pays or is paid for it.
"""

from protocol.compat import const
from protocol.wire.limits import SLOT_LITRES_MAX, U32_MAX

LITRE_ML = const(1000)
WRAP_PULSES_MAX = const(65536)


def fresh_pulses(taken, count):
    """How many pulses a counter has counted since `taken`."""
    if count >= taken:
        return count - taken
    wrapped = count - taken + U32_MAX + 1
    return wrapped if wrapped <= WRAP_PULSES_MAX else count


class Register:
    def __init__(self, state, pulse_ml):
        self.state = state
        self.pulse_ml = pulse_ml
        self.reverse_begin_ml = state.reverse_ml  # when the open slot began, or since the boot

    def take(self, count):
        """Take the board's pulse count into V; returns the litres that became whole.

        A slot's record holds at most 65,535 litres: pulses beyond that wait for the next slot.
        """
        state = self.state
        if count == state.pulses_taken:
            return 0
        waiting = fresh_pulses(state.pulses_taken, count)
        fresh = min(waiting, (SLOT_LITRES_MAX - state.open_litres) * LITRE_ML // self.pulse_ml)
        litres, state.volume_ml = divmod(state.volume_ml + fresh * self.pulse_ml, LITRE_ML)
        state.pulses_taken = (count - waiting + fresh) & U32_MAX
        state.volume_l += litres
        state.open_litres += litres
        return litres

    def take_back(self, count):
        """Take the count of water that ran backwards; None before its counter has spoken."""
        if count is None:
            return
        state = self.state
        state.reverse_ml += fresh_pulses(state.reverse_taken, count) * self.pulse_ml
        state.reverse_taken = count

    def reverse_of_slot(self):
        """Millilitres that ran backwards in the slot that ends."""
        back_ml = self.state.reverse_ml - self.reverse_begin_ml
        self.reverse_begin_ml = self.state.reverse_ml
        return back_ml

    def rebase(self, first_index_l):
        """Set V to the first index of an OPENING plus what was counted before it; returns those litres.

        They belong to the open slot, which begins a new log. What a slot cannot hold is left in the pulse counter.
        """
        state = self.state
        left_pulses = -(min(0, SLOT_LITRES_MAX - state.volume_l) * LITRE_ML // self.pulse_ml)
        kept_ml = state.volume_l * LITRE_ML + state.volume_ml - left_pulses * self.pulse_ml
        counted, state.volume_ml = divmod(kept_ml, LITRE_ML)
        state.pulses_taken = (state.pulses_taken - left_pulses) & U32_MAX
        state.volume_l = first_index_l + counted
        state.open_litres = counted
        return counted
