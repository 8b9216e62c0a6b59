"""Before a meter's life: nothing was ever provisioned here, and only the console's `provision` changes that.

[id, "provision", identity]   -> [id, "provisioned"], or [id, "refused", why]; the board then boots again, as a meter
"""

from firmware import console
from firmware.without_state import WithoutState

HOUR_US = 3600000000


class Factory(WithoutState):
    mode = 3

    def wake_up(self):
        self.board.log("never provisioned: the console takes an identity")

    def command(self, parts):
        if len(parts) != 2 or parts[0] != "provision" or not isinstance(parts[1], bytes):
            return [console.REFUSED]
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
