"""What follows a commit, and only a durable one: frames to meters, lines in the story.

A handler adds to it inside its job; the endpoint layer carries it out when the writer has answered.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from aiohttp import web

from headend.downlink.reply import Reply
from headend.meters.keyring import Keyring
from headend.web.story import Story, Told

STORY: web.AppKey[Story] = web.AppKey("story", Story)
KEYRING: web.AppKey[Keyring] = web.AppKey("keyring", Keyring)
RELEASE_KEY: web.AppKey[bytes] = web.AppKey("release_key", bytes)
PUSH: web.AppKey[Callable[[Reply], None]] = web.AppKey("push")


@dataclass
class Aftermath:
    """Collected during one job. A job that fails leaves it unused."""

    replies: list[Reply] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)

    def reply(self, reply: Reply | None) -> None:
        """A frame to send to a meter at its last address; None when there is nothing or nowhere to send."""
        if reply is not None:
            self.replies.append(reply)

    def tell(self, told: Told) -> None:
        self.told.append(told)


def carry_out(app: web.Application, aftermath: Aftermath) -> None:
    """Send and tell; nothing here waits and nothing here can fail the request that is already durable."""
    for reply in aftermath.replies:
        app[PUSH](reply)
    for told in aftermath.told:
        app[STORY].tell(told)
