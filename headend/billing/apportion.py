"""Sharing a whole amount over parts that are known more finely, so that nothing appears or vanishes."""

from collections.abc import Sequence

from protocol.rules.rating import MILL


def apportion(parts: Sequence[int], total: int) -> tuple[int, ...]:
    """Whole mills per part, summing to `total`, as near as can be to `parts` at scale 4 (largest remainder).

    Parts of 1.6, 2.6 and 0.8 mills share 5 as 2, 2 and 1: floors 1, 2, 0 leave 2, for the remainders .8 and .6 (the
    first of two equal ones). Parts may be negative; a part of nothing gets nothing. `total` must be within one mill
    per part of their sum; otherwise what is too much goes to the largest part.
    """
    shares = [part // MILL for part in parts]
    left = total - sum(shares)
    by_remainder = sorted((i for i, part in enumerate(parts) if part), key=lambda i: (-(parts[i] % MILL), i))
    for i in by_remainder:
        if left <= 0:
            break
        shares[i] += 1
        left -= 1
    for i in reversed(by_remainder):
        if left >= 0:
            break
        shares[i] -= 1
        left += 1
    if left:
        shares[max(range(len(parts)), key=lambda i: parts[i])] += left
    return tuple(shares)


def apportion_charges(parts: Sequence[int], total: int) -> tuple[int, ...]:
    """The same for parts of a charge, none of which may be negative: a part that would be gives way to the others.

    A part can be slightly negative, because earlier mills were shared upwards and are taken off here.
    """
    shares = [max(0, share) for share in apportion(parts, total)]
    return bend(shares, total - sum(shares))


def bend(shares: Sequence[int], by: int) -> tuple[int, ...]:
    """Raise the first share by `by`, or take from the largest ones down to nothing. Raises ValueError if too much."""
    bent = list(shares)
    if by >= 0:
        bent[0] += by
        return tuple(bent)
    if sum(bent) + by < 0:
        raise ValueError(f"cannot take {-by} from {bent}")
    while by < 0:
        largest = max(range(len(bent)), key=lambda i: (bent[i], -i))
        taken = min(bent[largest], -by)
        bent[largest] -= taken
        by += taken
    return tuple(bent)
