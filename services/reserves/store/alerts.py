"""SQL of alerts, and of openings of the gate."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from fleet.database import Tx
from services.reserves.domain.alerts import Alert, Opening

_RESOLVE = """
    UPDATE alert SET resolved_at = :now
    WHERE currency = :currency AND resolved_at IS NULL AND kind IS DISTINCT FROM CAST(:kind AS text)
"""
_RAISE = """
    INSERT INTO alert (currency, kind, severity, sentence, raised_at)
    VALUES (:currency, :kind, :severity, :sentence, :now)
    ON CONFLICT (currency, kind) WHERE resolved_at IS NULL DO NOTHING
"""


async def stand(tx: Tx, currency: str, alert: Alert | None, now: datetime) -> None:
    """Raise the alert unless it stands, and resolve the others of the currency."""
    await tx.execute(_RESOLVE, currency=currency, kind=alert.kind if alert else None, now=now)
    if alert is not None:
        await tx.execute(
            _RAISE,
            currency=currency,
            kind=alert.kind,
            severity=alert.severity,
            sentence=alert.sentence,
            now=now,
        )


_ACKNOWLEDGE = """
    UPDATE alert SET acknowledged_at = :now, acknowledged_by = :who, note = :note
    WHERE id = :id AND acknowledged_at IS NULL RETURNING kind
"""


async def acknowledge(tx: Tx, alert_id: int, who: str, note: str, now: datetime) -> str | None:
    """Note that a person knows of an alert; its kind, None when there is none or somebody did before."""
    row = await tx.first(_ACKNOWLEDGE, id=alert_id, who=who, note=note, now=now)
    return None if row is None else row.kind


_OPEN = """
    INSERT INTO opening (id, currency, amount, until, why, asked_by, asked_at, needs_second)
    VALUES (:id, :currency, :amount, :until, :why, :who, :now, :needs_second)
"""


async def open_gate(tx: Tx, opening: Opening, why: str, now: datetime) -> None:
    """Keep an opening; it is in force at once unless it needs a second person."""
    await tx.execute(
        _OPEN,
        id=opening.id,
        currency=opening.currency,
        amount=opening.amount,
        until=opening.until,
        why=why,
        who=opening.asked_by,
        needs_second=opening.needs_second,
        now=now,
    )


_LOCK = """
    SELECT id, currency, amount, until, asked_by, needs_second, approved_by, closed_at IS NOT NULL AS closed
    FROM opening WHERE id = :id FOR UPDATE
"""


async def lock_opening(tx: Tx, opening_id: UUID) -> Opening | None:
    """Lock an opening that a person decides on."""
    row: Row[Any] | None = await tx.first(_LOCK, id=opening_id)
    return None if row is None else Opening(**row._mapping)


_APPROVE = "UPDATE opening SET approved_by = :who, approved_at = :now WHERE id = :id"
_CLOSE = "UPDATE opening SET closed_by = :who, closed_at = :now WHERE id = :id"


async def approve(tx: Tx, opening_id: UUID, who: str, now: datetime) -> None:
    await tx.execute(_APPROVE, id=opening_id, who=who, now=now)


async def close(tx: Tx, opening_id: UUID, who: str, now: datetime) -> None:
    await tx.execute(_CLOSE, id=opening_id, who=who, now=now)


_OPENED = """
    SELECT coalesce(sum(amount), 0)::bigint AS amount FROM opening
    WHERE currency = :currency AND until > :now AND closed_at IS NULL
      AND (NOT needs_second OR approved_at IS NOT NULL)
"""


async def opened(tx: Tx, currency: str, now: datetime) -> int:
    """By how much people have opened the gate now."""
    amount: int = (await tx.one(_OPENED, currency=currency, now=now)).amount
    return amount


_OPENED_BY_ONE = """
    SELECT coalesce(sum(amount), 0)::bigint AS amount FROM opening
    WHERE currency = :currency AND until > :now AND closed_at IS NULL AND NOT needs_second
"""


async def opened_by_one(tx: Tx, currency: str, now: datetime) -> int:
    """By how much the gate is open now without a second person."""
    amount: int = (await tx.one(_OPENED_BY_ONE, currency=currency, now=now)).amount
    return amount


_STANDING = """
    SELECT (SELECT count(*) FROM alert
            WHERE resolved_at IS NULL AND acknowledged_at IS NULL) AS unacknowledged,
           (SELECT coalesce(sum(amount), 0)::bigint FROM opening
            WHERE until > :now AND closed_at IS NULL
              AND (NOT needs_second OR approved_at IS NOT NULL)) AS opened
"""


async def standing(tx: Tx, now: datetime) -> tuple[int, int]:
    """How many alerts nobody acknowledged, and by how much the gate is open; the school has one currency."""
    row = await tx.one(_STANDING, now=now)
    return row.unacknowledged, row.opened
