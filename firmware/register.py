"""The register: pulses become litres, exactly (CT-04).

V = pulses x weight, kept as whole litres and a rest in millilitres. The pulse counter belongs to the board and
survives a reset; the count already taken into V is persisted with V, so a pulse is never taken twice nor forgotten. A
count below the one taken means that the counter itself lost power and began again at zero.
"""

from protocol.compat import const
from protocol.wire.limits import SLOT_LITRES_MAX

LITRE_ML = const(1000)


class Register:
    def __init__(self, state, pulse_ml):
        self.state = state
        self.pulse_ml = pulse_ml

    def take(self, count):
        """Take the board's pulse count into V; returns the litres that became whole.

        A slot's record holds at most 65,535 litres: pulses beyond that wait for the next slot.
        """
        state = self.state
        if count == state.pulses_taken:
            return 0
        taken_from = state.pulses_taken if count > state.pulses_taken else 0
        room = (SLOT_LITRES_MAX - state.open_litres) * LITRE_ML // self.pulse_ml
        fresh = min(count - taken_from, room)
        litres, state.volume_ml = divmod(state.volume_ml + fresh * self.pulse_ml, LITRE_ML)
        state.pulses_taken = taken_from + fresh
        state.volume_l += litres
        state.open_litres += litres
        return litres

    def rebase(self, first_index_l):
        """Set V to the first index of an OPENING plus what was counted before it; returns those litres.

        They belong to the open slot, which begins a new log. What a slot cannot hold is left in the pulse counter.
        """
        state = self.state
        counted = min(state.volume_l, SLOT_LITRES_MAX)
        left_pulses = (state.volume_l - counted) * LITRE_ML // self.pulse_ml
        state.pulses_taken = max(0, state.pulses_taken - left_pulses)
        state.volume_l = first_index_l + counted
        state.open_litres = counted
        return counted
