"""Which release this is: major x 10000 + minor x 100 + patch.

`STATE_READ_SINCE` is the first release that reads the state which this one writes, and so the least `min_version` that
its manifest may name: who falls back from a trial must be able to read what the trial wrote (docs/adr/0072).
"""

from protocol.compat import const

FIRMWARE_VERSION = const(100)
STATE_READ_SINCE = const(100)
