"""What people decide: that all of the book is told again, rates, and refused flights."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from fleet import outbox
from fleet.database import Tx
from fleet.decisions import Action, Decision, Ruling, refused
from fleet.envelope import first_cause
from services.billing import store, wire
from services.billing.desk import letters, own_limits, proposals

BOOK: Final = "school"


async def tell(tx: Tx, decision: Decision, now: datetime) -> Ruling:
    """Tell every version of the book again on `school.accepted`, as the same events. Object: "school".

    Who has read them drops them; a reader that is new, or whose records were deleted, gets the book.
    """
    if decision.object != BOOK:
        return refused(f"there is no book {decision.object}; the school's is called {BOOK}")
    if not decision.why.strip():
        return refused("say why: the reason stays with the decision")
    versions = await store.book.versions(tx)
    cause = first_cause()
    await outbox.stage_named(tx, [wire.events.school_accepted(one, key, cause) for one, key in versions])
    return Ruling(done=True, sentence=f"{len(versions)} versions of the book are told again")


ACTIONS: Final[Mapping[str, Action]] = {
    "tell": Action(judge=tell, changes_tables=False),
    **proposals.ACTIONS,
    **letters.ACTIONS,
    **own_limits.ACTIONS,
}
