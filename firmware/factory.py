"""Before a meter's life, or after it: no identity is here, and only the console's `provision` brings one.

[id, "provision", identity]   -> [id, "provisioned"], or [id, "refused", why]; the board then boots again, as a meter
[id, "update…", …]            -> as updating.py says: a box may be given newer firmware before its life

A life that was being ended when the power went is ended here first (decommission.py).
"""

import sys

from firmware import console, keepsake
from firmware.without_state import WithoutState
from protocol.wire.console_codes import BAD_ARGUMENTS, UNKNOWN_COMMAND

HOUR_US = 3600000000


class Factory(WithoutState):
    mode = 3

    def wake_up(self):
        if keepsake.look(self.board.eeprom, keepsake.IDENTITY)[0] == keepsake.BEGUN:
            from firmware import decommission

            decommission.finish(self.board)
            sys.modules.pop("decommission", None)
        self.board.log("no identity: the console takes one")

    def command(self, parts, port):
        name = parts[0] if parts and isinstance(parts[0], str) else ""
        if name == "update" or name.startswith("update-"):
            from firmware.updating import command

            return command(self, parts)
        if name != "provision":
            return [console.REFUSED, UNKNOWN_COMMAND]
        if len(parts) != 2 or not isinstance(parts[1], bytes):
            return [console.REFUSED, BAD_ARGUMENTS]
        from firmware import commission

        try:
            commission.provision(self.board, parts[1], self.board.format_flash)
        except commission.ProvisioningRefused as refusal:
            return [console.REFUSED, refusal.args[0]]
        self.ended = True
        return ["provisioned"]

    def tick(self):
        while self.board.receive() is not None:
            pass
        console.serve(self)

    def next_us(self):
        return self.board.now_us() + (0 if self.ended else HOUR_US)
