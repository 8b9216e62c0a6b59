"""Runs the published test vectors of our primitives; prints each with what came out."""

import json

from protocol import compat
from protocol.wire import ccm, keys


def outcome(case):
    """The bytes our code gives for `case`."""
    kind = case["kind"]
    if kind == "aes":
        return compat.aes_block(bytes.fromhex(case["key"]))(bytes.fromhex(case["block"]))
    if kind == "hmac":
        return compat.hmac_sha256(bytes.fromhex(case["key"]), bytes.fromhex(case["data"]))
    if kind == "expand":
        context = case["id_context"]
        return keys.expand(
            bytes.fromhex(case["secret"]),
            bytes.fromhex(case["salt"]),
            bytes.fromhex(case["sender"]),
            None if context is None else bytes.fromhex(context),
            case["use"],
            case["length"],
        )
    if kind == "nonce":
        return keys.nonce(bytes.fromhex(case["common_iv"]), bytes.fromhex(case["sender"]), case["counter"])
    return sealed(case)


def sealed(case):
    """Our CCM, and through compat where the tag has 8 bytes; both must open what they sealed and nothing else."""
    key, nonce, aad = [bytes.fromhex(case[name]) for name in ("key", "nonce", "aad")]
    plaintext = bytes.fromhex(case["plaintext"])
    block = compat.aes_block(key)
    result = ccm.seal(block, nonce, plaintext, aad, case["tag_length"])
    damaged = result[:-1] + bytes([result[-1] ^ 1])
    assert ccm.open_sealed(block, nonce, result, aad, case["tag_length"]) == plaintext
    assert ccm.open_sealed(block, nonce, damaged, aad, case["tag_length"]) is None
    if case["tag_length"] == compat.TAG_LENGTH:
        assert compat.ccm_seal(key, nonce, plaintext, aad) == result
        assert compat.ccm_open(key, nonce, result, aad) == plaintext
        assert compat.ccm_open(key, nonce, damaged, aad) is None
        assert compat.ccm_open(key, nonce, result[:7], aad) is None
    return result


with open("protocol/vectors/published.jsonl") as lines:
    for line in lines:
        case = json.loads(line)
        result = outcome(case).hex()
        print(case["source"], case["kind"], result, "right" if result == case["result"] else "WRONG")
