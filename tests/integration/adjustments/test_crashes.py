"""Whoever dies anywhere leaves nothing half done; the batch that is read again does it once."""

from datetime import timedelta

import pytest

from fleet import faults
from fleet.database import Database
from services.adjustments.domain.adjustments import TRANSITIONS
from services.adjustments.fault_points import POINTS
from services.adjustments.handlers import expire
from tests.integration.adjustments.stories import (
    LESS,
    MORE,
    NOW,
    SLIGHTLY_LESS,
    answer_ledger,
    decide,
    journals,
    propose,
    refuse_journal,
    revised,
    states,
)

OURS = sorted(point for point in POINTS if "settle" not in point)


async def story(db: Database) -> None:
    """Every step of the service; each part can be told again."""
    others = [revised(flight="F2", entries=MORE), revised(flight="F3", entries=LESS)]
    await propose(db, revised(2, MORE), *others)
    if (await states(db))["F1:2"] == "waiting":
        await decide(db, "approve", "F1:2", "ann")
        await decide(db, "approve", "F1:2", "bob")
    if (await states(db))["F3:2"] == "approved":
        await refuse_journal(db, "adjustment:F3:2")
    await answer_ledger(db)
    await propose(db, revised(3, SLIGHTLY_LESS))
    await expire(db, clock=lambda: NOW + timedelta(days=15))


@pytest.mark.parametrize("point", OURS)
async def test_a_death_at_any_point_changes_nothing_but_when(
    db: Database, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    monkeypatch.setattr(faults, "_plan", faults.Plan(faults.parse_plan(f"{point}=raise@1"), None))
    died = False
    for _ in range(3):
        try:
            await story(db)
        except faults.InjectedFault:
            died = True
    assert died or point == "adjustments.approved"  # a decision that breaks is answered, and asked for again
    assert await states(db) == {"F1:2": "posted", "F1:3": "expired", "F2:2": "expired", "F3:2": "failed"}
    assert sorted(await journals(db)) == ["adjustment:F1:2", "adjustment:F3:2"]


async def test_code_and_database_have_one_table_of_steps(db: Database) -> None:
    async with db.transaction() as tx:
        row = await tx.one(
            "SELECT pg_get_constraintdef(oid) AS text FROM pg_constraint"
            " WHERE conname = 'adjustment_step_is_in_the_table'"
        )
    said = {f"{old or 'new'}>{new}" for old, to in TRANSITIONS.items() for new in to}
    assert {part for part in row.text.split("'") if ">" in part and " " not in part} - {">"} == said
