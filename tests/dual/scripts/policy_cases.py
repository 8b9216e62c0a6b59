"""Lives through the cases of a file (one JSON list a line) and prints every decision and what is remembered.

A case is [policy fields, standard minutes, jitter, moments]; a moment [unix_s, sure, opened, balance, litres].
"""

import json
import sys

from protocol.rules import allowance, decision, policy
from protocol.rules.calendar import Offsets


def policy_of(fields):
    fields[6] = tuple([tuple(window) for window in fields[6]])
    fields[11] = tuple(fields[11])
    return policy.check(policy.Policy(*fields))


def live(case):
    rules, offsets, remembered = policy_of(case[0]), Offsets(case[1], ()), allowance.NEW
    for unix_s, sure, opened, balance_mills, litres in case[3]:
        remembered = allowance.renew(remembered, rules, unix_s, bool(sure), offsets, balance_mills)
        decided = decision.decide(
            rules,
            decision.Situation(
                unix_s, bool(sure), offsets, balance_mills, bool(opened), remembered, case[2], True, False, False, None
            ),
        )
        remembered = allowance.draw(remembered, decided.reason, litres)
        print(int(decided.open), decided.reason, int(decided.low_credit), decided.until_unix_s, list(remembered))


def main(path):
    with open(path) as cases:
        for line in cases:
            live(json.loads(line))


main(sys.argv[1])
