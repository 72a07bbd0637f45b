"""SQL of requests to take money back: their claims on debts, the reversals they led to, their answers.

Written under the payee's lock.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from fleet.cause import Cause
from fleet.database import Tx, json_parameter
from services.payouts.domain.clawbacks import (
    Answer,
    Claim,
    Clawback,
    Debt,
    Requested,
    Settled,
)

_REQUEST = """
    INSERT INTO clawback (settlement_id, wallet, currency, source, asked, paid_by, sentence, due_at,
                          requested_at, trace)
    SELECT settlement_id, wallet, currency, source, asked, ARRAY(SELECT jsonb_array_elements_text(paid_by)),
           'requested', :now, :now, trace
    FROM jsonb_to_recordset(CAST(:requests AS jsonb)) AS request (
        settlement_id uuid, wallet text, currency text, source text, asked bigint, paid_by jsonb, trace jsonb,
        place bigint)
    ORDER BY place
    ON CONFLICT (settlement_id) DO NOTHING
"""


async def request(tx: Tx, requests: Sequence[Requested], now: datetime) -> None:
    """Keep requests, once each."""
    rows = [
        {
            "settlement_id": one.settlement_id,
            "wallet": one.wallet,
            "currency": one.currency,
            "source": one.source,
            "asked": one.asked,
            "paid_by": list(one.paid_by),
            "trace": one.trace.document(),
            "place": place,
        }
        for place, one in enumerate(requests)
    ]
    await tx.execute(_REQUEST, requests=json_parameter(rows), now=now)


_TAKE_DUE = """
    UPDATE clawback SET due_at = :again_at
    WHERE settlement_id IN (SELECT settlement_id FROM clawback WHERE due_at <= :now
                            ORDER BY due_at LIMIT :most FOR UPDATE SKIP LOCKED)
    RETURNING settlement_id, wallet, currency, state
"""


async def take_due(tx: Tx, most: int, now: datetime, lease: timedelta) -> list[Row[Any]]:
    """Requests that are looked at now: id, wallet, currency and state. No other process takes them then."""
    return list(await tx.all(_TAKE_DUE, most=most, now=now, again_at=now + lease))


_OF = """
    SELECT settlement_id, wallet, currency, source, asked, paid_by, state, coalesce(claimed, 0) AS claimed,
           refusals, requested_at, CAST(trace AS text) AS trace,
           (SELECT coalesce(sum(amount), 0)::bigint FROM clawback_return AS back
            WHERE back.settlement_id = clawback.settlement_id) AS came_back
    FROM clawback
    WHERE wallet = ANY (CAST(:wallets AS text[])) AND state = ANY (CAST(:states AS text[]))
    ORDER BY requested_at, settlement_id FOR UPDATE
"""


async def lock(tx: Tx, wallets: Collection[str], *states: str) -> list[Clawback]:
    """Lock the requests for payees that are in one of the states, oldest first."""
    rows = await tx.all(_OF, wallets=sorted(wallets), states=list(states)) if wallets else []
    return [_clawback(row) for row in rows]


def _clawback(row: Row[Any]) -> Clawback:
    return Clawback(
        settlement_id=row.settlement_id,
        wallet=row.wallet,
        currency=row.currency,
        source=row.source,
        asked=row.asked,
        paid_by=tuple(row.paid_by),
        trace=Cause.kept(row.trace),
        state=row.state,
        claimed=row.claimed,
        came_back=row.came_back,
        refusals=row.refusals,
        requested_at=row.requested_at,
    )


# What stands for a debt, or is it: what may be deducted, and what another request keeps from that.
_DEBT = """
    WITH rows AS (
        SELECT payable.amount, payable.currency, payable.source,
               transfer_id IS NULL AND clawback_id IS NULL AS open, other.settlement_id IS NOT NULL AS claimed
        FROM payable LEFT JOIN clawback AS other
          ON other.settlement_id = payable.clawback_id AND other.state <> 'settled'
        WHERE payable.wallet = :wallet AND (payable.source = :source OR stands_for = :source)
    )
    SELECT EXISTS (SELECT FROM rows WHERE source = :source) AS known,
           (SELECT currency FROM rows WHERE source = :source AND amount < 0) AS currency,
           (SELECT coalesce(-sum(amount), 0)::bigint FROM rows WHERE open AND amount < 0) AS open,
           EXISTS (SELECT FROM rows WHERE claimed) AS in_other_claims,
           (SELECT coalesce(sum(amount), 0)::bigint FROM transfer
            WHERE wallet = :wallet AND currency = :currency AND state IN ('pending', 'held', 'refused'))
           + (SELECT coalesce(sum(amount), 0)::bigint FROM payable
              WHERE wallet = :wallet AND currency = :currency AND transfer_id IS NULL AND clawback_id IS NULL
                AND source <> :source AND stands_for IS DISTINCT FROM :source) AS unsent,
           EXISTS (SELECT FROM transfer WHERE wallet = :wallet AND state IN ('sending', 'parked'))
           OR EXISTS (SELECT FROM found_effect WHERE wallet = :wallet AND adopted_at IS NULL) AS unclear
"""


async def debt(tx: Tx, asked: Requested) -> Debt:
    """Where the debt of a request stands; the payee's unsent operations are locked already."""
    row = await tx.one(_DEBT, wallet=asked.wallet, source=asked.source, currency=asked.currency)
    return Debt(**{name: getattr(row, name) for name in Debt.__slots__})


_WAIT = "UPDATE clawback SET sentence = :sentence, due_at = :due_at WHERE settlement_id = :id"


async def wait(tx: Tx, settlement_id: UUID, sentence: str, due_at: datetime) -> None:
    """Note what a request waits for, and when it is looked at again."""
    await tx.execute(_WAIT, id=settlement_id, sentence=sentence, due_at=due_at)


_CLAIM = """
    UPDATE clawback SET state = 'claimed', claimed = :amount, claimed_at = :now, due_at = :now,
        sentence = 'asks Stripe what can be taken back'
    WHERE settlement_id = :id
"""
_CLAIM_PAYABLES = """
    UPDATE payable SET clawback_id = :id
    WHERE wallet = :wallet AND (source = :source OR stands_for = :source) AND amount < 0
      AND transfer_id IS NULL AND clawback_id IS NULL
"""


async def claim(tx: Tx, asked: Requested, claimed: Claim, now: datetime) -> None:
    """Take a debt out of what is deducted next, but for what is left open of it."""
    await tx.execute(_CLAIM, id=asked.settlement_id, amount=claimed.amount, now=now)
    await tx.execute(_CLAIM_PAYABLES, id=asked.settlement_id, wallet=asked.wallet, source=asked.source)
    await leave_open(tx, asked, claimed.left_open, "kept", now)


# Two payables that add up to nothing: no credit is made that could be paid.
_LEAVE_OPEN = """
    INSERT INTO payable (wallet, currency, amount, source, event_type, occurred_at, accrued_at,
                         stripe_account, clawback_id, stands_for, trace)
    SELECT wallet, :currency, part.amount, part.source, 'clawback', :now, :now, payee.stripe_account,
           part.clawback_id, part.stands_for, CAST(:trace AS jsonb)
    FROM payee
    CROSS JOIN LATERAL (VALUES
        (CAST(:amount AS bigint), CAST(:name AS text) || '/less', CAST(:id AS uuid), CAST(NULL AS text)),
        (-CAST(:amount AS bigint), CAST(:name AS text), CAST(NULL AS uuid), CAST(:source AS text)))
        AS part (amount, source, clawback_id, stands_for)
    WHERE wallet = :wallet
    ORDER BY part.amount DESC
"""


async def leave_open(tx: Tx, asked: Requested, amount: int, label: str, now: datetime) -> None:
    """Leave so much of a claimed debt out of its claim: a debt that is deducted from what is paid next."""
    if amount:
        await tx.execute(
            _LEAVE_OPEN,
            id=asked.settlement_id,
            name=f"clawback:{asked.settlement_id}:{label}",
            wallet=asked.wallet,
            currency=asked.currency,
            amount=amount,
            source=asked.source,
            trace=json_parameter(asked.trace.document()),
            now=now,
        )


_ORDERED = """
    SELECT greatest(
        (SELECT count(*) FROM clawback_part WHERE settlement_id = :id),
        (SELECT coalesce(max(CAST(split_part(cause, ':', 3) AS integer)), 0) FROM reversal
         WHERE cause LIKE :own))::integer AS n
"""
_PARTS = """
    INSERT INTO clawback_part (operation_id, settlement_id)
    SELECT id, :id FROM unnest(CAST(:operations AS uuid[])) AS part (id)
"""
_REVERSING = """
    UPDATE clawback SET state = 'reversing', due_at = NULL, sentence = :sentence WHERE settlement_id = :id
"""


async def count_ordered(tx: Tx, settlement_id: UUID) -> int:
    """How many reversals a request led to, also such as only Stripe knows of."""
    own = f"clawback:{settlement_id}:%"
    return int((await tx.one(_ORDERED, id=settlement_id, own=own)).n)


async def order(tx: Tx, settlement_id: UUID, operations: Sequence[UUID], sentence: str) -> None:
    """Note the reversals that a request waits for."""
    await tx.execute(_PARTS, id=settlement_id, operations=list(operations))
    await tx.execute(_REVERSING, id=settlement_id, sentence=sentence)


_OPEN_PARTS = """
    SELECT DISTINCT part.settlement_id FROM clawback_part AS part
    JOIN operation ON operation.id = part.operation_id
    WHERE part.settlement_id = ANY (CAST(:ids AS uuid[])) AND state NOT IN ('succeeded', 'cancelled')
"""


async def with_open_parts(tx: Tx, ids: Collection[UUID]) -> set[UUID]:
    """Those of the requests for which a reversal is under way."""
    rows = await tx.all(_OPEN_PARTS, ids=sorted(ids)) if ids else []
    return {row.settlement_id for row in rows}


_LOOK_AGAIN = """
    UPDATE clawback SET state = 'claimed', due_at = :now, sentence = 'asks Stripe what can be taken back'
    WHERE settlement_id = :id
"""


async def look_again(tx: Tx, settlement_id: UUID, now: datetime) -> None:
    """Have Stripe asked once more what can be taken back for a request."""
    await tx.execute(_LOOK_AGAIN, id=settlement_id, now=now)


_PARTS_AMONG = """
    SELECT operation_id, settlement_id FROM clawback_part WHERE operation_id = ANY (CAST(:ids AS uuid[]))
"""
_COUNT_REFUSAL = (
    "UPDATE clawback SET refusals = refusals + 1 WHERE settlement_id = ANY (CAST(:ids AS uuid[]))"
)


async def parts_among(tx: Tx, operations: Collection[UUID]) -> dict[UUID, UUID]:
    """Those of the operations that a request led to, with the request."""
    rows = await tx.all(_PARTS_AMONG, ids=list(operations)) if operations else []
    return {row.operation_id: row.settlement_id for row in rows}


async def count_refusal(tx: Tx, ids: Collection[UUID]) -> None:
    """Count that Stripe refused a reversal of these requests."""
    await tx.execute(_COUNT_REFUSAL, ids=sorted(ids))


_LAST_REFUSAL = """
    SELECT coalesce(attempt.code, operation.reason) AS refusal, operation.sentence
    FROM clawback_part AS part JOIN operation ON operation.id = part.operation_id
    JOIN attempt ON attempt.operation_id = operation.id
    WHERE part.settlement_id = :id AND operation.state = 'cancelled' AND operation.reason = 'closed'
    ORDER BY attempt.started_at DESC LIMIT 1
"""


async def last_refusal(tx: Tx, settlement_id: UUID) -> tuple[str, str] | None:
    """Stripe's code and sentence of the last reversal that it refused for a request."""
    row = await tx.first(_LAST_REFUSAL, id=settlement_id)
    return row and (row.refusal, row.sentence)


_WALLETS_TOO_LATE = """
    SELECT DISTINCT wallet FROM operation
    WHERE state = 'due' AND not_after <= :now AND first_sent_at IS NULL ORDER BY wallet
"""
_CANCEL_TOO_LATE = """
    UPDATE operation SET state = 'cancelled', reason = 'window_closed', finished_at = :now,
        sentence = 'it was not sent before its transfer''s 72 hours were over'
    WHERE wallet = :wallet AND state = 'due' AND not_after <= :now AND first_sent_at IS NULL
"""


async def wallets_too_late(tx: Tx, now: datetime) -> list[str]:
    """Payees of whom something was to be taken back that was not sent, and may not be any more."""
    return [row.wallet for row in await tx.all(_WALLETS_TOO_LATE, now=now)]


async def cancel_too_late(tx: Tx, wallet: str, now: datetime) -> None:
    """Give up what was not sent in time."""
    await tx.execute(_CANCEL_TOO_LATE, wallet=wallet, now=now)


_SETTLE = """
    UPDATE clawback SET state = 'settled', due_at = NULL, reversed = :reversed, reason = :reason,
        sentence = :sentence, settled_at = :now
    WHERE settlement_id = :id
"""


async def settle(tx: Tx, one: Clawback, answer: Answer, reversals: Sequence[str], now: datetime) -> Settled:
    """Write a request's answer; what did not come back is a debt again."""
    await tx.execute(
        _SETTLE,
        id=one.settlement_id,
        reversed=one.came_back,
        reason=str(answer.reason),
        sentence=answer.sentence,
        now=now,
    )
    await leave_open(tx, one, one.needs, "rest", now)
    return Settled(
        asked=one,
        reversed=one.came_back,
        reversals=tuple(reversals),
        reason=str(answer.reason),
        sentence=answer.sentence,
        settled_at=now,
    )


_UNDER_WAY = """
    SELECT state, count(*) AS n, coalesce(max(now() - requested_at), interval '0') AS age
    FROM clawback WHERE state <> 'settled' GROUP BY state
"""


async def under_way(tx: Tx) -> dict[str, tuple[int, timedelta]]:
    """State -> how many requests are in it, and how long ago the oldest of them came."""
    return {row.state: (row.n, row.age) for row in await tx.all(_UNDER_WAY)}
