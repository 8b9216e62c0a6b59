"""The scenarios: what a meter lives through while its power is cut at every flash operation.

Each prepares a meter without being recorded, begins, and acts. SCENARIOS names them all in order.
"""

from hil_tests.cuts import scenarios_of_life as life
from hil_tests.cuts import scenarios_of_trouble as trouble

SCENARIOS = (
    life.a_day_of_life,
    trouble.provisioning,
    life.an_opening,
    life.statements,
    life.packs_in_parts,
    life.rekeys,
    life.commands,
    life.fire,
    life.month_edge,
    life.a_debt,
    trouble.an_absence,
    trouble.the_ring_turns,
    trouble.the_valve,
    trouble.a_stalling_valve,
    trouble.a_clock_set_back,
    trouble.a_clock_found,
    trouble.lost_slots,
    life.nacks,
    trouble.a_lost_state,
    trouble.counter_blocks,
    life.litre_by_litre,
    trouble.many_events,
    trouble.a_last_move,
    life.big_pulses,
    life.daily_reports,
    trouble.brown_outs,
)
