"""What posting would reply now, by the same rules on balances as they are. It locks and writes nothing."""

from collections.abc import Sequence

from fleet.database import Tx
from services.ledger import store
from services.ledger.domain.journals import JournalRequest, RefusedJournal
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
    decided = decide_posting(valid, existing, {key: there.get(key, nothing) for key in keys})
    results = iter(decided)
    return PostingPreview(
        results=[item if isinstance(item, RefusedJournal) else next(results) for item in checked],
        balances=balances_left(decided),
    )
