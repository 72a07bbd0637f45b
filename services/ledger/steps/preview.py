"""What posting would reply now, by the same rules on balances as they are.

A group is posted and undone: only so it is known whether all of it goes. Nothing else is locked or written.
"""

from collections.abc import Sequence

from fleet.database import Tx
from services.ledger import steps, store
from services.ledger.domain.journals import (
    JournalReply,
    JournalRequest,
    PostedJournal,
    PostingResult,
    RefusedJournal,
    Repeated,
)
from services.ledger.domain.posting import (
    PostingPreview,
    balances_left,
    balances_to_lock,
    date_into_open_period,
    decide_posting,
)
from services.ledger.domain.validation import ValidRequest, validate
from services.ledger.domain.wallets import Balance


async def preview(tx: Tx, requests: Sequence[JournalRequest | RefusedJournal]) -> PostingPreview:
    """Decide as `posting.post` would, on balances as they are now; others may post before it is done."""
    checked = [item if isinstance(item, RefusedJournal) else validate(item) for item in requests]
    valid = [item for item in checked if isinstance(item, ValidRequest)]
    if closed_until := await store.periods.closed_until(tx):
        valid = date_into_open_period(valid, closed_until)
    existing = await store.journals.existing(tx, [item.request.source for item in valid])
    keys = balances_to_lock(valid, existing)
    there = await store.balances.read(tx, keys)
    nothing = Balance(wallet_id=0, amount=0, version=0)
    balances = {key: there.get(key, nothing) for key in keys}
    credited = await store.journals.credited(tx, (item.request.moves for item in valid))
    decided = decide_posting(valid, existing, balances, credited)
    results = iter(await _with_repeats_read(tx, decided))
    return PostingPreview(
        results=[item if isinstance(item, RefusedJournal) else next(results) for item in checked],
        balances=balances_left(decided),
    )


async def _with_repeats_read(tx: Tx, results: Sequence[PostingResult]) -> list[PostingResult | PostedJournal]:
    there = await store.journals.posted(tx, [one.journal_id for one in results if isinstance(one, Repeated)])
    return [there.get(one.journal_id, one) if isinstance(one, Repeated) else one for one in results]


class _Undo(Exception):
    """Undoes a rehearsal."""


async def preview_group(
    tx: Tx, name: str, requests: Sequence[JournalRequest | RefusedJournal]
) -> PostingPreview:
    """Post a group and undo it: what its journals would be replied, each on top of the one before."""
    replies: list[JournalReply] = []
    try:
        async with tx.savepoint():
            replies += await steps.groups.post_group(tx, name, requests)
            raise _Undo
    except _Undo:
        pass
    fresh = [one.journal for one in replies if isinstance(one, PostedJournal) and not one.repeated]
    results: list[PostingResult | PostedJournal] = [
        one.journal if isinstance(one, PostedJournal) and not one.repeated else one for one in replies
    ]
    return PostingPreview(results=results, balances=balances_left(fresh))
