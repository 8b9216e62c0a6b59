"""Lives through the cases of a file (one JSON list a line) and prints every decision and what is remembered.

A case is [policy fields, standard minutes, jitter, moments]; a moment [unix_s, sure, opened, balance, litres, tampered,
battery critical, order, press]; an order [open, seconds, litres] that is given now, or 0 for none.
"""

import json
import sys

from protocol.rules import allowance, decision, policy, reason_codes
from protocol.rules.calendar import Offsets


def policy_of(fields):
    fields[6] = tuple([tuple(window) for window in fields[6]])
    fields[11] = tuple(fields[11])
    return policy.check(policy.Policy(*fields))


def live(case):
    rules, offsets, remembered = policy_of(case[0]), Offsets(case[1], ()), allowance.NEW
    order, is_open, reason = None, True, 0
    for unix_s, sure, opened, balance_mills, litres, tampered, critical, ordered, press in case[3]:
        if ordered:
            order = decision.Order(bool(ordered[0]), unix_s + ordered[1], ordered[2])
        if press and reason in reason_codes.FIRE_OPENS:
            remembered = allowance.fire(remembered, rules, unix_s)
        remembered = allowance.renew(remembered, rules, unix_s, bool(sure), offsets, balance_mills)
        situation = decision.Situation(
            unix_s,
            bool(sure),
            offsets,
            balance_mills,
            bool(opened),
            remembered,
            case[2],
            is_open,
            bool(tampered),
            bool(critical),
            order,
        )
        decided = decision.decide(rules, situation)
        is_open, reason = decided.open, decided.reason
        remembered = allowance.draw(remembered, reason, litres)
        if order is not None:
            order = decision.draw_order(order, reason, litres)
        left_l = -1 if order is None else order.litres_left
        print(int(is_open), reason, int(decided.low_credit), decided.until_unix_s, left_l, list(remembered))


def main(path):
    with open(path) as cases:
        for line in cases:
            live(json.loads(line))


main(sys.argv[1])
