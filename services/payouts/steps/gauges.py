"""Set the gauges that are read from the tables, so that any process may show them."""

from datetime import timedelta
from itertools import product

from fleet.database import Database
from services.payouts import metrics, store
from services.payouts.domain.operations import STOPPED, Kind, State
from services.payouts.domain.transfers import HoldReason, TransferState


async def measure(db: Database) -> int:
    """Set the gauges. Returns 0, so that the loop rests."""
    async with db.transaction() as tx:
        transfers = await store.gauges.transfers_by_state(tx)
        held = await store.gauges.held_by_reason(tx)
        operations = await store.gauges.operations_by_kind_and_state(tx)
        stopped = await store.gauges.stopped_by_kind_and_state(tx)
        oldest_due_age = await store.gauges.oldest_due_age(tx)
        odd_objects = await store.odd_objects.count_open(tx)
        listing_age = await store.gauges.listing_age(tx)
        unexplained = await store.movements.count_unexplained(tx)
        movements_age_s = await store.movements.listing_age_s(tx)
        refunds = await store.refunds.under_way(tx)
        charge_age_s = await store.charges.oldest_age_s(tx)
        kept, erased = await store.contacts.count(tx)
        clawbacks = await store.clawbacks.under_way(tx)
    for state in TransferState:
        metrics.STATES.labels(state).set(transfers.get(state, 0))
    for reason in HoldReason:
        metrics.HELD.labels(reason).set(held.get(reason, 0))
    for place in product(Kind, State):
        metrics.OPERATIONS.labels(*place).set(operations.get(place, 0))
    for place in product(Kind, STOPPED):
        metrics.STOPPED_OPERATIONS.labels(*place).set(stopped.get(place, 0))
    metrics.OLDEST_DUE.set(oldest_due_age.total_seconds())
    metrics.ODD_OBJECTS.set(odd_objects)
    metrics.LISTING_AGE.set(listing_age.total_seconds())
    metrics.MOVEMENTS_UNEXPLAINED.set(unexplained)
    metrics.MOVEMENTS_AGE.set(movements_age_s)
    for standing in metrics.CLAWBACK_STATES:
        n, age = clawbacks.get(standing, (0, timedelta()))
        metrics.CLAWBACKS.labels(standing).set(n)
        metrics.CLAWBACK_AGE.labels(standing).set(age.total_seconds())
    for standing in metrics.REFUND_STATES:
        n, age = refunds.get(standing, (0, timedelta()))
        metrics.REFUNDS.labels(standing).set(n)
        metrics.REFUND_AGE.labels(standing).set(age.total_seconds())
    metrics.CHARGE_AGE.set(charge_age_s)
    metrics.PEOPLE.labels("no").set(kept)
    metrics.PEOPLE.labels("yes").set(erased)
    return 0
