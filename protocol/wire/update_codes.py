"""What a meter says of an update: why it refuses one, and how far it is. A number is never given a second meaning."""

from protocol.compat import const

# Refusals: of the console's update commands, and the outcome of a transfer by frames. 0 is no refusal.
HARDWARE = const(20)  # for another hardware than this: take the file that names it
DOWNGRADE = const(21)  # not above the version that runs, or the highest that ever proved itself here
TOO_OLD = const(22)  # what runs is below the least version it may be installed over: install one between them first
TOO_LARGE = const(23)  # larger than a slot
SIGNATURE = const(24)  # not signed with the release key of this meter
HASH = const(25)  # what was written is not what was signed: begin again
NO_VERIFIER = const(26)  # this interpreter cannot check signatures
NO_SLOTS = const(27)  # no slots, or no release key: this meter takes no updates
VALVE_MOVING = const(28)  # ask again in some seconds
NOTHING_BEGUN = const(29)  # begin first; or nothing is on trial
OFFSET = const(30)  # not the next offset: the status says which it is
MANIFEST = const(31)  # no manifest of this format
ON_TRIAL = const(32)  # what runs is on trial and has not proved itself: wait until it has
FLASH = const(33)  # the flash did not take what was written
TRIED = const(34)  # this version had its trial here and did not prove itself: offer a later one

# States of PROGRESS and of the console's status.
IDLE = const(0)  # nothing begun, nothing offered
TAKING = const(1)  # wants the bytes from next_offset on
VERIFIED = const(2)  # whole and right: starts when told to
TRIAL = const(3)  # it runs, on trial
