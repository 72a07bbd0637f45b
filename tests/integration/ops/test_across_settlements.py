"""Invariants across services about settlements: what adjustments says, the ledger or payouts has."""

from datetime import timedelta
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

import pytest

from fleet.database import Database
from services.adjustments.domain.adjustments import adjustment_id
from services.adjustments.domain.settlements import settlement_id
from services.ledger.handlers import post_journals
from tests.conftest import OpenDatabase
from tests.integration.adjustments.settle_stories import (
    INES,
    answer_reversals,
    answer_settlements,
    asked_reversals,
    given_posted,
    reversal,
    send,
    sent,
    settle,
)
from tests.integration.ops.test_across import broken, relayed

BY_JOURNAL = "settlements_by_journal_stand_in_the_ledger"
BY_REVERSAL = "settlements_by_reversal_are_what_came_back"
BY_TRANSFER = "settlements_by_transfer_were_sent"
DEBT = "adjustment:F1:2"
T1 = uuid5(NAMESPACE_URL, "T1")  # the transfer of which `sent` tells

_PAYEE = """
    INSERT INTO payouts.payee (wallet, kind, key) VALUES ('instructor:ines', 'instructor', 'ines')
    ON CONFLICT DO NOTHING
"""
_TRANSFER = """
    INSERT INTO payouts.transfer (id, wallet, currency, amount, cause, state, stripe_transfer_id,
        stripe_account, sent_at, clawback_until, trace, created_at, changed_at)
    VALUES (:id, 'instructor:ines', 'USD', 9000, 'flight:F9:1', 'sent', 'tr_1', 'acct_1',
        now(), now() + interval '72 hours', '{}', now(), now())
"""
_PAYABLE = """
    INSERT INTO payouts.payable (journal_id, wallet, currency, amount, source, event_type, occurred_at,
        accrued_at, trace, transfer_id)
    VALUES (uuidv7(), 'instructor:ines', 'USD', -1750, :source, 'adjustment', now(), now(), '{}', :transfer)
"""
_ANSWER = """
    INSERT INTO payouts.clawback (settlement_id, wallet, currency, source, asked, paid_by, state, claimed,
        sentence, reversed, reason, requested_at, claimed_at, settled_at, trace)
    VALUES (:id, 'instructor:ines', 'USD', 'adjustment:F1:2', 1750, '{}', 'settled', 1750,
        'x', CAST(:back AS bigint), CASE CAST(:back AS bigint) WHEN 1750 THEN 'done' ELSE 'short' END,
        now() - CAST(:ago AS interval), now(), now() - CAST(:ago AS interval), '{}')
"""


@pytest.fixture
def db(open_db: OpenDatabase) -> Database:
    return open_db("adjustments")


async def found(open_db: OpenDatabase, invariant: str) -> list[dict[str, Any]]:
    return (await broken(open_db("operator"))).get(invariant, [])


async def as_owner(owner: Database, statement: str, **values: Any) -> None:
    async with owner.transaction() as tx:
        await tx.execute(_PAYEE)
        await tx.execute(statement, **values)


@pytest.mark.parametrize("method", ["manual_check", "forgiven", "written_off"])
async def test_a_settlement_by_journal_is_compared_on_both_wallets(
    db: Database, open_db: OpenDatabase, owner: Database, method: str
) -> None:
    await given_posted(db)
    cheque = {"number": "1044", "paid_on": "2026-01-31"} if method == "manual_check" else {}
    assert (await settle(db, method=method, wallet=INES, **cheque)).outcome == "done"
    assert await found(open_db, BY_JOURNAL) == [], "the ledger has not answered"
    await answer_settlements(db)
    assert {row["posted"] for row in await found(open_db, BY_JOURNAL)} == {None}
    await post_journals(open_db("ledger"), await relayed(db))
    assert await found(open_db, BY_JOURNAL) == []
    async with owner.transaction() as tx:
        await tx.execute("ALTER TABLE adjustments.settlement DISABLE TRIGGER ALL")
        await tx.execute("UPDATE adjustments.settlement SET amount = amount + 1 WHERE method = :m", m=method)
    assert {abs(row["told"] - row["posted"]) for row in await found(open_db, BY_JOURNAL)} == {1}


async def test_a_settlement_in_the_ledger_that_nobody_chose_is_found(
    db: Database, open_db: OpenDatabase, owner: Database
) -> None:
    await given_posted(db)
    await settle(db, method="forgiven", wallet=INES)
    await post_journals(open_db("ledger"), await relayed(db))
    assert await found(open_db, BY_JOURNAL) == []
    async with owner.transaction() as tx:
        await tx.execute("ALTER TABLE adjustments.settlement DISABLE TRIGGER ALL")
        await tx.execute("UPDATE adjustments.settlement SET state = 'failed' WHERE method = 'forgiven'")
    assert len(await found(open_db, BY_JOURNAL)) == 2


@pytest.mark.parametrize(("told", "back", "rows"), [(1750, 1750, 0), (1750, 1700, 1), (0, 0, 0), (0, 50, 1)])
async def test_what_a_reversal_settled_is_what_payouts_answered(
    db: Database, open_db: OpenDatabase, owner: Database, told: int, back: int, rows: int
) -> None:
    asked = await clawed_back(db)
    await answer_reversals(db, reversal(asked, told, reason="done" if told else "short"))
    assert len(await found(open_db, BY_REVERSAL)) == 1, "payouts knows no such request"
    await as_owner(owner, _ANSWER, id=asked, back=back, ago=timedelta())
    assert len(await found(open_db, BY_REVERSAL)) == rows


@pytest.mark.parametrize(("ago", "rows"), [(1, 0), (11, 1)])
async def test_an_answer_that_does_not_arrive_is_found_after_ten_minutes(
    db: Database, open_db: OpenDatabase, owner: Database, ago: int, rows: int
) -> None:
    asked = await clawed_back(db)
    assert await found(open_db, BY_REVERSAL) == []
    await as_owner(owner, _ANSWER, id=asked, back=1750, ago=timedelta(minutes=ago))
    assert len(await found(open_db, BY_REVERSAL)) == rows


@pytest.mark.parametrize(("heard", "answered", "findings"), [(1_200, 1_200, 0), (1_200, 1_000, 1), (0, 0, 0)])
async def test_a_reversal_whose_decision_a_restore_has_lost_is_compared_too(
    db: Database, open_db: OpenDatabase, owner: Database, heard: int, answered: int, findings: int
) -> None:
    """The debt began as an offset under the id of payouts' request."""
    await given_posted(db)
    first = settlement_id(adjustment_id("F1", 2), INES, 1)
    await answer_reversals(db, reversal(first, heard))
    await as_owner(owner, _ANSWER, id=first, back=answered, ago=timedelta(hours=1))
    assert len(await found(open_db, BY_REVERSAL)) == findings


async def test_a_request_that_nobody_made_is_found(
    db: Database, open_db: OpenDatabase, owner: Database
) -> None:
    await as_owner(owner, _ANSWER, id=UUID(int=1), back=1750, ago=timedelta(minutes=11))
    assert [row["settlement"] for row in await found(open_db, BY_REVERSAL)] == [UUID(int=1)]


@pytest.mark.parametrize(("source", "rows"), [(DEBT, 0), ("adjustment:F1:3", 1)])
async def test_a_transfer_that_settled_a_correction_has_it_in_it(
    db: Database, open_db: OpenDatabase, owner: Database, source: str, rows: int
) -> None:
    await given_posted(db)
    await send(db, sent(DEBT))
    assert len(await found(open_db, BY_TRANSFER)) == 1, "payouts knows no such transfer"
    await as_owner(owner, _TRANSFER, id=T1)
    await as_owner(owner, _PAYABLE, source=source, transfer=T1)
    assert len(await found(open_db, BY_TRANSFER)) == rows


async def clawed_back(db: Database) -> UUID:
    """A claw back that payouts is asked for; its settlement."""
    await send(db, sent("flight:F1:1", transfer="T0"))
    await given_posted(db)
    assert (await settle(db, "claw_back")).outcome == "done"
    return UUID((await asked_reversals(db))[-1]["settlement_id"])
