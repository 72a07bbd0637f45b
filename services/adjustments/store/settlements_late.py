"""SQL of settlements that finance has to hear of, once each, and of how many there are."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row

from fleet.cause import Cause
from fleet.database import Tx
from services.adjustments.domain.settlements_late import Late, LateCounts, Lateness
from services.adjustments.store.settlements import settlement_of

_LATE: Final = """
    SELECT s.id, s.adjustment_id, s.number, s.wallet, s.currency, s.amount, s.method, s.state, s.instead_of,
        s.decided_by, s.cheque_number, s.paid_on, s.proof, s.begun_at,
        a.flight_id || ':' || a.revision AS name, CAST(a.trace AS text) AS trace,
        CAST(NULL AS timestamptz) AS until
    FROM settlement AS s JOIN adjustment AS a ON a.id = s.adjustment_id
    WHERE (s.state, s.method) IN (SELECT * FROM unnest(CAST(:states AS text[]), CAST(:methods AS text[])))
      AND s.begun_at < :before
      AND NOT EXISTS (SELECT FROM settlement_told AS told
                      WHERE told.settlement_id = s.id AND told.what = :what)
    ORDER BY s.begun_at LIMIT :most
"""


async def overdue(tx: Tx, before: datetime, most: int) -> list[Late]:
    """What has waited for a transfer since before then, and nobody was told of it."""
    return await _late(tx, before, most, Lateness.OVERDUE, waiting=("payout", "future_payout_offset"))


async def unanswered(tx: Tx, before: datetime, most: int) -> list[Late]:
    """What payouts was asked for before then and did not answer, and nobody was told of it."""
    return await _late(tx, before, most, Lateness.UNANSWERED, asked=("stripe_reversal", "refund"))


async def _late(
    tx: Tx,
    before: datetime,
    most: int,
    what: Lateness,
    waiting: Sequence[str] = (),
    asked: Sequence[str] = (),
) -> list[Late]:
    states = ["waiting"] * len(waiting) + ["asked"] * len(asked)
    rows = await tx.all(
        _LATE, states=states, methods=[*waiting, *asked], before=before, what=str(what), most=most
    )
    return [_read(row) for row in rows]


# The window that closes last counts: payouts takes from any transfer of the payee that it may.
_CLOSING: Final = """
    SELECT s.id, s.adjustment_id, s.number, s.wallet, s.currency, s.amount, s.method, s.state, s.instead_of,
        s.decided_by, s.cheque_number, s.paid_on, s.proof, s.begun_at,
        a.flight_id || ':' || a.revision AS name, CAST(a.trace AS text) AS trace, w.until
    FROM settlement AS s JOIN adjustment AS a ON a.id = s.adjustment_id
    CROSS JOIN LATERAL (
        SELECT max(clawback_until) AS until FROM clawback_window AS w
        WHERE (w.wallet, w.currency) = (s.wallet, s.currency)) AS w
    WHERE s.state = 'waiting' AND s.method = 'future_payout_offset'
      AND w.until > :now AND w.until <= :until
      AND NOT EXISTS (SELECT FROM settlement_told AS told
                      WHERE told.settlement_id = s.id AND told.what = 'window_closes')
    ORDER BY w.until LIMIT :most
"""


async def closing(tx: Tx, now: datetime, until: datetime, most: int) -> list[Late]:
    """Debts of payees from whom money can be taken back until then and no longer; nobody was told of it."""
    return [_read(row) for row in await tx.all(_CLOSING, now=now, until=until, most=most)]


_NOTE: Final = """
    INSERT INTO settlement_told (settlement_id, what, at)
    SELECT id, :what, :now FROM unnest(CAST(:ids AS uuid[])) AS told (id)
    ON CONFLICT DO NOTHING
"""


async def note_told(tx: Tx, ids: Sequence[UUID], what: Lateness, now: datetime) -> None:
    """Note that finance was told of these settlements."""
    await tx.execute(_NOTE, ids=list(ids), what=str(what), now=now)


_COUNT: Final = """
    SELECT count(*) FILTER (WHERE s.state = 'waiting' AND s.begun_at < :overdue) AS overdue,
        count(*) FILTER (WHERE s.state = 'waiting' AND s.method = 'future_payout_offset'
            AND (SELECT max(clawback_until) FROM clawback_window AS w
                 WHERE (w.wallet, w.currency) = (s.wallet, s.currency) AND clawback_until > :now) <= :closing)
            AS window_closes,
        count(*) FILTER (WHERE s.state = 'asked' AND s.method IN ('stripe_reversal', 'refund')
            AND s.begun_at < :unanswered) AS unanswered,
        (SELECT count(*) FROM early_answer WHERE heard_at < :forgotten) AS forgotten
    FROM settlement AS s WHERE s.state IN ('waiting', 'asked')
"""


async def count(
    tx: Tx, now: datetime, *, overdue: datetime, unanswered: datetime, closing: datetime, forgotten: datetime
) -> LateCounts:
    """How many settlements are late: begun or answered before these instants, or windows close by then."""
    row = await tx.one(
        _COUNT, now=now, overdue=overdue, unanswered=unanswered, closing=closing, forgotten=forgotten
    )
    return LateCounts(**row._mapping)


_OPEN: Final = """
    SELECT method, count(*) AS open FROM settlement WHERE state IN ('waiting', 'asked') GROUP BY method
"""


async def open_by_method(tx: Tx) -> dict[str, int]:
    """How many settlements wait for something, by method."""
    return {row.method: row.open for row in await tx.all(_OPEN)}


def _read(row: Row[Any]) -> Late:
    return Late(
        settlement=settlement_of(row),
        name=row.name,
        since=row.begun_at,
        trace=Cause.kept(row.trace),
        until=row.until,
    )
