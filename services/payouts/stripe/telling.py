"""Tell other services of the rows of Stripe's balance, each version once, in the transaction that notes it.

A release before this one noted rows and told nobody: they are told by `tell_all_left`, at the next listing.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from fleet import outbox
from fleet.database import Database, Tx
from services.payouts import store, wire

TOLD_AT_ONCE: Final = 500


async def tell(tx: Tx, transaction_ids: Sequence[str]) -> None:
    """Stage the newest versions of these rows, unless they were told."""
    rows = await store.told_movements.take(tx, transaction_ids)
    await outbox.stage(tx, [wire.movements.shown(row) for row in rows])


async def tell_left(tx: Tx, now: datetime) -> int:
    """Stage some rows that nobody was told of, and what is left of the opening; how many rows."""
    left = await store.told_movements.left(tx, TOLD_AT_ONCE)
    await tell(tx, left)
    openings = await store.told_movements.take_openings(tx)
    await outbox.stage(tx, [wire.movements.unlisted(opening, now) for opening in openings])
    return len(left)


async def tell_all_left(db: Database, now: datetime) -> None:
    """Tell all that nobody was told of, a batch in each transaction."""
    told = TOLD_AT_ONCE
    while told == TOLD_AT_ONCE:
        async with db.transaction() as tx:
            told = await tell_left(tx, now)
