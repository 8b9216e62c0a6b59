"""R from the number of instalments: each is whole or not at all, so the count names the sum (SEMANTICS B7)."""

from collections.abc import Sequence
from dataclasses import dataclass

from protocol.rules.debt import Plan


@dataclass(frozen=True, slots=True)
class PlansTold:
    """Which plan took which instalment. `changes`: (instalments made when a meter first told of a plan, the plan), in
    order of versions; a plan acts after the slot it came in, so the instalments counted by then were not its own.
    `otherwise`: the plan of a meter that told of none.
    """

    changes: tuple[tuple[int, Plan], ...]
    otherwise: Plan | None

    def of(self, number: int) -> Plan | None:
        """The plan that took instalment `number`, counted from 1."""
        if not self.changes:
            return self.otherwise
        acting = [plan for count, plan in self.changes if count < number]
        return acting[-1] if acting else self.changes[0][1]


def collected_after(plans: PlansTold, collected_mills: int, made: int, instalments: int) -> tuple[int, bool]:
    """(R after so many more instalments than were `made`, whether the plans allow them).

    A plan of 2,500 in instalments of 1,000: three instalments make 2,500; a fourth is out of bounds and adds nothing.
    """
    for number in range(made + 1, made + instalments + 1):
        plan = plans.of(number)
        due_mills = 0 if plan is None else min(plan.amount_mills, plan.ceiling_mills - collected_mills)
        if due_mills <= 0:
            return collected_mills, False
        collected_mills += due_mills
    return collected_mills, True


def within_bounds(plans: Sequence[Plan], made: int, collected_mills: int) -> bool:
    """Whether so many instalments of any of these plans may have come to that R.

    Plans of 1,000 and of 300 a day, both up to 2,500: four instalments came to 1,200 at least and 2,500 at most.
    """
    if made == 0 or not plans:
        return collected_mills == 0
    sums = [min(made * plan.amount_mills, plan.ceiling_mills) for plan in plans]
    return bool(min(sums) <= collected_mills <= max(sums))
