"""Enrolling a technician's tool: its public key, with which it signs the records of what was done."""

from typing import Annotated

from msgspec import Meta

from headend.api.endpoint import FIELD, Endpoint
from headend.api.field_shapes import Fingerprint, Tool
from headend.api.keys import Caller
from headend.api.shapes import Request, Response
from headend.field.technicians import enrol
from headend.storage.writer import Tx

PublicKey = Annotated[
    str,
    Meta(
        pattern=r"^[0-9a-f]{64}(?![\s\S])",
        description="an Ed25519 public key: 32 bytes as 64 lower-case hex digits",
        examples=["d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"],
    ),
]


class ToolToEnrol(Request):
    """The Ed25519 public key that the tool made for itself, and what the tool calls itself."""

    public_key: PublicKey
    tool: Tool


class EnrolledTool(Response):
    """`technician` is the name of the API key; compare `fingerprint` with what the tool shows."""

    technician: str
    fingerprint: Fingerprint


def enrol_tool(tx: Tx, caller: Caller, body: ToolToEnrol) -> EnrolledTool:
    """Take records signed with this key from now on, from the caller alone."""
    return EnrolledTool(caller.name, enrol(tx, caller.name, bytes.fromhex(body.public_key), body.tool))


ENDPOINTS = (
    Endpoint(
        "POST",
        "/v1/field/enrolments",
        enrol_tool,
        "Enrol a technician's tool",
        "Field work",
        FIELD,
        writes=True,
        by_content=True,
        status=201,
        refusals=("tool_key", "tool_taken"),
    ),
)
