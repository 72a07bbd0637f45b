"""A version of the book that people decided on here: applied, and published like any other."""

from typing import Final
from uuid import UUID

from fleet import inbox, outbox
from fleet.database import Tx
from fleet.envelope import derived_key, first_cause
from fleet.faults import fault_point
from services.billing import metrics, store, wire
from services.billing.domain.versions import ChangeRefusal, ChangeSet, judge_change_set

CONFIGURED: Final = "school.configured"


async def refusal_of(tx: Tx, changes: ChangeSet, *, version: int) -> ChangeRefusal | None:
    """Why a change set may not follow the book's `version`, which is locked; None when it may."""
    currency, has_bills = await store.book.currency(tx)
    told = wire.events.school_accepted(changes, UUID(int=0), first_cause())
    fits = len(told.body) <= outbox.VALUE_BYTES_MAX
    return judge_change_set(changes, version=version, currency=currency, has_bills=has_bills, fits=fits)


async def apply_decided(tx: Tx, changes: ChangeSet, named: str, *, dry_run: bool) -> UUID:
    """Apply a judged change set under the book's lock, and stage it as `school.configured` and accepted.

    named: what was decided on; the event's id, which is returned, follows from it. The inbox knows the event
    from now on. dry_run: it is undone again, and not counted.
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
    return event_key
