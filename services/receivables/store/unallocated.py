"""The statements about the queue of payments that name nobody."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from fleet.database import Tx

_QUEUE = """
    INSERT INTO unallocated_payment (charge_id) SELECT unnest(CAST(:ids AS text[]))
    ON CONFLICT (charge_id) DO NOTHING
"""


async def queue(tx: Tx, charge_ids: Sequence[str]) -> None:
    """Queue payments that name nobody; those that are queued already stay as they are."""
    await tx.execute(_QUEUE, ids=charge_ids)


_CLOSE = """
    UPDATE unallocated_payment AS queue
    SET student = named.student, allocated_at = :at, allocated_by = :by
    FROM unnest(CAST(:ids AS text[]), CAST(:students AS text[])) AS named (charge_id, student)
    WHERE queue.charge_id = named.charge_id AND queue.student IS NULL
"""


async def close(tx: Tx, students: Mapping[str, str], *, allocated_by: str, at: datetime) -> None:
    """Write beside queued payments whose they are; `students` maps a charge to its student."""
    await tx.execute(_CLOSE, ids=list(students), students=list(students.values()), by=allocated_by, at=at)
