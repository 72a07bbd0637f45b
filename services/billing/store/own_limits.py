"""The statements about a student's own limit."""

from datetime import date
from typing import Final

from fleet.database import Tx

_KNOWN: Final = """
    SELECT EXISTS (SELECT FROM card WHERE kind IN ('student', 'credit_limit') AND key = :student)
        OR EXISTS (SELECT FROM bill WHERE student = :student) AS known
"""


async def is_known(tx: Tx, student: str) -> bool:
    """Whether the book or a bill names this student."""
    return bool((await tx.one(_KNOWN, student=student)).known)


_POLICY: Final = """
    SELECT (document ->> 'allowed_by_one_up_to')::bigint AS amount FROM card
    WHERE kind = 'credit' AND effective_from <= :day ORDER BY effective_from DESC LIMIT 1
"""


async def allowed_by_one_up_to(tx: Tx, day: date) -> int:
    """By how much one person alone may let a student owe more, by the policy of a day."""
    row = await tx.first(_POLICY, day=day)
    return int(row.amount or 0) if row else 0


_ZONE: Final = "SELECT document ->> 'time_zone' AS zone FROM card WHERE kind = 'school'"


async def time_zone(tx: Tx) -> str:
    """Where the school's days begin."""
    row = await tx.first(_ZONE)
    return str(row.zone) if row and row.zone else "UTC"
