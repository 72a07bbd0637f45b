"""The statements about the queue of payments that name nobody."""

from collections.abc import Mapping
from datetime import datetime

from fleet.database import Tx

_QUEUE = """
    INSERT INTO unallocated_payment (charge_id, closest)
    SELECT * FROM unnest(CAST(:ids AS text[]), CAST(:closest AS text[]))
    ON CONFLICT (charge_id) DO UPDATE SET closest = excluded.closest
"""


async def queue(tx: Tx, closest: Mapping[str, str | None]) -> None:
    """Queue payments that name no known student, each with the student whose name is closest to theirs."""
    await tx.execute(_QUEUE, ids=list(closest), closest=list(closest.values()))


_CLOSE = """
    UPDATE unallocated_payment AS queue
    SET student = named.student, allocated_at = :at, allocated_by = :by
    FROM unnest(CAST(:ids AS text[]), CAST(:students AS text[])) AS named (charge_id, student)
    WHERE queue.charge_id = named.charge_id AND queue.student IS NULL
"""


async def close(tx: Tx, students: Mapping[str, str], *, allocated_by: str, at: datetime) -> None:
    """Write beside queued payments whose they are; `students` maps a charge to its student."""
    await tx.execute(_CLOSE, ids=list(students), students=list(students.values()), by=allocated_by, at=at)
