"""SQL of refunds to students' cards: payments, requests, the refunds they led to, their answers."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from fleet.cause import Cause
from fleet.database import Tx, json_parameter
from services.payouts.domain.refunds import (
    Answer,
    CardPayment,
    Refunding,
    Requested,
    SeenRefund,
    Standing,
)

# A payment that has a student keeps one: receivables tells another, never none.
_KEEP_PAYMENTS = """
    INSERT INTO card_payment (charge_id, wallet, currency, amount, received_at)
    SELECT charge_id, wallet, currency, amount, received_at
    FROM jsonb_to_recordset(CAST(:payments AS jsonb)) AS payment (
        charge_id text, wallet text, currency text, amount bigint, received_at timestamptz)
    ORDER BY charge_id
    ON CONFLICT (charge_id) DO UPDATE SET wallet = coalesce(excluded.wallet, card_payment.wallet)
"""


async def keep_payments(tx: Tx, payments: Sequence[CardPayment]) -> None:
    """Keep card payments and whose they are now; of several of one payment the last one stands."""
    rows = {one.charge_id: {name: getattr(one, name) for name in CardPayment.__slots__} for one in payments}
    await tx.execute(_KEEP_PAYMENTS, payments=json_parameter(list(rows.values())))


_PAYMENTS = """
    SELECT charge_id, wallet, currency, amount, received_at FROM card_payment
    WHERE wallet = :wallet AND currency = :currency ORDER BY received_at DESC, charge_id LIMIT :most
"""


async def payments_of(tx: Tx, wallet: str, currency: str, most: int) -> list[CardPayment]:
    """A student's newest card payments in a currency."""
    rows = await tx.all(_PAYMENTS, wallet=wallet, currency=currency, most=most)
    return [CardPayment(**row._mapping) for row in rows]


_REQUEST = """
    INSERT INTO refund_request (settlement_id, wallet, currency, source, asked, sentence, due_at,
                                requested_at, trace)
    SELECT settlement_id, wallet, currency, source, asked, 'asks Stripe what can be refunded', :now,
           :now, trace
    FROM jsonb_to_recordset(CAST(:requests AS jsonb)) AS request (
        settlement_id uuid, wallet text, currency text, source text, asked bigint, trace jsonb, place bigint)
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
            "trace": one.trace.document(),
            "place": place,
        }
        for place, one in enumerate(requests)
    ]
    await tx.execute(_REQUEST, requests=json_parameter(rows), now=now)


_TAKE_DUE = """
    UPDATE refund_request SET due_at = :again_at
    WHERE settlement_id IN (SELECT settlement_id FROM refund_request WHERE due_at <= :now
                            ORDER BY due_at LIMIT :most FOR UPDATE SKIP LOCKED)
    RETURNING settlement_id, wallet, currency
"""


async def take_due(tx: Tx, most: int, now: datetime, lease: timedelta) -> list[Row[Any]]:
    """Requests that are looked at now: id, wallet and currency. No other process takes them then."""
    return list(await tx.all(_TAKE_DUE, most=most, now=now, again_at=now + lease))


_LOCK = """
    SELECT settlement_id, wallet, currency, source, asked, state, requested_at, CAST(trace AS text) AS trace
    FROM refund_request WHERE wallet = :wallet AND state <> 'settled'
    ORDER BY requested_at, settlement_id FOR UPDATE
"""


async def lock(tx: Tx, wallet: str) -> list[Refunding]:
    """Lock the requests under way for a student, oldest first: one of them is decided at a time."""
    return [
        Refunding(**{**row._mapping, "trace": Cause.kept(row.trace)})
        for row in await tx.all(_LOCK, wallet=wallet)
    ]


_WAIT = "UPDATE refund_request SET sentence = :sentence, due_at = :due_at WHERE settlement_id = :id"


async def wait(tx: Tx, settlement_id: UUID, sentence: str, due_at: datetime) -> None:
    """Note what a request waits for, and when it is looked at again."""
    await tx.execute(_WAIT, id=settlement_id, sentence=sentence[:1000], due_at=due_at)


_NOTE = """
    INSERT INTO refund_made (stripe_refund_id, settlement_id, charge_id, amount, standing)
    SELECT stripe_refund_id, :id, charge_id, amount, standing
    FROM jsonb_to_recordset(CAST(:refunds AS jsonb)) AS made (
        stripe_refund_id text, charge_id text, amount bigint, standing text)
    ORDER BY stripe_refund_id
    ON CONFLICT (stripe_refund_id) DO UPDATE SET standing = excluded.standing
"""


async def note(tx: Tx, settlement_id: UUID, refunds: Sequence[SeenRefund]) -> None:
    """Note the refunds at Stripe that name a request, and where they stand."""
    rows = [
        {
            "stripe_refund_id": one.stripe_refund_id,
            "charge_id": one.charge_id,
            "amount": one.amount,
            "standing": str(one.standing),
        }
        for one in refunds
    ]
    await tx.execute(_NOTE, id=settlement_id, refunds=json_parameter(rows))


_MADE = """
    SELECT stripe_refund_id, charge_id, amount, standing FROM refund_made
    WHERE settlement_id = :id ORDER BY stripe_refund_id
"""


async def made(tx: Tx, settlement_id: UUID) -> list[SeenRefund]:
    """The refunds of a request, as they were seen last."""
    return [
        SeenRefund(
            stripe_refund_id=row.stripe_refund_id,
            charge_id=row.charge_id,
            amount=row.amount,
            standing=Standing(row.standing),
        )
        for row in await tx.all(_MADE, id=settlement_id)
    ]


_REFUSED = """
    SELECT DISTINCT ON (operation.parent_id) operation.parent_id AS charge_id, operation.sentence
    FROM refund_part AS part JOIN operation ON operation.id = part.operation_id
    WHERE part.settlement_id = :id AND operation.state = 'cancelled'
    ORDER BY operation.parent_id, operation.finished_at DESC
"""


async def refused(tx: Tx, settlement_id: UUID) -> dict[str, str]:
    """Payments of which Stripe refused a refund for this request, with its sentence."""
    return {row.charge_id: row.sentence for row in await tx.all(_REFUSED, id=settlement_id)}


_COUNT_ORDERED = "SELECT count(*) AS n FROM refund_part WHERE settlement_id = :id"
_PARTS = """
    INSERT INTO refund_part (operation_id, settlement_id)
    SELECT id, :id FROM unnest(CAST(:operations AS uuid[])) AS part (id) ON CONFLICT DO NOTHING
"""
_REFUNDING = """
    UPDATE refund_request SET state = 'refunding', due_at = NULL, sentence = :sentence
    WHERE settlement_id = :id
"""


async def count_ordered(tx: Tx, settlement_id: UUID) -> int:
    """How many refunds a request led to in this database."""
    return int((await tx.one(_COUNT_ORDERED, id=settlement_id)).n)


async def order(tx: Tx, settlement_id: UUID, operations: Sequence[UUID], sentence: str) -> None:
    """Note the refunds that a request waits for."""
    await tx.execute(_PARTS, id=settlement_id, operations=list(operations))
    await tx.execute(_REFUNDING, id=settlement_id, sentence=sentence[:1000])


_PARTS_AMONG = """
    SELECT operation_id, settlement_id FROM refund_part WHERE operation_id = ANY (CAST(:ids AS uuid[]))
"""


async def parts_among(tx: Tx, operations: Collection[UUID]) -> dict[UUID, UUID]:
    """Those of the operations that a request led to, with the request."""
    rows = await tx.all(_PARTS_AMONG, ids=list(operations)) if operations else []
    return {row.operation_id: row.settlement_id for row in rows}


# Once nothing of a request is under way any more, Stripe is asked how it stands.
_LOOK_AGAIN = """
    UPDATE refund_request SET state = 'looking', due_at = :now, sentence = 'asks Stripe how it stands'
    WHERE settlement_id = ANY (CAST(:ids AS uuid[])) AND state = 'refunding' AND NOT EXISTS (
        SELECT FROM refund_part AS part JOIN operation ON operation.id = part.operation_id
        WHERE part.settlement_id = refund_request.settlement_id
          AND operation.state NOT IN ('succeeded', 'cancelled'))
"""


async def look_again(tx: Tx, ids: Collection[UUID], now: datetime) -> None:
    """Have Stripe asked how requests stand of which no refund is under way."""
    if ids:
        await tx.execute(_LOOK_AGAIN, ids=sorted(ids), now=now)


_SETTLE = """
    UPDATE refund_request SET state = 'settled', due_at = NULL, refunded = :refunded, reason = :reason,
        sentence = :sentence, settled_at = :now
    WHERE settlement_id = :id
"""


async def settle(tx: Tx, settlement_id: UUID, answer: Answer, now: datetime) -> None:
    """Write a request's answer."""
    await tx.execute(
        _SETTLE,
        id=settlement_id,
        refunded=answer.refunded,
        reason=str(answer.reason),
        sentence=answer.sentence,
        now=now,
    )


_UNDER_WAY = """
    SELECT state, count(*) AS n, coalesce(max(now() - requested_at), interval '0') AS age
    FROM refund_request WHERE state <> 'settled' GROUP BY state
"""


async def under_way(tx: Tx) -> Mapping[str, tuple[int, timedelta]]:
    """State -> how many requests are in it, and how long ago the oldest of them came."""
    return {row.state: (row.n, row.age) for row in await tx.all(_UNDER_WAY)}
