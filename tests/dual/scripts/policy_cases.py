"""Lives through the cases of a file (one JSON list a line) and prints every decision and what is remembered.

A case is [policy fields, standard minutes, jitter, moments]; a moment [unix_s, sure, opened, balance, litres].
"""

import json
import sys

from protocol.rules import allowance, policy
from protocol.rules.calendar import Offsets


def policy_of(fields):
    fields[6] = tuple([tuple(window) for window in fields[6]])
    return policy.check(policy.Policy(*fields))


def live(case):
    rules, offsets, remembered = policy_of(case[0]), Offsets(case[1], ()), allowance.NEW
    for unix_s, sure, opened, balance_mills, litres in case[3]:
        remembered = allowance.renew(remembered, rules, unix_s, bool(sure), offsets, balance_mills)
        decision = policy.decide(
            rules, policy.Situation(unix_s, bool(sure), offsets, balance_mills, bool(opened), remembered, case[2])
        )
        remembered = allowance.draw(remembered, decision.reason, litres)
        print(int(decision.open), decision.reason, int(decision.low_credit), decision.until_unix_s, list(remembered))


def main(path):
    with open(path) as cases:
        for line in cases:
            live(json.loads(line))


main(sys.argv[1])
