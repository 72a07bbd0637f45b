"""SQL of what all processes share about reading Stripe: the look at the balance, and their starts."""

from datetime import datetime, timedelta

from fleet.database import Tx

_LOOK = """
    INSERT INTO read_schedule (name, asked_at, due_at) VALUES ('balance', :at, :at)
    ON CONFLICT (name) DO UPDATE SET due_at = excluded.due_at
"""


async def look_at_balance(tx: Tx, at: datetime) -> None:
    """Have the balance read at that time, because money may have come in, or Stripe did not answer."""
    await tx.execute(_LOOK, at=at)


_BALANCE_DUE = """
    INSERT INTO read_schedule (name, asked_at, due_at) VALUES ('balance', :now, :now)
    ON CONFLICT (name) DO UPDATE SET due_at = read_schedule.due_at
    RETURNING asked_at, due_at
"""
_PLAN_LOOK = (
    "UPDATE read_schedule SET due_at = :next WHERE name = 'balance' AND due_at = :due_at RETURNING name"
)


async def balance_due(tx: Tx, now: datetime) -> tuple[datetime, datetime]:
    """Since when the balance has been short, and when it is read next; the first time now."""
    row = await tx.one(_BALANCE_DUE, now=now)
    return row.asked_at, row.due_at


async def plan_look(tx: Tx, due_at: datetime, next_at: datetime) -> bool:
    """Take a look that is due, and plan the next; False when another process took it."""
    return await tx.first(_PLAN_LOOK, due_at=due_at, next=next_at) is not None


_BALANCE_SUFFICES = "DELETE FROM read_schedule WHERE name = 'balance'"


async def balance_suffices(tx: Tx) -> None:
    """Forget since when the balance was short."""
    await tx.execute(_BALANCE_SUFFICES)


_START = """
    INSERT INTO read_schedule (name, asked_at, due_at) 
    VALUES ('start', :now, CAST(:now AS timestamptz) + :each)
    ON CONFLICT (name) DO UPDATE
        SET asked_at = :now, due_at = greatest(read_schedule.due_at, :now) + :each
    RETURNING due_at
"""


async def note_start(tx: Tx, now: datetime, each: timedelta) -> datetime:
    """Note that a process starts: each start counts for `each`. Until when all starts so far count."""
    until: datetime = (await tx.one(_START, now=now, each=each)).due_at
    return until
