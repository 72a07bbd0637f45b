"""Alerts and openings, newest first. Published views only."""

from typing import Any

from fleet.database import Tx

_ALERTS = """
    SELECT id, currency, kind, severity, sentence, raised_at, acknowledged_at, acknowledged_by, note,
           resolved_at
    FROM reserves_public.alerts WHERE :every OR resolved_at IS NULL
    ORDER BY raised_at DESC, id DESC LIMIT 1000
"""
_OPENINGS = """
    SELECT id, currency, amount, until, why, asked_by, asked_at, needs_second, approved_by, approved_at,
           closed_by, closed_at
    FROM reserves_public.openings ORDER BY asked_at DESC, id DESC LIMIT 1000
"""


async def list_alerts(tx: Tx, *, every: bool) -> list[dict[str, Any]]:
    """Alerts that stand, or every one."""
    return [dict(row._mapping) for row in await tx.all(_ALERTS, every=every)]


async def list_openings(tx: Tx) -> list[dict[str, Any]]:
    """Who opened the gate, by how much, until when and why."""
    return [dict(row._mapping) for row in await tx.all(_OPENINGS)]
