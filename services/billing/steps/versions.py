"""A version of the book that people decided on here: applied, and published like any other."""

from typing import Final

from fleet import inbox, outbox
from fleet.database import Tx
from fleet.envelope import derived_key, first_cause
from fleet.faults import fault_point
from services.billing import metrics, store, wire
from services.billing.domain.versions import ChangeSet

CONFIGURED: Final = "school.configured"


async def apply_decided(tx: Tx, changes: ChangeSet, named: str, *, dry_run: bool) -> None:
    """Apply a judged change set under the book's lock, and stage it as `school.configured` and accepted.

    named: what was decided on; the event's id follows from it. The inbox knows the event from now on.
    dry_run: it is undone again, and not counted.
    """
    event_key, cause = derived_key(CONFIGURED, tx.service, named), first_cause()
    configured = wire.events.school_configured_of(changes, event_key, cause)
    await store.book.apply(tx, changes, event_key)
    await fault_point("billing.book_written")
    await inbox.remember(tx, configured)
    await outbox.stage(tx, [configured])
    await outbox.stage_named(tx, [wire.events.school_accepted(changes, event_key, cause)])
    if not dry_run:
        metrics.VERSIONS.labels("applied").inc()
