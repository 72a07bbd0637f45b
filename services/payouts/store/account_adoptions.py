"""SQL of accounts at Stripe that a person said belong to a payee."""

from datetime import datetime
from uuid import UUID

from fleet.database import Tx
from services.payouts.domain.existing_accounts import AdoptionRequest

_REQUEST = """
    INSERT INTO account_adoption (id, wallet, stripe_account, who, why, requested_at)
    VALUES (:id, :wallet, :stripe_account, :who, :why, :now)
"""


async def request(tx: Tx, asked: AdoptionRequest, *, who: str, why: str, now: datetime) -> None:
    """Have an account read from Stripe and taken for a payee."""
    await tx.execute(
        _REQUEST,
        id=asked.id,
        wallet=asked.wallet,
        stripe_account=asked.stripe_account,
        who=who,
        why=why,
        now=now,
    )


_OPEN = """
    SELECT id, wallet, stripe_account FROM account_adoption WHERE answered_at IS NULL
    ORDER BY requested_at LIMIT 20
"""


async def open_requests(tx: Tx) -> list[AdoptionRequest]:
    """Accounts that wait to be read, oldest first, at most 20."""
    return [
        AdoptionRequest(id=row.id, wallet=row.wallet, stripe_account=row.stripe_account)
        for row in await tx.all(_OPEN)
    ]


_ANSWER = """
    UPDATE account_adoption SET answered_at = :now, problem = :problem WHERE id = :id AND answered_at IS NULL
"""


async def answer(tx: Tx, request_id: UUID, problem: str | None, now: datetime) -> None:
    """Note that an account was taken, or in `problem` why not."""
    await tx.execute(_ANSWER, id=request_id, problem=problem, now=now)


_UNDER_WAY = """
    SELECT state FROM operation
    WHERE wallet = :wallet AND kind = 'account'
      AND (state IN ('in_flight', 'parked') OR state = 'due' AND first_sent_at IS NOT NULL)
    ORDER BY sequence LIMIT 1
"""
_CANCEL = """
    UPDATE operation SET state = 'cancelled', reason = 'adopted', sentence = :sentence, finished_at = :now
    WHERE wallet = :wallet AND kind = 'account' AND state IN ('due', 'held', 'refused')
"""


async def cancel_requests(tx: Tx, wallet: str, sentence: str, now: datetime) -> str | None:
    """Give up the requests for an account that a payee no longer needs; the payee is locked.

    The state of one that may have had an effect; then nothing is given up.
    """
    row = await tx.first(_UNDER_WAY, wallet=wallet)
    if row is not None:
        return str(row.state)
    await tx.execute(_CANCEL, wallet=wallet, sentence=sentence, now=now)
    return None
