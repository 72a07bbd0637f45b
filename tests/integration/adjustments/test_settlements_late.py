"""Finance hears, once each, of what waits too long and of money that can soon not be taken back."""

from datetime import datetime, timedelta

from fleet.database import Database
from services.adjustments import metrics
from services.adjustments.domain.settlements_late import Lateness
from services.adjustments.handlers import measure_settlements, remind_of_settlements
from tests.integration.adjustments.settle_stories import (
    given_posted,
    send,
    sent,
    settle,
    settlements,
    told,
)
from tests.integration.adjustments.stories import NOW, given_policy


async def remind(db: Database, now: datetime) -> list[tuple[str, str]]:
    """What finance was told in all when somebody has looked at this time."""
    await remind_of_settlements(db, clock=lambda: now)
    return await told(db, "finance")


async def late(db: Database, what: Lateness, now: datetime) -> float:
    await measure_settlements(db, clock=lambda: now)
    shown: float = metrics.LATE.labels(str(what))._value.get()
    return shown


async def test_finance_is_warned_once_before_the_last_window_closes(db: Database) -> None:
    await send(db, sent("flight:F1:1", transfer="T0", at=NOW - timedelta(hours=50)), sent("flight:F0:1"))
    await given_posted(db)
    assert await remind(db, NOW + timedelta(hours=20)) == []  # the older one closes, the newer one does not
    soon = NOW + timedelta(hours=61)
    [(kind, sentence)] = await remind(db, soon)
    assert kind == "settlement_window_closes"
    assert "17.50 USD owed by instructor:ines can be taken back at Stripe for 11 hours more" in sentence
    assert "hobbs adjustments claw-back F1:2 --wallet instructor:ines" in sentence
    assert len(await remind(db, soon)) == 1
    assert await late(db, Lateness.WINDOW_CLOSES, soon) == 1
    assert await late(db, Lateness.WINDOW_CLOSES, NOW + timedelta(hours=73)) == 0


async def test_a_debt_that_is_settled_needs_no_warning(db: Database) -> None:
    await send(db, sent("flight:F1:1"))
    await given_posted(db)
    await send(db, sent("adjustment:F1:2", transfer="T2"))
    assert await remind(db, NOW + timedelta(hours=61)) == []


async def test_windows_are_forgotten_when_they_are_closed(db: Database) -> None:
    await send(db, sent("flight:F1:1"))
    await remind_of_settlements(db, clock=lambda: NOW + timedelta(hours=71))
    async with db.transaction() as tx:
        assert (await tx.one("SELECT count(*) AS rows FROM clawback_window")).rows == 1
    await remind_of_settlements(db, clock=lambda: NOW + timedelta(hours=72))
    async with db.transaction() as tx:
        assert (await tx.one("SELECT count(*) AS rows FROM clawback_window")).rows == 0


async def test_an_offset_older_than_the_policy_says_is_told_and_counted(db: Database) -> None:
    await given_policy(db, offset_escalates_after_days=7)
    await given_posted(db)
    assert await remind(db, NOW + timedelta(days=7)) == []
    later = NOW + timedelta(days=7, hours=1)
    [(kind, sentence)] = await remind(db, later)
    assert (kind, "has waited for a transfer for 7 days: hobbs adjustments settle F1:2" in sentence) == (
        "settlement_overdue",
        True,
    )
    assert len(await remind(db, later + timedelta(days=1))) == 1
    assert await late(db, Lateness.OVERDUE, later) == 1


async def test_a_reversal_without_an_answer_is_told_and_stays_asked(db: Database) -> None:
    """Also after 72 hours: nobody knows whether the money came back, so nothing is deducted."""
    await send(db, sent("flight:F1:1"))
    await given_posted(db)
    await settle(db, "claw_back")
    much_later = NOW + timedelta(hours=100)
    [(kind, sentence)] = await remind(db, much_later)
    assert (kind, "payouts has not said" in sentence) == ("settlement_unanswered", True)
    assert (await settlements(db))[-1] == ("stripe_reversal", "asked", -1_750)
    assert await late(db, Lateness.UNANSWERED, much_later) == 1
