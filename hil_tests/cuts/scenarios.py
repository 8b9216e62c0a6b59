"""The scenarios: what a meter lives through while its power is cut at every flash operation.

Each prepares a meter without being recorded, begins, and acts. SCENARIOS names them all in order.
"""

from hil_tests.cuts import scenarios_of_life as life
from hil_tests.cuts import scenarios_of_repair as repair
from hil_tests.cuts import scenarios_of_rules as rules
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
    rules.emergency_credit,
    rules.a_lifeline,
    rules.a_vulnerable_home,
    rules.an_amnesty,
    rules.a_debit,
    rules.a_plan_replaced,
    rules.a_tariff_begins,
    rules.late_packs,
    rules.orders_that_end,
    rules.an_expired_command,
    rules.a_deep_debt,
    repair.a_bad_state_copy,
    repair.a_bad_copy_of_all,
    repair.a_lost_identity,
    repair.lost_counters,
    repair.a_blank_keepsake,
    repair.a_half_kept_identity,
    repair.a_leak,
    repair.a_burst,
    repair.a_leaking_valve,
    repair.many_presses,
    repair.resets_and_slots,
)
