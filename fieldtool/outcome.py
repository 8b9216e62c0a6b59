"""What a step of the checklist comes to: a frozen value with its instant, as it stands in journal and record."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

PASSED = "passed"
FAILED = "failed"
WAIVED = "waived"
OUTCOMES = (PASSED, FAILED, WAIVED)

Values = Mapping[str, int | str]


@dataclass(frozen=True)
class Outcome:
    """`values` were measured or told, `limits` are what they were held against; what is not passed has a reason."""

    outcome: str
    values: Values = field(default_factory=dict)
    limits: Values = field(default_factory=dict)
    reason: str = ""

    def __post_init__(self) -> None:
        assert self.outcome in OUTCOMES and (self.outcome == PASSED or self.reason)
        object.__setattr__(self, "values", MappingProxyType(dict(self.values)))
        object.__setattr__(self, "limits", MappingProxyType(dict(self.limits)))


@dataclass(frozen=True)
class Done:
    """A finished step."""

    name: str
    at: int
    result: Outcome

    def as_json(self) -> dict[str, Any]:
        """As in the record: the reason is one of the values."""
        values: dict[str, int | str] = dict(self.result.values)
        if self.result.reason:
            values["reason"] = self.result.reason
        return {
            "name": self.name,
            "at": self.at,
            "outcome": self.result.outcome,
            "values": values,
            "limits": dict(self.result.limits),
        }


def from_json(stored: Any) -> Done:
    """The step that as_json() stored. Raises KeyError, TypeError or AssertionError for anything else."""
    values = dict(stored["values"])
    reason = str(values.pop("reason", ""))
    return Done(str(stored["name"]), int(stored["at"]), Outcome(stored["outcome"], values, stored["limits"], reason))
