"""Whether a decision names a student whom the book or a bill knows."""

from fleet.database import Tx
from fleet.decisions import Ruling, refused
from services.receivables import store
from services.receivables.domain.students import closest_student


async def unless_known(tx: Tx, student: str) -> Ruling | None:
    """The refusal of a student whom nothing knows, with the name that may be meant; None: it is known."""
    if student in await store.students.known(tx, [student]):
        return None
    near = closest_student(student, await store.students.everyone(tx))
    meant = f"; did you mean {near!r}?" if near else ""
    return refused(f"no student {student!r} has a card or a bill{meant}")
