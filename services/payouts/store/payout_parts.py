"""SQL of which transfers a payout carried to the bank: decisions 0025 and 0257.

Stripe itemises automatic payouts only, so the mapping is our own: first in, first out. What was taken back of
a transfer that is in the bank already was taken from money that came later: it is a negative part of the
next payout, which is smaller by it.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from fleet.database import Tx
from services.payouts.domain.payouts import SeenPayout

# Transfers that are not in the bank yet are mapped to the payout, oldest first, until its amount is used up.
# Transfers made after the account's last payout are left out. Those made after this payout are not: when
# webhooks arrive out of order, a later payout may have been mapped to the older ones. What was taken back of
# transfers in the bank goes off the payout first; from the payee's bank Stripe takes nothing else.
_MAP = """
    WITH last AS (
        SELECT greatest(:made_at, max(made_at)) AS made_at FROM payout
        WHERE stripe_account = :stripe_account AND currency = :currency AND status = 'paid' AND amount > 0
    ), unpaid AS (
        SELECT transfer.id, transfer.sent_at,
               transfer.amount - transfer.amount_reversed
                 - coalesce((SELECT sum(amount) FROM payout_part WHERE transfer_id = transfer.id), 0)
               AS left_over
        FROM transfer
        WHERE stripe_account = :stripe_account AND currency = :currency AND in_bank_at IS NULL
          AND state IN ('sent', 'partly_reversed') AND sent_at <= (SELECT made_at FROM last)
    ), taken_back AS (
        SELECT transfer.id, transfer.sent_at,
               transfer.amount
                 - coalesce((SELECT sum(amount) FROM reversal WHERE transfer_id = transfer.id
                             AND reversed_at <= (SELECT made_at FROM last)), 0)
                 - coalesce((SELECT sum(amount) FROM payout_part WHERE transfer_id = transfer.id), 0)
               AS left_over
        FROM transfer
        WHERE stripe_account = :stripe_account AND currency = :currency AND amount_reversed > 0
    ), queue AS (
        SELECT id, left_over, sum(left_over) OVER (ORDER BY left_over > 0, sent_at, id) - left_over AS before
        FROM (SELECT * FROM unpaid WHERE left_over > 0 UNION ALL SELECT * FROM taken_back WHERE left_over < 0)
    )
    INSERT INTO payout_part (stripe_payout_id, transfer_id, amount)
    SELECT :stripe_payout_id, id,
           CASE WHEN left_over > 0 THEN least(left_over, room.covers - before)
                WHEN :covers > 0 THEN left_over
                ELSE greatest(left_over, room.covers - before) END
    FROM queue, (SELECT CAST(:covers AS bigint) - coalesce(sum(amount), 0) AS covers
                 FROM payout_part WHERE stripe_payout_id = :stripe_payout_id) AS room
    WHERE CASE WHEN :covers > 0 THEN left_over < 0 OR before < room.covers
               ELSE left_over < 0 AND before > room.covers END
    ON CONFLICT (stripe_payout_id, transfer_id) DO UPDATE SET amount = payout_part.amount + excluded.amount
"""
_COVERED = """
    WITH covered AS (
        UPDATE transfer SET state = CASE state WHEN 'sent' THEN 'in_bank' ELSE state END, in_bank_at = :now,
                            changed_at = :now
        FROM payout_part AS part
        WHERE part.stripe_payout_id = :stripe_payout_id AND transfer.id = part.transfer_id
          AND transfer.in_bank_at IS NULL AND transfer.state IN ('sent', 'partly_reversed')
          AND transfer.amount - transfer.amount_reversed
              <= (SELECT sum(amount) FROM payout_part WHERE transfer_id = transfer.id)
        RETURNING transfer.id, old.state AS from_state, new.state AS to_state
    ), noted AS (
        INSERT INTO transfer_history (transfer_id, at, from_state, to_state, sentence, actor)
        SELECT id, :now, from_state, to_state, 'in the bank with ' || CAST(:stripe_payout_id AS text),
               'stripe'
        FROM covered WHERE from_state <> to_state
    )
    SELECT id FROM covered ORDER BY id
"""


async def map_to_transfers(tx: Tx, payout: SeenPayout, covers: int, now: datetime) -> list[UUID]:
    """Note which transfers a payout carried to the bank; those that are now there in full.

    `covers`: the payout's amount and, for an instant one, the fee that was taken from the same money;
    negative when Stripe took it from the payee's bank.
    """
    await tx.execute(
        _MAP,
        stripe_payout_id=payout.stripe_payout_id,
        stripe_account=payout.stripe_account,
        currency=payout.currency,
        covers=covers,
        made_at=payout.made_at,
    )
    rows = await tx.all(_COVERED, stripe_payout_id=payout.stripe_payout_id, now=now)
    return [row.id for row in rows]


_WITH_ROOM = """
    SELECT stripe_payout_id, stripe_account, amount, currency, status, instant, made_at,
           coalesce(fee, 0) AS fee
    FROM payout
    WHERE stripe_account = ANY (CAST(:accounts AS text[])) AND status = 'paid' AND told = 'paid'
      AND made_at >= CAST(:since AS timestamptz) - interval '3 days'  -- as late as a webhook may be
      AND amount + coalesce(fee, 0) > coalesce((SELECT sum(part.amount) FROM payout_part AS part
                                                WHERE part.stripe_payout_id = payout.stripe_payout_id), 0)
    ORDER BY made_at, stripe_payout_id
"""


async def map_late_transfers(tx: Tx, accounts: Sequence[str], since: datetime, now: datetime) -> None:
    """Map transfers to payouts that were noted before them and carried them."""
    for row in await tx.all(_WITH_ROOM, accounts=sorted(accounts), since=since):
        await map_to_transfers(tx, _seen(row), row.amount + row.fee, now)


_SMALLER_BY_REVERSALS = """
    SELECT DISTINCT ON (stripe_account, currency)
           stripe_payout_id, stripe_account, payout.amount, payout.currency, status, instant, made_at,
           coalesce(fee, 0) AS fee
    FROM reversal JOIN transfer ON transfer.id = reversal.transfer_id
         JOIN payout USING (stripe_account, currency)
    WHERE reversal.transfer_id = ANY (CAST(:ids AS uuid[])) AND status = 'paid' AND told = 'paid'
      AND made_at >= reversed_at
    ORDER BY stripe_account, currency, made_at DESC, stripe_payout_id
"""


async def map_late_reversals(tx: Tx, transfers: Collection[UUID], now: datetime) -> None:
    """Take what was reversed of these transfers off the payouts that were mapped before it was noted."""
    rows = await tx.all(_SMALLER_BY_REVERSALS, ids=sorted(transfers)) if transfers else []
    for row in rows:
        await map_to_transfers(tx, _seen(row), row.amount + row.fee, now)


def _seen(row: Row[Any]) -> SeenPayout:
    return SeenPayout(
        stripe_payout_id=row.stripe_payout_id,
        stripe_account=row.stripe_account,
        amount=row.amount,
        currency=row.currency,
        status=row.status,
        instant=row.instant,
        made_at=row.made_at,
    )


_UNMAP = """
    WITH part AS (
        SELECT transfer_id FROM payout_part WHERE stripe_payout_id = :stripe_payout_id AND amount > 0
    ), back AS (
        UPDATE transfer SET state = CASE state WHEN 'in_bank' THEN 'sent' ELSE state END, in_bank_at = NULL,
                            changed_at = :now
        FROM part WHERE transfer.id = part.transfer_id AND transfer.in_bank_at IS NOT NULL
        RETURNING transfer.id, old.state AS from_state, new.state AS to_state
    ), noted AS (
        INSERT INTO transfer_history (transfer_id, at, from_state, to_state, sentence, actor)
        SELECT id, :now, from_state, to_state, CAST(:sentence AS text), 'stripe'
        FROM back WHERE from_state <> to_state
    )
    DELETE FROM payout_part WHERE stripe_payout_id = :stripe_payout_id
    RETURNING CASE WHEN amount > 0 THEN transfer_id END AS id
"""


async def unmap(tx: Tx, stripe_payout_id: str, sentence: str, now: datetime) -> list[UUID]:
    """Undo a payout that the bank returned; the transfers that are on the connected account again."""
    rows = await tx.all(_UNMAP, stripe_payout_id=stripe_payout_id, sentence=sentence, now=now)
    return [row.id for row in rows if row.id is not None]


_TRANSFERS_IN = """
    SELECT transfer_id FROM payout_part WHERE stripe_payout_id = :id AND amount > 0 ORDER BY transfer_id
"""


async def transfers_in(tx: Tx, stripe_payout_id: str) -> list[UUID]:
    """Transfers that a payout carried, whole or in part."""
    return [row.transfer_id for row in await tx.all(_TRANSFERS_IN, id=stripe_payout_id)]
