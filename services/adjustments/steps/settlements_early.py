"""Hears answers that came before their settlement began: a restore has lost the decision (decision 0224)."""

from collections.abc import Collection
from datetime import datetime
from typing import Final
from uuid import UUID

from fleet.database import Tx
from services.adjustments import store
from services.adjustments.domain.settlements_sent import Posted, Refunded, Reversed
from services.adjustments.steps import settlements, settlements_refunds

BATCH_MAX: Final = 500


async def hear(tx: Tx, ids: Collection[UUID], now: datetime) -> int:
    """Take the answers that are kept of these settlements as if they came now; how many there were."""
    answers = await store.settlements_early.take(tx, ids)
    if answers:
        await settlements.take_posted(tx, [one for one in answers if isinstance(one, Posted)], now)
        await settlements.take_reversals(tx, [one for one in answers if isinstance(one, Reversed)], now)
        refunded = [one for one in answers if isinstance(one, Refunded)]
        await settlements_refunds.take_answers(tx, refunded, now)
    return len(answers)


async def hear_missed(tx: Tx, now: datetime) -> int:
    """Hear what was kept while its settlement began in another transaction; how many there were."""
    return await hear(tx, await store.settlements_early.missed(tx, BATCH_MAX), now)
