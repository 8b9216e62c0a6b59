"""Every target: a parser, or a few that read the same input, and what `make worlds` spends on it.

A target is a module of targets/ with `one(data)`, which raises nothing for what its parser accepts and for what it
refuses in its own way, and `seeds()`, good inputs to begin with. `guided` names the packages whose branches guide the
search; `runs` is what `make worlds` tries from the committed corpus.
"""

from typing import NamedTuple

PROTOCOL = ("protocol",)
DEVICE = ("protocol", "firmware")
BODIES = ("headend.api.strict_json", "headend.api.shapes", "headend.api.problems", "headend.api.field_words")
BILLER = (*BODIES, "headend.payments.amounts", "headend.payments.notify", "headend.payments.inquire")
ADDRESSES = (*BODIES, "headend.api.dispatch", "headend.api.language")
FILES = ("headend.configuration", "headend.settings", "headend.meters.key_file", "tomllib")


class Target(NamedTuple):
    """`most` is the length of the longest input that is tried."""

    name: str
    guided: tuple[str, ...]
    runs: int
    most: int


TARGETS = (
    Target("cbor", PROTOCOL, 5_000, 242),
    Target("frames", PROTOCOL, 4_000, 240),
    Target("windows", PROTOCOL, 2_500, 128),
    Target("uplinks", PROTOCOL, 800, 213),
    Target("downlinks", PROTOCOL, 6_000, 42),
    Target("logs", PROTOCOL, 400, 128),
    Target("parts", DEVICE, 2_500, 360),
    Target("tariff_bodies", PROTOCOL, 5_000, 244),
    Target("policy_bodies", PROTOCOL, 5_000, 244),
    Target("plan_bodies", PROTOCOL, 6_000, 64),
    Target("manifests", PROTOCOL, 6_000, 160),
    Target("serial_lines", PROTOCOL, 600, 600),
    Target("console_messages", PROTOCOL, 600, 256),
    Target("grants", PROTOCOL, 6_000, 32),
    Target("flash_records", DEVICE, 1_500, 600),
    Target("identities", DEVICE, 4_000, 900),
    Target("loader", DEVICE, 800, 640),
    Target("lock_step", (*DEVICE, "simulator.link"), 4_000, 256),
    Target("service_port", DEVICE, 150, 400),
    Target("blank_board", DEVICE, 250, 900),
    Target("meter_downlinks", DEVICE, 80, 128),
    Target("meter_answers", ("protocol.wire", "fieldtool"), 250, 600),
    Target("tool_folder", ("fieldtool",), 400, 900),
    Target("office_answers", ("fieldtool",), 200, 900),
    Target("positions", ("fieldtool.position",), 6_000, 120),
    Target("uplink_bodies", ("headend.bearers", "protocol.wire.cbor"), 1_500, 700),
    Target("network_server", ("headend.bearers.chirpstack",), 1_500, 700),
    Target("biller", BILLER, 1_000, 600),
    Target("signatures", ("headend.payments.signature",), 3_000, 400),
    Target("rest_bodies", BODIES, 600, 900),
    Target("rest_addresses", ADDRESSES, 500, 300),
    Target("configuration", FILES, 500, 600),
)
BY_NAME = {target.name: target for target in TARGETS}

# The controls: parsers with a planted fault, found by the same driver within the same budget.
PLANTED = (
    Target("planted_escape", ("tests.fuzz.targets",), 200_000, 64),
    Target("planted_two_forms", ("tests.fuzz.targets",), 200_000, 64),
    Target("planted_hang", ("tests.fuzz.targets",), 200_000, 64),
)
