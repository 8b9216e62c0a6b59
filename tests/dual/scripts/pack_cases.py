"""Decodes the bodies of a file ("kind hex" a line) and prints the pack they mean, or the refusal's code and field."""

import sys

from protocol.errors import RuleRefused
from protocol.rules import debt, policy, tariff

RULES = {"tariff": tariff, "policy": policy, "plan": debt}


def main(path):
    with open(path) as lines:
        for line in lines:
            kind, body = line.split()
            try:
                pack = RULES[kind].decode_body(1, 119_806, bytes.fromhex(body))
                print(list(pack), RULES[kind].encode_body(pack).hex() == body)
            except RuleRefused as refused:
                print(refused.code, refused.name, refused.field)


main(sys.argv[1])
