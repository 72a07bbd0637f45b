"""Whoever dies while money follows a correction leaves nothing half done; told again it happens once."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from fleet import faults
from fleet.database import Database
from services.adjustments.fault_points import POINTS
from services.adjustments.handlers import remind_of_settlements
from tests.integration.adjustments.settle_stories import (
    answer_reversals,
    answer_settlements,
    asked_reversals,
    journal_of,
    post_adjustments,
    reversal,
    send,
    sent,
    settle,
    settlements,
    told,
    where,
)
from tests.integration.adjustments.stories import NOW, journals, propose, revised

OURS = sorted(point for point in POINTS if "settle" in point)


def parts(db: Database) -> list[Callable[[], Awaitable[object]]]:
    """Every step of settling; each can be told again."""
    first, second = sent("flight:F1:1", transfer="T0"), sent("adjustment:F3:2", transfer="T2")
    flights = [revised(flight=name) for name in ("F1", "F2", "F3")]

    async def answer() -> None:
        asked = await asked_reversals(db)
        await answer_reversals(db, *(reversal(one["settlement_id"], 1_200) for one in asked))

    return [
        lambda: propose(db, *flights),
        lambda: send(db, first),
        lambda: post_adjustments(db),
        lambda: settle(db, "claw_back"),
        lambda: settle(db, method="forgiven", name="F2:2"),
        answer,
        lambda: answer_settlements(db),
        lambda: send(db, second),
        lambda: remind_of_settlements(db, clock=lambda: NOW + timedelta(hours=61)),
    ]


@pytest.mark.parametrize("point", OURS)
async def test_a_death_at_any_point_changes_nothing_but_when(
    db: Database, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    monkeypatch.setattr(faults, "_plan", faults.Plan(faults.parse_plan(f"{point}=raise@1"), None))
    died = 0
    for part in parts(db):
        for _ in range(3):
            try:
                await part()
                break
            except faults.InjectedFault:
                died += 1
    assert died == 1
    assert await settlements(db) == [
        ("future_payout_offset", "replaced", -1_750),
        ("stripe_reversal", "settled", -1_200),
        ("future_payout_offset", "waiting", -550),
    ]
    assert await where(db) == {"F1:2": "settling", "F2:2": "settled", "F3:2": "settled"}
    assert len(await asked_reversals(db)) == len(journal_of(await journals(db))) == 1
    assert [kind for kind, _ in await told(db, "finance")] == ["settlement_window_closes"]
