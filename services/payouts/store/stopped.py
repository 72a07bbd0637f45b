"""SQL of operations that Stripe refused, or that are parked: which stand, when they are tried again."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from fleet.cause import Cause
from fleet.database import Tx
from services.payouts.domain.operations import Kind, State
from services.payouts.domain.retries import Occasion, RefusedOperation, StoppedOperation
from services.payouts.domain.transfers import TransferState

_TOLD = (
    "SELECT DISTINCT told FROM payouts_public.stopped_operations WHERE told = ANY (CAST(:causes AS text[]))"
)


async def told_already(tx: Tx, causes: Collection[str]) -> set[str]:
    """Those of the causes for which some operation stands stopped, and of which people were told."""
    return {row.told for row in await tx.all(_TOLD, causes=sorted(causes))} if causes else set()


_WALLETS_DUE = """
    SELECT DISTINCT wallet FROM operation
    WHERE retry_at <= :now AND state IN ('refused', 'parked') ORDER BY wallet LIMIT :most
"""


async def wallets_due(tx: Tx, now: datetime, most: int) -> list[str]:
    """Wallets with a stopped operation that is to be tried again now. Without locks: payees come first."""
    return [row.wallet for row in await tx.all(_WALLETS_DUE, now=now, most=most)]


_STANDING = """
    SELECT id, kind, wallet, reason, sentence FROM payouts_public.stopped_operations
    WHERE state = 'refused' ORDER BY stopped_at, id
"""


async def refused(tx: Tx) -> list[RefusedOperation]:
    """Refused operations that nobody dealt with, oldest first. Without locks."""
    return [
        RefusedOperation(
            id=row.id, kind=Kind(row.kind), wallet=row.wallet, reason=row.reason, sentence=row.sentence
        )
        for row in await tx.all(_STANDING)
    ]


# Nobody waits here: whoever has one of these rows is about to try it again, or to complete it.
_HASTEN = """
    UPDATE operation SET retry_at = :now, retry_for = :occasion
    WHERE id IN (SELECT id FROM operation WHERE id = ANY (CAST(:ids AS uuid[])) AND state = 'refused'
                   AND coalesce(retry_at > :now, true)
                 ORDER BY id FOR UPDATE SKIP LOCKED)
"""


async def hasten(tx: Tx, ids: Collection[UUID], occasion: Occasion, now: datetime) -> None:
    """Have refused operations tried again now, by the loop that locks their payees first."""
    if ids:
        await tx.execute(_HASTEN, ids=list(ids), occasion=str(occasion), now=now)


# What is due by the clock is read also when nothing of it is left to be dealt with.
_LOCK = """
    SELECT operation.id, operation.kind, operation.wallet, operation.state, operation.reason,
           operation.sentence, operation.generation, CAST(operation.trace AS text) AS trace,
           operation.transfer_id, operation.amount, operation.currency, operation.retry_for,
           transfer.state AS transfer_state,
           coalesce(transfer.amount - transfer.amount_reversed, 0) AS left,
           EXISTS (SELECT FROM reversal WHERE reversal.transfer_id = transfer.id
                   AND reversal.reversed_at > operation.created_at) AS taken_back,
           EXISTS (SELECT FROM payout_part AS part WHERE part.transfer_id = transfer.id) AS brought,
           EXISTS (SELECT FROM payout WHERE payout.stripe_account = operation.stripe_account
                   AND status IN ('pending', 'in_transit') AND made_at >= transfer.sent_at) AS on_its_way,
           EXISTS (SELECT FROM operation AS later
                   WHERE operation.kind = 'account' AND later.kind = 'account'
                     AND later.wallet = operation.wallet AND later.sequence > operation.sequence) AS followed
    FROM operation LEFT JOIN transfer ON transfer.id = operation.transfer_id
    WHERE operation.wallet = ANY (CAST(:wallets AS text[])) AND operation.state IN ('refused', 'parked')
      AND CASE WHEN CAST(:due AS timestamptz) IS NOT NULL THEN operation.retry_at <= :due
          ELSE operation.id IN (SELECT id FROM payouts_public.stopped_operations
                                WHERE wallet = ANY (CAST(:wallets AS text[]))) END
    ORDER BY operation.sequence, operation.id FOR UPDATE OF operation
"""


async def lock(tx: Tx, wallets: Collection[str], *, due: datetime | None = None) -> list[StoppedOperation]:
    """Lock the stopped operations of payees, oldest first; `due`: only those that the clock tries by then."""
    rows = await tx.all(_LOCK, wallets=sorted(wallets), due=due) if wallets else []
    return [_stopped(row) for row in rows]


def _stopped(row: Row[Any]) -> StoppedOperation:
    return StoppedOperation(
        id=row.id,
        kind=Kind(row.kind),
        wallet=row.wallet,
        state=State(row.state),
        reason=row.reason,
        sentence=row.sentence,
        generation=row.generation,
        trace=Cause.kept(row.trace),
        transfer_id=row.transfer_id,
        transfer_state=row.transfer_state and TransferState(row.transfer_state),
        amount=row.amount,
        currency=row.currency,
        occasion=Occasion(row.retry_for or Occasion.DUE),
        left=row.left,
        taken_back=row.taken_back,
        brought=row.brought,
        on_its_way=row.on_its_way,
        followed=row.followed,
    )


_PUT_OFF = """
    UPDATE operation SET retry_at = listed.retry_at, retry_for = NULL
    FROM unnest(CAST(:ids AS uuid[]), CAST(:times AS timestamptz[])) AS listed (id, retry_at)
    WHERE operation.id = listed.id AND state IN ('refused', 'parked')
"""


async def put_off(tx: Tx, times: Mapping[UUID, datetime | None]) -> None:
    """Set when the clock tries operations again, None: not any more."""
    if times:
        await tx.execute(_PUT_OFF, ids=list(times), times=list(times.values()))


_COUNT_TRY = "UPDATE operation SET tries = tries + 1 WHERE id = ANY (CAST(:ids AS uuid[]))"


async def count_try(tx: Tx, ids: Collection[UUID]) -> None:
    """Count that the clock tries operations again."""
    if ids:
        await tx.execute(_COUNT_TRY, ids=list(ids))


_CLOSE = """
    UPDATE operation SET state = 'cancelled', reason = 'closed', finished_at = :now, retry_at = NULL
    WHERE id = ANY (CAST(:ids AS uuid[])) AND state = 'refused'
"""


async def close(tx: Tx, ids: Collection[UUID], now: datetime) -> None:
    """End refused operations that nothing is left to be done about. Stripe's sentence stays."""
    if ids:
        await tx.execute(_CLOSE, ids=list(ids), now=now)


_NOTE = """
    INSERT INTO operation_history (operation_id, at, what, reason, sentence, actor)
    SELECT id, :now, what, reason, sentence, :actor
    FROM unnest(CAST(:ids AS uuid[]), CAST(:whats AS text[]), CAST(:reasons AS text[]),
                CAST(:sentences AS text[])) AS step (id, what, reason, sentence)
"""

Step = tuple[UUID, str, str | None, str]  # operation, what, reason, sentence


async def note(tx: Tx, steps: Sequence[Step], now: datetime, actor: str = "payouts") -> None:
    """Add to operations' history what became of them, or who decided what."""
    if steps:
        await tx.execute(
            _NOTE,
            ids=[step[0] for step in steps],
            whats=[step[1] for step in steps],
            reasons=[step[2] for step in steps],
            sentences=[step[3] for step in steps],
            now=now,
            actor=actor,
        )


_ACCESS = """
    INSERT INTO stripe_access (fingerprint, first_used_at) VALUES (:fingerprint, :now)
    ON CONFLICT (fingerprint) DO NOTHING RETURNING fingerprint
"""


async def is_new_access(tx: Tx, fingerprint: str, now: datetime) -> bool:
    """Note with which key and settings Stripe is called; True when it never was before."""
    return await tx.first(_ACCESS, fingerprint=fingerprint, now=now) is not None
