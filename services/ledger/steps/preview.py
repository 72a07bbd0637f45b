"""What posting would answer now, by the same rules on balances as they are. It locks and writes nothing."""

from collections.abc import Sequence

from fleet.database import Tx
from services.ledger import store
from services.ledger.domain.journals import JournalRequest, Refused
from services.ledger.domain.posting import (
    Rehearsal,
    balances_left,
    balances_to_lock,
    date_into_open_period,
    decide_posting,
)
from services.ledger.domain.screening import Sound, screen
from services.ledger.domain.wallets import Balance


async def rehearse(tx: Tx, requests: Sequence[JournalRequest | Refused]) -> Rehearsal:
    """Decide as `post` would, on balances as they stand; somebody else may post in between."""
    screened = [item if isinstance(item, Refused) else screen(item) for item in requests]
    sound = [item for item in screened if isinstance(item, Sound)]
    if closed_until := await store.periods.closed_until(tx):
        sound = date_into_open_period(sound, closed_until)
    standing = await store.journals.standing(tx, [item.request.source for item in sound])
    keys = balances_to_lock(sound, standing)
    there = await store.balances.read(tx, keys)
    nothing = Balance(wallet_id=0, amount=0, version=0)
    decided = decide_posting(sound, standing, {key: there.get(key, nothing) for key in keys})
    verdicts = iter(decided)
    return Rehearsal(
        verdicts=[item if isinstance(item, Refused) else next(verdicts) for item in screened],
        balances=balances_left(decided),
    )
