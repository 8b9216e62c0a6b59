"""R from the number of instalments: each is whole or not at all, so the count names the sum (SEMANTICS B7)."""

from protocol.rules.debt import Plan


def collected_after(plan: Plan | None, collected_mills: int, instalments: int) -> tuple[int, bool]:
    """(R after so many more instalments, whether the plan allows them).

    A plan of 2,500 in instalments of 1,000: three instalments make 2,500; a fourth is out of bounds and adds nothing.
    """
    for _ in range(instalments):
        due_mills = 0 if plan is None else min(plan.amount_mills, plan.ceiling_mills - collected_mills)
        if due_mills <= 0:
            return collected_mills, False
        collected_mills += due_mills
    return collected_mills, True
