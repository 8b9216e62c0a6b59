"""`guelta field ports`: what the system says of its serial ports. None is opened."""

from __future__ import annotations

from .ports import REMEMBERED, attached
from .texts import Texts
from .verb import Tool, verb

HELP = (
    "List this machine's serial ports: path, serial number, USB id, board. Opens none of them.",
    "Lister les ports série de cette machine : chemin, numéro de série, numéro USB, carte. N’en ouvre aucun.",
)
TEXTS: Texts = {
    "none": ("No serial ports. Plug the meter's cable in.", "Aucun port série. Branchez le câble du compteur."),
    "known": ("known: {board}", "connu : {board}"),
    "unknown": ("not known: never opened unless --port names it", "inconnu : jamais ouvert sans --port"),
    "remembered": ("the last one that answered", "le dernier qui a répondu"),
}


@verb("ports", HELP, TEXTS, port=False)
def ports(tool: Tool) -> None:
    found = attached()
    last = tool.store.config().get(REMEMBERED)
    document = {
        "ports": [
            {
                "path": one.path,
                "serial": one.serial,
                "usb": "" if one.usb is None else f"{one.usb[0]:04x}:{one.usb[1]:04x}",
                "product": one.product,
                "board": one.board,
                "remembered": bool(one.serial) and one.serial == last,
            }
            for one in found
        ]
    }
    lines = []
    for one, told in zip(found, document["ports"], strict=True):
        words = [one.path, f"serial:{one.serial}" if one.serial else "-", str(told["usb"]) or "-"]
        words.append(tool.text("known", board=one.board) if one.board else tool.text("unknown"))
        if told["remembered"]:
            words.append(f"({tool.text('remembered')})")
        lines.append("  ".join(words))
    if not found:
        tool.say("none")
    tool.result(document, lines)
