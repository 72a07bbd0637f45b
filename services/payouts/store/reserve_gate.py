"""SQL of the reserve's gate: the count of what was let out, the last gate, and what waits for it.

Payees are locked before the gate's row, and that before operations.
"""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from uuid import UUID

from fleet.database import Tx, json_parameter
from services.payouts.domain.reserve_gate import Gate, GateNews, HeardGate, ReservePolicy, WaitingTransfer
from services.payouts.domain.transfers import HoldReason

# A card's newest version stands, in whatever order they are read.
_KEEP = """
    INSERT INTO reserve_policy (effective_from, version, stale_after_minutes, when_stale)
    SELECT effective_from, version, stale_after_minutes, when_stale
    FROM jsonb_to_recordset(CAST(:policies AS jsonb))
        AS policy (effective_from date, version integer, stale_after_minutes integer, when_stale text)
    ORDER BY effective_from
    ON CONFLICT (effective_from) DO UPDATE SET version = excluded.version,
        stale_after_minutes = excluded.stale_after_minutes, when_stale = excluded.when_stale
    WHERE reserve_policy.version <= excluded.version
"""


async def keep_policies(tx: Tx, policies: Sequence[ReservePolicy]) -> None:
    """Keep dated policies; of several versions of one date the newest stands."""
    newest = {one.effective_from: one for one in sorted(policies, key=lambda one: one.version)}
    rows = [
        {
            "effective_from": one.effective_from.isoformat(),
            "version": one.version,
            "stale_after_minutes": one.stale_after_minutes,
            "when_stale": one.when_stale,
        }
        for one in newest.values()
    ]
    if rows:
        await tx.execute(_KEEP, policies=json_parameter(rows))


_NAME_CURRENCY = "UPDATE school SET currency = :currency WHERE time_zone_version <= :version"


async def name_currency(tx: Tx, version: int, currency: str) -> None:
    """Note the school's currency, as the version of its book says; before the version is followed."""
    await tx.execute(_NAME_CURRENCY, version=version, currency=currency)


_IN_FORCE = """
    SELECT school.currency, policy.effective_from, policy.version, policy.stale_after_minutes,
           policy.when_stale
    FROM school, LATERAL (
        SELECT * FROM reserve_policy WHERE effective_from <= :today AND stale_after_minutes IS NOT NULL
        ORDER BY effective_from DESC LIMIT 1) AS policy
    WHERE school.currency IS NOT NULL
"""


async def in_force(tx: Tx, today: date) -> tuple[str, ReservePolicy] | None:
    """The currency and the policy of a day of the school's calendar; None: it keeps no reserve."""
    row = await tx.first(_IN_FORCE, today=today)
    if row is None:
        return None
    return row.currency, ReservePolicy(
        effective_from=row.effective_from,
        version=row.version,
        stale_after_minutes=row.stale_after_minutes,
        when_stale=row.when_stale,
    )


_WATCHED = "SELECT currency FROM reserve_gate WHERE watched"


async def watched(tx: Tx) -> list[str]:
    """The currencies that have a gate today."""
    return [row.currency for row in await tx.all(_WATCHED)]


# The lock waits for claims under way, and claims wait for it: none that saw no gate is still to commit.
# What was sent before is under way already, and is not let out again.
_STOP_CLAIMS = "LOCK TABLE operation IN SHARE ROW EXCLUSIVE MODE"
_WATCH = """
    INSERT INTO reserve_gate (currency, watched, valid_until, when_over, stale_after, read_due_at)
    VALUES (:currency, true, :valid_until, :when_over, :stale_after, :now)
    ON CONFLICT (currency) DO UPDATE SET watched = true, state = 'off', valid_until = excluded.valid_until,
        when_over = excluded.when_over, stale_after = excluded.stale_after,
        read_due_at = excluded.read_due_at
"""
_ALREADY_OUT = """
    WITH already AS (
        UPDATE operation SET let_out_at = :now
        WHERE kind = 'transfer' AND currency = :currency AND let_out_at IS NULL
          AND (state IN ('in_flight', 'parked') OR state = 'due' AND first_sent_at IS NOT NULL)
        RETURNING amount
    )
    UPDATE reserve_gate SET allowed_total = allowed_total + (SELECT coalesce(sum(amount), 0) FROM already)
    WHERE currency = :currency
"""


async def watch(tx: Tx, currency: str, policy: ReservePolicy, now: datetime) -> None:
    """Begin to count what is let out: from the commit on no transfer is claimed that was not let out."""
    await tx.execute(_STOP_CLAIMS)
    await tx.execute(
        _WATCH,
        currency=currency,
        valid_until=now + policy.stale_after,
        when_over=policy.when_stale,
        stale_after=policy.stale_after,
        now=now,
    )
    await tx.execute(_ALREADY_OUT, currency=currency, now=now)


_AGE = """
    UPDATE reserve_gate SET stale_after = :stale_after
    WHERE currency = :currency AND stale_after <> :stale_after
"""


async def believe_for(tx: Tx, currency: str, policy: ReservePolicy) -> None:
    """Note how old a balance may be: it is read before it is older."""
    await tx.execute(_AGE, currency=currency, stale_after=policy.stale_after)


_UNWATCH = "UPDATE reserve_gate SET watched = false WHERE watched AND currency <> coalesce(:but, '')"


async def unwatch(tx: Tx, but: str | None) -> None:
    """Let all out again, since the school keeps no reserve; what is let out is still counted."""
    await tx.execute(_UNWATCH, but=but)


_HEED = """
    UPDATE reserve_gate SET number = :number, state = :state, ceiling = :ceiling,
        balance_number = :balance_number, exempt_below = :exempt_below, exempt_wallets = :exempt_wallets,
        sentence = :sentence, valid_until = :valid_until, when_over = :when_over
    WHERE currency = :currency AND number < :number
      AND (:state = 'off' OR EXISTS (
          SELECT FROM balance_reading AS reading
          WHERE reading.currency = reserve_gate.currency AND reading.number = :balance_number))
    RETURNING number
"""


async def heed(tx: Tx, gate: HeardGate) -> bool:
    """Take a gate that is newer than the last, and judges a reading of this database; whether it was."""
    row = await tx.first(
        _HEED,
        currency=gate.currency,
        number=gate.number,
        state=gate.state,
        ceiling=gate.ceiling,
        balance_number=gate.balance_number,
        exempt_below=gate.exempt_below,
        exempt_wallets=list(gate.exempt_wallets),
        sentence=gate.sentence,
        valid_until=gate.valid_until,
        when_over=gate.when_over,
    )
    return row is not None


_NEWS = """
    SELECT number, valid_until <= :now AS is_stale, watched,
           EXISTS (SELECT FROM operation WHERE kind = 'transfer' AND state = 'due' AND let_out_at IS NULL
                     AND operation.currency = reserve_gate.currency) AS due,
           EXISTS (SELECT FROM operation WHERE state = 'held' AND reason = 'reserve'
                     AND operation.currency = reserve_gate.currency) AS held, currency
    FROM reserve_gate ORDER BY currency
"""


async def news(tx: Tx, now: datetime) -> list[GateNews]:
    """Of each gate: its number, whether it is stale, and whether transfers are due or held."""
    return [GateNews(**row._mapping) for row in await tx.all(_NEWS, now=now)]


_WALLETS_WAITING = """
    SELECT DISTINCT wallet FROM (
        SELECT wallet FROM operation
        WHERE kind = 'transfer' AND currency = :currency
          AND (state = 'due' AND let_out_at IS NULL OR state = 'held' AND reason = 'reserve')
        ORDER BY sequence LIMIT :most) AS oldest
"""


async def wallets_waiting(tx: Tx, currency: str, most: int) -> list[str]:
    """Whom the oldest transfers that wait pay; read before locking, since payees are locked first."""
    return [row.wallet for row in await tx.all(_WALLETS_WAITING, currency=currency, most=most)]


_LOCK = """
    SELECT currency, watched, allowed_total, state, ceiling, exempt_below, exempt_wallets, sentence,
           valid_until, when_over
    FROM reserve_gate WHERE currency = :currency FOR UPDATE
"""


async def lock(tx: Tx, currency: str) -> Gate:
    """Lock the row under which transfers are let out, one process at a time."""
    row = await tx.one(_LOCK, currency=currency)
    return Gate(
        currency=row.currency,
        watched=row.watched,
        allowed_total=row.allowed_total,
        state=row.state,
        ceiling=row.ceiling,
        exempt_below=row.exempt_below,
        exempt_wallets=frozenset(row.exempt_wallets),
        sentence=row.sentence,
        valid_until=row.valid_until,
        when_over=row.when_over,
    )


# What another transaction holds now is let out at a later step.
_LOCK_WAITING = """
    SELECT id, transfer_id, wallet, amount, state = 'held' AS held FROM operation
    WHERE kind = 'transfer' AND currency = :currency AND wallet = ANY (CAST(:wallets AS text[]))
      AND (state = 'due' AND let_out_at IS NULL OR state = 'held' AND reason = 'reserve')
    ORDER BY sequence LIMIT :most FOR UPDATE SKIP LOCKED
"""
_NUMBER_WAITING = """
    SELECT least(count(*), :most) AS number FROM operation
    WHERE kind = 'transfer' AND currency = :currency AND wallet = ANY (CAST(:wallets AS text[]))
      AND (state = 'due' AND let_out_at IS NULL OR state = 'held' AND reason = 'reserve')
"""


async def lock_waiting(tx: Tx, currency: str, wallets: Collection[str], most: int) -> list[WaitingTransfer]:
    """Lock what waits to be let out of payees, locked already: the oldest first."""
    rows = await tx.all(_LOCK_WAITING, currency=currency, wallets=sorted(wallets), most=most)
    return [
        WaitingTransfer(
            operation_id=row.id,
            transfer_id=row.transfer_id,
            wallet=row.wallet,
            amount=row.amount,
            held=row.held,
        )
        for row in rows
    ]


async def number_waiting(tx: Tx, currency: str, wallets: Collection[str], most: int) -> int:
    """How many `lock_waiting` locks when nobody else holds any."""
    row = await tx.one(_NUMBER_WAITING, currency=currency, wallets=sorted(wallets), most=most)
    number: int = row.number
    return number


_LET_OUT = """
    UPDATE operation SET state = 'due', let_out_at = coalesce(let_out_at, :now), reason = NULL,
        sentence = NULL
    WHERE id = ANY (CAST(:ids AS uuid[]))
"""
_COUNT = "UPDATE reserve_gate SET allowed_total = allowed_total + :amount WHERE currency = :currency"


async def let_out(tx: Tx, currency: str, transfers: Sequence[WaitingTransfer], now: datetime) -> None:
    """Mark transfers as let out and count them; their rows and the gate's are locked."""
    if not transfers:
        return
    await tx.execute(_LET_OUT, ids=[one.operation_id for one in transfers], now=now)
    await tx.execute(_COUNT, currency=currency, amount=sum(one.amount for one in transfers))


_HOLD = """
    UPDATE operation SET state = 'held', reason = :reason, sentence = :sentence
    WHERE id = ANY (CAST(:ids AS uuid[]))
"""


async def hold(tx: Tx, operations: Collection[UUID], reason: HoldReason, sentence: str) -> None:
    """Hold operations that are locked; nothing of them was sent."""
    if operations:
        await tx.execute(_HOLD, ids=list(operations), reason=str(reason), sentence=sentence)
