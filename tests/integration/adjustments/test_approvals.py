"""A maker is never the checker, two approvers are two persons, and an approval is of what was shown.

Each rule twice: as people meet it, and in direct SQL as the service's own role.
"""

import asyncio
import contextvars
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy.exc import DBAPIError

from fleet.database import Database
from services.adjustments.handlers import expire, take_posted
from services.adjustments.store import adjustments, flights
from tests.integration.adjustments.stories import (
    LESS,
    MORE,
    NOW,
    SLIGHTLY_LESS,
    answer_ledger,
    decide,
    differences,
    given_policy,
    posted,
    propose,
    revised,
    staged,
    standing,
    states,
    steps_of,
)

ABOVE_50 = {"student:anna": -26_000, "instructor:ines": 11_375, "platform:school": 14_625}  # 60.00 more


async def sql(db: Database, statement: str, **parameters: Any) -> None:
    """As hobbs_adjustments itself, beside every rule of the code."""
    async with db.transaction() as tx:
        await tx.execute(statement, **parameters)


async def rule_broken_by(db: Database, statement: str, **parameters: Any) -> str:
    """The rule that the database names when it refuses the statement."""
    with pytest.raises(DBAPIError) as refusal:
        await sql(db, statement, **parameters)
    cause: Any = refusal.value.orig
    return str(cause.__cause__.constraint_name)


APPROVE = """
    INSERT INTO approval (decision_id, adjustment_id, content_hash, approver, why, approved_at)
    SELECT :id, id, content_hash, :who, '', now() FROM adjustment
    WHERE flight_id = 'F1' AND revision = :revision
"""


async def approve_in_sql(db: Database, who: str, revision: int = 2) -> None:
    await sql(db, APPROVE, id=uuid4(), who=who, revision=revision)


async def refused_approval(db: Database, who: str, revision: int = 2) -> str:
    return await rule_broken_by(db, APPROVE, id=uuid4(), who=who, revision=revision)


async def test_above_the_limit_one_person_approves(db: Database) -> None:
    await propose(db, revised(entries=ABOVE_50))
    assert await states(db) == {"F1:2": "waiting"}
    answer = await decide(db, "approve", "F1:2", "ann")
    assert answer.sentence == "adjustment F1:2 is approved by ann: the ledger is asked to post it"
    assert [dict(effect) for effect in answer.effects] == [
        party | {"adjustment": "F1:2", "currency": "USD"}
        for party in (
            {"wallet": "instructor:ines", "before": 8_750, "after": 11_375, "difference": 2_625},
            {"wallet": "platform:school", "before": 11_250, "after": 14_625, "difference": 3_375},
            {"wallet": "student:anna", "before": -20_000, "after": -26_000, "difference": -6_000},
        )
    ]
    assert await steps_of(db, "F1:2") == [(None, "waiting", "dispatch"), ("waiting", "approved", "ann")]
    await answer_ledger(db)
    assert await standing(db) == ABOVE_50


@pytest.mark.parametrize("who", ["dispatch", "Dispatch", " dispatch", "ＤＩＳＰＡＴＣＨ"])
async def test_a_maker_is_not_the_checker(db: Database, who: str) -> None:
    await propose(db, revised(entries=ABOVE_50))
    answer = await decide(db, "approve", "F1:2", who)
    assert answer.outcome == "refused"
    assert "another person has to approve" in answer.sentence
    assert await refused_approval(db, who) == "maker_is_not_checker"
    assert await states(db) == {"F1:2": "waiting"}


async def test_whoever_made_a_revision_that_is_covered_is_a_maker_too(db: Database) -> None:
    await propose(db, revised(2, MORE, made_by="eve"))
    await propose(db, revised(3, ABOVE_50, made_by="dispatch"))
    assert (await decide(db, "approve", "F1:3", "eve")).outcome == "refused"
    assert await refused_approval(db, "eve", revision=3) == "maker_is_not_checker"
    assert (await decide(db, "approve", "F1:3", "ann")).outcome == "done"


async def test_whoever_made_a_revision_that_was_posted_is_no_maker_of_the_next(db: Database) -> None:
    await propose(db, revised(2, LESS, made_by="eve"))
    await answer_ledger(db)
    await propose(db, revised(3, ABOVE_50, made_by="dispatch"))
    assert (await decide(db, "approve", "F1:3", "eve")).outcome == "done"


async def test_two_approvers_are_two_persons(db: Database) -> None:
    await propose(db, revised(entries=MORE))  # 1,000.00 more
    first = await decide(db, "approve", "F1:2", "ann")
    assert first.sentence == (
        "adjustment F1:2 has ann's approval; it waits for a second approval, of another person"
    )
    assert (await decide(db, "approve", "F1:2", "ann")).outcome == "refused"
    assert (await decide(db, "approve", "F1:2", " Ann")).outcome == "refused"
    assert await refused_approval(db, "ANN") == "two_approvers_are_two_persons"
    assert await states(db) == {"F1:2": "waiting"}
    assert (await decide(db, "approve", "F1:2", "bob")).outcome == "done"
    assert await states(db) == {"F1:2": "approved"}


async def test_nothing_is_approved_by_fewer_than_it_needs(db: Database) -> None:
    await propose(db, revised(entries=MORE))
    moved = "UPDATE adjustment SET state = 'approved' WHERE flight_id = 'F1'"
    assert await rule_broken_by(db, moved) == "approved_by_enough_persons"
    await approve_in_sql(db, "ann")
    assert await rule_broken_by(db, moved) == "approved_by_enough_persons"


async def test_nobody_lowers_what_is_needed(db: Database) -> None:
    await propose(db, revised(entries=MORE))
    fewer = "UPDATE adjustment SET approvals_needed = 0, needs = '{}' WHERE flight_id = 'F1'"
    assert await rule_broken_by(db, fewer) == "amount_above_the_limit_needs_approval"
    smaller = "UPDATE adjustment SET largest = 1, approvals_needed = 0, needs = '{}' WHERE flight_id = 'F1'"
    assert await rule_broken_by(db, smaller) == "amount_above_the_limit_needs_approval"


async def test_an_approval_of_other_amounts_counts_for_nothing(db: Database) -> None:
    """Amounts that change after the approval take it away, also in SQL."""
    await propose(db, revised(entries=ABOVE_50))
    await approve_in_sql(db, "ann")
    larger = r"""UPDATE adjustment SET differences = '{"student\:anna"\: -9000, "platform\:school"\: 9000}'"""
    moved = larger + ", state = 'approved' WHERE flight_id = 'F1'"
    assert await rule_broken_by(db, moved) == "approved_by_enough_persons"


@pytest.mark.parametrize(
    ("statement", "rule"),
    [
        ("""UPDATE adjustment SET differences = '{"student:anna": -1}'""", "differences_sum_to_zero"),
        ("UPDATE adjustment SET entries = '{}'", "proposed_content_is_frozen"),
        (
            "UPDATE adjustment SET made_by = 'nobody', makers = makers || 'nobody'::text",
            "proposed_content_is_frozen",
        ),
        ("UPDATE adjustment SET makers = ARRAY['nobody']", "makers_stay_makers"),
        ("UPDATE adjustment SET revision = 9", "proposed_content_is_frozen"),
        ("UPDATE adjustment SET student = 'bert'", "proposed_content_is_frozen"),
        ("UPDATE adjustment SET state = 'posted'", "posted_is_what_the_ledger_posted"),
    ],
)
async def test_direct_sql_keeps_the_rules(db: Database, statement: str, rule: str) -> None:
    await propose(db, revised(entries=ABOVE_50))
    assert await rule_broken_by(db, statement.replace(":", r"\:")) == rule


async def test_what_was_decided_is_frozen(db: Database) -> None:
    await propose(db, revised(entries=LESS))
    changed = """UPDATE adjustment SET differences = '{"student:anna": -9000, "platform:school": 9000}'"""
    assert await rule_broken_by(db, changed.replace(":", r"\:")) == "decided_content_is_frozen"


@pytest.mark.parametrize("table", ["approval", "adjustment_history", "posted_journal"])
async def test_what_happened_is_only_added_to(db: Database, table: str) -> None:
    for statement in ("DELETE FROM ", "TRUNCATE "):
        with pytest.raises(DBAPIError, match="permission denied"):
            await sql(db, statement + table)


async def test_a_step_that_is_not_in_the_table_is_refused(db: Database) -> None:
    await propose(db, revised(entries=LESS))
    step = """
        INSERT INTO adjustment_history (adjustment_id, at, from_state, to_state, who, why, content_hash)
        SELECT id, now(), 'rejected', 'approved', 'eve', '', content_hash FROM adjustment
    """
    assert await rule_broken_by(db, step) == "adjustment_step_is_in_the_table"


async def test_a_preview_changes_nothing_and_binds_the_decision_to_what_it_showed(db: Database) -> None:
    await propose(db, revised(2, MORE))
    shown = await decide(db, "approve", "F1:2", "bob", dry_run=True)
    assert (shown.outcome, await states(db)) == ("previewed", {"F1:2": "waiting"})
    await decide(db, "approve", "F1:2", "ann")  # bob's would be the last one now
    late = await decide(db, "approve", "F1:2", "bob", preview_hash=shown.preview_hash)
    assert late.outcome == "refused"
    assert "no longer do what was shown" in late.sentence


async def test_when_what_stands_changes_approvals_are_void(db: Database) -> None:
    await propose(db, revised(2, ABOVE_50))
    await propose(db, revised(3, MORE))
    await decide(db, "approve", "F1:3", "ann")
    sixty_more = {"instructor:ines": 2_625, "platform:school": 3_375, "student:anna": -6_000}
    await take_posted(db, [posted("adjustment:F1:2", sixty_more)], clock=lambda: NOW)
    assert await states(db) == {"F1:2": "posted", "F1:3": "waiting"}
    assert (await differences(db, "F1:3"))["student:anna"] == -94_000
    assert "second" in (await decide(db, "approve", "F1:3", "bob")).sentence  # ann's is of other amounts
    assert (await decide(db, "approve", "F1:3", "ann")).outcome == "done"


async def test_a_rejected_adjustment_moves_nothing_and_says_why(db: Database) -> None:
    await propose(db, revised(entries=ABOVE_50))
    assert (await decide(db, "reject", "F1:2", "ann", why=" ")).outcome == "refused"
    await decide(db, "reject", "F1:2", "ann", why="the meter was right")
    assert await states(db) == {"F1:2": "rejected"}
    assert (await decide(db, "approve", "F1:2", "bob")).outcome == "refused"
    assert await staged(db, "journal.requested") == []


async def test_after_a_rejection_the_next_correction_is_judged_anew(db: Database) -> None:
    await propose(db, revised(2, ABOVE_50, made_by="eve"))
    await decide(db, "reject", "F1:2", "ann", why="no")
    await propose(db, revised(3, ABOVE_50))
    assert (await decide(db, "approve", "F1:3", "eve")).outcome == "refused"  # her revision is covered
    await decide(db, "approve", "F1:3", "ann")
    await answer_ledger(db)
    assert await standing(db) == ABOVE_50


async def test_what_nobody_decides_expires_and_finance_is_told(db: Database) -> None:
    await given_policy(db, expires_after_days=2)
    await propose(db, revised(flight="F1", entries=ABOVE_50), revised(flight="F2", entries=LESS))
    await expire(db, clock=lambda: NOW + timedelta(days=1, hours=23))
    assert (await states(db))["F1:2"] == "waiting"
    await expire(db, clock=lambda: NOW + timedelta(days=2))
    assert await states(db) == {"F1:2": "expired", "F2:2": "approved"}
    assert [n["kind"] for n in await staged(db, "notification.requested") if n["recipient"] == "finance"] == [
        "adjustment_waiting",
        "adjustment_expired",
    ]
    assert (await steps_of(db, "F1:2"))[-1] == ("waiting", "expired", "clock")
    await expire(db, clock=lambda: NOW + timedelta(days=3))
    assert len(await steps_of(db, "F1:2")) == 2


async def test_expiry_leaves_a_flight_alone_that_somebody_decides_about(db: Database) -> None:
    await propose(db, revised(entries=ABOVE_50))
    async with db.transaction() as tx:
        await flights.lock(tx, ["F1"])
        assert await adjustments.of_flights(tx, ["F1"])
        another = asyncio.create_task(_expire_late(db), context=contextvars.Context())
        await another
    assert await states(db) == {"F1:2": "waiting"}


async def _expire_late(db: Database) -> None:
    """As another process would: a task has one transaction."""
    await expire(db, clock=lambda: NOW + timedelta(days=30))


@pytest.mark.parametrize("name", ["F1:9", "F1", "F1:x", "", "F9:2", "F1:٢"])
async def test_an_adjustment_that_is_not_there_is_said_so(db: Database, name: str) -> None:
    await propose(db, revised(entries=ABOVE_50))
    if name:
        assert "there is no adjustment" in (await decide(db, "approve", name, "ann")).sentence


async def test_a_small_change_of_an_old_flight_waits(db: Database) -> None:
    await propose(
        db,
        revised(flight="F1", entries=SLIGHTLY_LESS, flown_on=(NOW - timedelta(days=29)).date().isoformat()),
        revised(flight="F2", entries=SLIGHTLY_LESS, flown_on=(NOW - timedelta(days=33)).date().isoformat()),
    )
    assert await states(db) == {"F1:2": "approved", "F2:2": "waiting"}


async def test_the_policy_of_the_day_decides(db: Database) -> None:
    await given_policy(db, approve_above=100)
    await propose(db, revised(entries=LESS))
    assert await states(db) == {"F1:2": "waiting"}
    await given_policy(db, version=2, effective_from="2199-01-01", approve_above=10_000_000)
    await propose(db, revised(flight="F2", entries=LESS))
    assert (await states(db))["F2:2"] == "waiting"  # that card has not begun
    await given_policy(db, version=3, approve_above=10_000_000)
    await propose(db, revised(flight="F3", entries=LESS))
    assert (await states(db))["F3:2"] == "approved"
    await given_policy(db, version=2, approve_above=100)  # an older version, read later
    await propose(db, revised(flight="F4", entries=LESS))
    assert (await states(db))["F4:2"] == "approved"
