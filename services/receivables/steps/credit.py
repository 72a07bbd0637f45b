"""Follows what the school's book says of credit."""

from collections.abc import Sequence

from fleet.database import Tx
from services.receivables import store
from services.receivables.wire.book import BookRead


async def follow_book(tx: Tx, versions: Sequence[BookRead]) -> None:
    """Keep the policy on credit, students' own limits, the time zone and the currency."""
    if not versions:
        return
    named = [(read.version, *read.school) for read in versions if read.school is not None]
    await store.credit.follow_school(
        tx, version=max(read.version for read in versions), named=max(named, default=None)
    )
    await store.credit.keep_policies(tx, [card for read in versions for card in read.policies])
    await store.credit.keep_limits(tx, [card for read in versions for card in read.limits])
