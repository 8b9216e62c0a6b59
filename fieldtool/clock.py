"""Time as the tool has it: a value that tests put another in place of."""

import time


class Clock:
    """The laptop's."""

    def now(self) -> int:
        """Unix seconds."""
        return int(time.time())

    def sleep(self, seconds: int) -> None:
        time.sleep(seconds)
