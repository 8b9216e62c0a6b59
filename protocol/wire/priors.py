"""The log codec's starting probabilities: how likely a bit is 0, in 256ths (docs/SPEC.md, "Log codec").

Bytes 0–31: "no water in this slot", by 3-hour bucket of the local day × 4 + twice "water in the slot before the last"
+ "water in the last slot". Byte 32 is not used. Bytes 33–63: the nodes 1–31 of the tree of volume classes.
Written by bench/train_log_priors.py from the households with the fingerprint below; do not edit.
"""

TRAINED_ON_SHA256 = "a72593b689fa365f35f52877bcde572a4aef5eb827de2f42fdf982d1cea039e4"

PRIORS = bytes.fromhex(
    "dd92e4b5f6b0efc6b3468745da71af78"
    "e476b681da5b9864d866995bbe729d5c"
    "80b59bc7a6c34fff87afc7996a88ff80"
    "a88d6994938488895d626e9cd6d58080"
)
