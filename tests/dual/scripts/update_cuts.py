"""The sweep of tests/firmware/update_cuts.py without ECDSA, which not every interpreter has: a hash signs here."""

from firmware import boot_slot, slot_writer
from protocol.compat import sha256
from tests.firmware import update_cuts

KEY = bytes(range(64))


def sign(digest):
    return sha256(KEY + digest) + sha256(digest + KEY)


def sign_otherwise(digest):
    return sign(sha256(digest))


def verify(key, digest, signature):
    return key == KEY and signature == sign(digest)


boot_slot.p256_verify = verify
slot_writer.p256_verify = verify

maker = update_cuts.Maker(KEY, sign)
total = 0
for story in update_cuts.stories(maker, sign_otherwise, 1_100):
    cases, wrong = update_cuts.sweep(story)
    flash = story.flash()
    said = story.live(flash, [])
    total += cases
    print(story.name, said, cases, len(flash.journal), sha256(flash.content).hex(), wrong)
print("cuts", total)
