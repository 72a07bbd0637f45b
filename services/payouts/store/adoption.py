"""SQL of effects at Stripe that this database does not know, and of the payables they paid."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Row

from fleet.cause import Cause
from fleet.database import Tx, json_parameter
from services.payouts.domain.adoption import EVENT_TYPE, FoundEffect, PaidPayable, Regrouping, Standing
from services.payouts.domain.operations import Kind
from services.payouts.domain.orders import transfer_id
from services.payouts.domain.payments import NewTransfer

_LATEST = "SELECT max(sent_at) AS at FROM transfer"


async def latest_transfer_at(tx: Tx) -> datetime | None:
    """When Stripe made the youngest transfer that this database knows, by Stripe's clock."""
    at: datetime | None = (await tx.one(_LATEST)).at
    return at


_KEEP = """
    INSERT INTO found_effect (stripe_id, kind, operation_id, wallet, transfer_id, cause, sources, amount,
                              currency, object, made_at, found_at)
    SELECT stripe_id, kind, operation_id, wallet, transfer_id, cause,
           CASE WHEN sources IS NOT NULL THEN ARRAY(SELECT jsonb_array_elements_text(sources)) END,
           amount, currency, object, made_at, :now
    FROM jsonb_to_recordset(CAST(:effects AS jsonb)) AS listed (
        stripe_id text, kind text, operation_id uuid, wallet text, transfer_id uuid, cause text,
        sources jsonb, amount bigint, currency text, object jsonb, made_at timestamptz)
    WHERE NOT EXISTS (SELECT FROM operation
                      WHERE operation.id = listed.operation_id AND operation.stripe_id = listed.stripe_id)
      AND NOT EXISTS (SELECT FROM payee WHERE kind = 'account' AND stripe_account = listed.stripe_id)
    ORDER BY stripe_id
    ON CONFLICT (stripe_id) DO NOTHING
    RETURNING stripe_id
"""


async def keep_unknown(tx: Tx, effects: Sequence[FoundEffect], now: datetime) -> list[str]:
    """Keep those of Stripe's objects that are not recorded here; their ids."""
    if not effects:
        return []
    rows = [
        {
            "stripe_id": e.stripe_id,
            "kind": e.kind,
            "operation_id": e.operation_id,
            "wallet": e.wallet,
            "transfer_id": e.transfer_id,
            "cause": e.cause,
            "sources": None if e.sources is None else list(e.sources),
            "amount": e.amount,
            "currency": e.currency,
            "object": e.thing,
            "made_at": e.made_at,
        }
        for e in effects
    ]
    return [row.stripe_id for row in await tx.all(_KEEP, effects=json_parameter(rows), now=now)]


_OPEN = "SELECT stripe_id, wallet FROM found_effect WHERE adopted_at IS NULL ORDER BY made_at, stripe_id"


async def waiting(tx: Tx) -> list[tuple[str, str]]:
    """Found effects that are not adopted yet, oldest first: Stripe's id and the payee's wallet."""
    return [(row.stripe_id, row.wallet) for row in await tx.all(_OPEN)]


_LOCK = """
    SELECT stripe_id, kind, operation_id, wallet, transfer_id, cause, sources, amount, currency,
           CAST(object AS text) AS object, made_at, settled_by
    FROM found_effect WHERE stripe_id = :stripe_id AND adopted_at IS NULL FOR UPDATE
"""


async def lock(tx: Tx, stripe_id: str) -> FoundEffect | None:
    """Lock a found effect whose payee is locked; None when it was adopted meanwhile."""
    row = await tx.first(_LOCK, stripe_id=stripe_id)
    return None if row is None else _found(row)


def _found(row: Row[Any]) -> FoundEffect:
    return FoundEffect(
        stripe_id=row.stripe_id,
        kind=Kind(row.kind),
        operation_id=row.operation_id,
        wallet=row.wallet,
        transfer_id=row.transfer_id,
        cause=row.cause,
        sources=None if row.sources is None else tuple(row.sources),
        amount=row.amount,
        currency=row.currency,
        made_at=row.made_at,
        thing=orjson.loads(row.object),
        settled_by=row.settled_by,
    )


_WALLET = "SELECT wallet FROM found_effect WHERE stripe_id = :stripe_id AND adopted_at IS NULL"


async def wallet_of(tx: Tx, stripe_id: str) -> str | None:
    """The payee's wallet of a found effect that is not adopted; None when there is none."""
    row = await tx.first(_WALLET, stripe_id=stripe_id)
    return row.wallet if row else None


_SETTLE = "UPDATE found_effect SET settled_by = :actor WHERE stripe_id = :stripe_id"


async def settle(tx: Tx, stripe_id: str, actor: str) -> None:
    """Note that a person wants a found transfer written with what is known of it."""
    await tx.execute(_SETTLE, stripe_id=stripe_id, actor=actor)


_NOTE = """
    UPDATE found_effect SET standing = :standing, sentence = :sentence,
        adopted_at = CASE WHEN CAST(:standing AS text) = 'adopted' THEN CAST(:now AS timestamptz) END
    WHERE stripe_id = :stripe_id AND (standing, sentence) IS DISTINCT FROM (:standing, :sentence)
    RETURNING stripe_id
"""


async def note(tx: Tx, found: FoundEffect, standing: Standing, sentence: str, now: datetime) -> bool:
    """Write what became of a found effect, or what it waits for; True when that is news."""
    row = await tx.first(_NOTE, stripe_id=found.stripe_id, standing=str(standing), sentence=sentence, now=now)
    return row is not None


_PAYABLES = """
    SELECT payable.id, payable.source, payable.amount, payable.transfer_id, transfer.stripe_transfer_id,
           EXISTS (SELECT FROM operation WHERE operation.transfer_id = transfer.id
                   AND state = 'in_flight' AND lease_until > :now) AS in_flight,
           CAST(payable.trace AS text) AS trace
    FROM payable LEFT JOIN transfer ON transfer.id = payable.transfer_id
    WHERE payable.wallet = :wallet AND payable.currency = :currency
      AND payable.source = ANY (CAST(:sources AS text[])) AND payable.clawback_id IS NULL
    ORDER BY payable.id
"""


async def paid_by(tx: Tx, found: FoundEffect, now: datetime) -> list[PaidPayable]:
    """The payables that a found transfer paid, as far as they are known here."""
    rows = await tx.all(
        _PAYABLES, wallet=found.wallet, currency=found.currency, sources=list(found.sources or ()), now=now
    )
    return [
        PaidPayable(
            id=row.id,
            source=row.source,
            amount=row.amount,
            transfer_id=row.transfer_id,
            stripe_transfer_id=row.stripe_transfer_id,
            in_flight=row.in_flight,
            trace=Cause.kept(row.trace),
        )
        for row in rows
    ]


_CANCEL_OPERATIONS = """
    UPDATE operation SET state = 'cancelled', reason = 'adopted', sentence = :sentence, finished_at = :now,
        lease_token = NULL, lease_until = NULL
    WHERE transfer_id = ANY (CAST(:transfers AS uuid[])) AND kind = 'transfer' AND state <> 'succeeded'
"""
_FREE = "UPDATE payable SET transfer_id = NULL WHERE transfer_id = ANY (CAST(:transfers AS uuid[]))"


async def dissolve(tx: Tx, transfers: Collection[UUID], sentence: str, now: datetime) -> None:
    """Give up the operations of unsent transfers and free their payables; the caller moves the transfers."""
    await tx.execute(_CANCEL_OPERATIONS, transfers=list(transfers), sentence=sentence, now=now)
    await tx.execute(_FREE, transfers=list(transfers))


_IS_THERE = "SELECT id FROM transfer WHERE id = :id AND stripe_transfer_id IS NULL"


async def is_there(tx: Tx, found: FoundEffect) -> bool:
    """Whether a found transfer is in the database, unsent: held before it had an operation."""
    return await tx.first(_IS_THERE, id=found.transfer_id) is not None


_TAKE_OVER = "UPDATE transfer SET amount = :amount WHERE id = :id AND stripe_transfer_id IS NULL"
_LINK = "UPDATE payable SET transfer_id = :id WHERE id = ANY (CAST(:payables AS bigint[]))"


async def take_over(tx: Tx, transfer: NewTransfer) -> None:
    """Give a held transfer that is there the amount that Stripe paid, and its payables."""
    await tx.execute(_TAKE_OVER, id=transfer.id, amount=transfer.amount)
    await tx.execute(_LINK, id=transfer.id, payables=list(transfer.payables))


# Two payables that add up to nothing: one makes the sum of the adopted transfer what Stripe paid, the other
# is paid next, or taken off.
_BALANCE = """
    INSERT INTO payable (journal_id, wallet, currency, amount, source, event_type, occurred_at, accrued_at,
                         stripe_account, trace)
    SELECT part.journal_id, :wallet, :currency, part.amount, part.source, :event_type, :made_at, :now,
           payee.stripe_account, CAST(:trace AS jsonb)
    FROM unnest(CAST(:ids AS uuid[]), CAST(:amounts AS bigint[]), CAST(:sources AS text[]))
        AS part (journal_id, amount, source)
    JOIN payee ON payee.wallet = :wallet
    RETURNING id, amount
"""


async def balance_difference(
    tx: Tx, found: FoundEffect, regrouping: Regrouping, trace: Cause, now: datetime
) -> int:
    """Insert the two payables of a difference; the one that belongs into the adopted transfer."""
    sources = [f"{EVENT_TYPE}:{found.stripe_id}", f"{EVENT_TYPE}:{found.stripe_id}:rest"]
    rows = await tx.all(
        _BALANCE,
        wallet=found.wallet,
        currency=found.currency,
        event_type=EVENT_TYPE,
        made_at=found.made_at,
        now=now,
        trace=json_parameter(trace.document()),
        ids=[transfer_id(found.wallet, str(found.currency), source, ()) for source in sources],
        amounts=[regrouping.difference, -regrouping.difference],
        sources=sources,
    )
    inside: int = next(row.id for row in rows if row.amount == regrouping.difference)
    return inside


_LOOK_UP_FIRST = """
    UPDATE operation SET phase = 'look_up', first_sent_at = :made_at
    WHERE transfer_id = :transfer_id AND kind = 'instant_payout' AND first_sent_at IS NULL
"""


async def look_up_instant_payout(tx: Tx, found: FoundEffect) -> None:
    """Have the instant payout of an adopted transfer looked up before it is requested: it may be made."""
    await tx.execute(_LOOK_UP_FIRST, made_at=found.made_at, transfer_id=found.transfer_id)


_OPEN_ACCOUNT_OPERATION = """
    SELECT id FROM operation
    WHERE wallet = :wallet AND kind = 'account' AND state NOT IN ('succeeded', 'cancelled')
    ORDER BY sequence FOR UPDATE
"""


async def open_account_operations(tx: Tx, wallet: str) -> list[UUID]:
    """Lock the operations that would make another account for a payee."""
    return [row.id for row in await tx.all(_OPEN_ACCOUNT_OPERATION, wallet=wallet)]
