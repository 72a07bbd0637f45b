"""SQL of the last reading of the balance, and of how the reserve was judged."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Row

from fleet.database import Tx, json_parameter
from services.reserves.domain.health import Balance, Judgement, Standing

# A reading with a lower number is older, whatever comes first.
_KEEP = """
    INSERT INTO balance (currency, number, read_at, available, pending, connect_reserved, under_way,
                         allowed_until_now)
    SELECT currency, number, read_at, available, pending, connect_reserved, under_way, allowed_until_now
    FROM jsonb_to_recordset(CAST(:readings AS jsonb)) AS reading (
        currency text, number bigint, read_at timestamptz, available bigint, pending bigint,
        connect_reserved bigint, under_way bigint, allowed_until_now bigint)
    ORDER BY currency
    ON CONFLICT (currency) DO UPDATE SET number = excluded.number, read_at = excluded.read_at,
        available = excluded.available, pending = excluded.pending,
        connect_reserved = excluded.connect_reserved, under_way = excluded.under_way,
        allowed_until_now = excluded.allowed_until_now
    WHERE balance.number < excluded.number
"""


async def keep_balances(tx: Tx, readings: Sequence[Balance]) -> None:
    """Keep readings of the balance; of each currency the newest stands."""
    newest = {one.currency: one for one in sorted(readings, key=lambda one: one.number)}
    rows = [{**asdict(one), "read_at": one.read_at.isoformat()} for one in newest.values()]
    if rows:
        await tx.execute(_KEEP, readings=json_parameter(rows))


_BALANCE = """
    SELECT currency, number, read_at, available, pending, connect_reserved, under_way, allowed_until_now
    FROM balance WHERE currency = :currency
"""


async def balance(tx: Tx, currency: str) -> Balance | None:
    """The last reading."""
    row = await tx.first(_BALANCE, currency=currency)
    return None if row is None else Balance(**row._mapping)


_LET_OUT = """
    SELECT greatest(allowed_total - CAST(:until_now AS bigint), 0) AS let_out
    FROM payouts_public.reserve_gates WHERE currency = :currency
"""


async def let_out(tx: Tx, read: Balance) -> int:
    """What payouts let out since a reading of the balance began; it is not in the reading."""
    row = await tx.first(_LET_OUT, currency=read.currency, until_now=read.allowed_until_now)
    return 0 if row is None else int(row.let_out)


# One judgement at a time, also of a currency that was never judged.
_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('hobbs:reserves:judgement', 0))"
_LAST = """
    SELECT currency, number, balance_number, health, health_since, gate, gate_since, published
    FROM judgement ORDER BY currency
"""


async def lock_judgements(tx: Tx) -> dict[str, Row[Any]]:
    """How each currency was judged last; nobody else judges until this transaction ends."""
    await tx.execute(_LOCK)
    return {row.currency: row for row in await tx.all(_LAST)}


_SAVE = """
    INSERT INTO judgement (currency, number, balance_number, health, health_since, gate, gate_since,
                           blocks_transfers, ceiling, free, minimum, terms, sentence, published, judged_at,
                           valid_until)
    VALUES (:currency, :number, :balance_number, :health, :now, :gate, :now, :blocks, :ceiling, :free,
            :minimum, CAST(:terms AS jsonb), :sentence, CAST(:published AS jsonb), :now, :valid_until)
    ON CONFLICT (currency) DO UPDATE SET number = excluded.number, balance_number = excluded.balance_number,
        health = excluded.health, gate = excluded.gate, blocks_transfers = excluded.blocks_transfers,
        ceiling = excluded.ceiling, free = excluded.free, minimum = excluded.minimum, terms = excluded.terms,
        sentence = excluded.sentence, published = excluded.published, judged_at = excluded.judged_at,
        valid_until = excluded.valid_until,
        health_since = CASE WHEN judgement.health = excluded.health THEN judgement.health_since
            ELSE excluded.health_since END,
        gate_since = CASE WHEN judgement.gate = excluded.gate THEN judgement.gate_since
            ELSE excluded.gate_since END
"""


async def save(
    tx: Tx,
    currency: str,
    judged: Judgement,
    *,
    number: int,
    balance_number: int,
    published: Mapping[str, Any],
    now: datetime,
) -> None:
    """Write how the reserve stands; the caller holds the lock."""
    await tx.execute(
        _SAVE,
        currency=currency,
        number=number,
        balance_number=balance_number,
        health=judged.health,
        gate=judged.gate,
        blocks=judged.blocks_transfers,
        ceiling=judged.ceiling or 0,
        free=judged.free,
        minimum=judged.minimum,
        terms=orjson.dumps([asdict(term) for term in judged.terms]).decode(),
        sentence=judged.sentence,
        published=orjson.dumps(published).decode(),
        now=now,
        valid_until=judged.valid_until,
    )


_STANDING = """
    SELECT judgement.health, judgement.blocks_transfers, judgement.free, judgement.minimum, balance.read_at
    FROM judgement LEFT JOIN balance USING (currency) WHERE gate <> 'off' ORDER BY currency LIMIT 1
"""


async def standing(tx: Tx) -> Standing | None:
    """How the reserve was judged last; None: the school keeps none."""
    row = await tx.first(_STANDING)
    return None if row is None else Standing(**row._mapping)
