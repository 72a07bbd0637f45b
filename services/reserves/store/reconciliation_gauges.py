"""SQL of what the comparison with Stripe shows: breaks by class, what they come to, ages."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from fleet.database import Tx

_BREAKS: Final = """
    SELECT class, count(*) AS number FROM break WHERE closed_at IS NULL GROUP BY class
"""
# What real breaks come to, each without its sign: two that cancel each other are two. And what has no name
# at all.
_DRIFTS: Final = """
    SELECT currency, sum(amount) AS amount FROM (
        SELECT currency, abs(amount) AS amount FROM break WHERE closed_at IS NULL AND class <> 'timing'
        UNION ALL
        SELECT currency, amount FROM (
            SELECT DISTINCT ON (currency) currency, abs(stripe_closing - books_closing - explained) AS amount
            FROM day ORDER BY currency, business_date DESC) AS latest
    ) AS part GROUP BY currency
"""
_OTHERS: Final = """
    SELECT (SELECT greatest(now() - min(opened_at), interval '0') FROM break
            WHERE closed_at IS NULL AND class <> 'timing') AS oldest,
           (SELECT greatest(now() - completed_at, interval '0') FROM comparison) AS age
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Breaks by class, what real ones come to by currency, how old the oldest and the last comparison is."""

    breaks: dict[str, int]
    drifts: dict[str, int]
    oldest: timedelta
    age: timedelta


async def standing(tx: Tx) -> Standing:
    """How the comparison with Stripe stands."""
    others = await tx.one(_OTHERS)
    return Standing(
        breaks={row[0]: row.number for row in await tx.all(_BREAKS)},
        drifts={row.currency: int(row.amount) for row in await tx.all(_DRIFTS)},
        oldest=others.oldest or timedelta(),
        age=others.age or timedelta(),
    )
