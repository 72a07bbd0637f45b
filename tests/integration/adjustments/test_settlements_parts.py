"""Debts of which transfers take a part, because the school takes at most a share: what is left is said."""

from datetime import timedelta

import pytest
from sqlalchemy.exc import DBAPIError

from fleet.database import Database
from fleet.envelope import Record
from services.adjustments.handlers import remind_of_settlements
from tests.integration.adjustments.settle_stories import (
    INES,
    given_posted,
    send,
    sent,
    settle,
    settlements,
    told,
    where,
)
from tests.integration.adjustments.stories import NOW

OURS = "adjustment:F1:2"


def part(amount: int, transfer: str) -> Record:
    """A `transfer.sent` record that took a part of F1:2's debt off."""
    return sent("flight:F2:1", transfer=transfer, parts=[(OURS, amount)])


async def test_parts_are_settled_one_after_the_other_until_the_last_cent(db: Database) -> None:
    await given_posted(db)
    await send(db, part(500, "T1"))
    assert await settlements(db) == [
        ("future_payout_offset", "settled", -500),
        ("future_payout_offset", "waiting", -1_250),
    ]
    assert (await told(db, "ines"))[-1] == (
        "settlement_done",
        "Flight F1: 5.00 USD of a correction was taken off a transfer to you. 12.50 USD are left to settle.",
    )
    await send(db, part(500, "T1"), part(250, "T2"))
    await send(db, part(250, "T2"))
    assert (await settlements(db))[1:] == [
        ("future_payout_offset", "settled", -250),
        ("future_payout_offset", "waiting", -1_000),
    ]
    assert await where(db) == {"F1:2": "settling"}
    await send(db, sent(OURS, transfer="T3"))
    assert (await settlements(db))[-1] == ("future_payout_offset", "settled", -1_000)
    assert await where(db) == {"F1:2": "settled"}


async def test_a_part_that_was_taken_before_the_posting_was_heard_of_counts(db: Database) -> None:
    await send(db, part(500, "T1"))
    await given_posted(db)
    assert await settlements(db) == [
        ("future_payout_offset", "settled", -500),
        ("future_payout_offset", "waiting", -1_250),
    ]


async def test_parts_are_never_more_than_the_debt(db: Database) -> None:
    await given_posted(db)
    await send(db, part(5_000, "T1"))
    assert await settlements(db) == [("future_payout_offset", "settled", -1_750)]
    await send(db, part(5_000, "T2"))
    assert await settlements(db) == [("future_payout_offset", "settled", -1_750)]


async def test_a_person_forgives_what_is_left(db: Database) -> None:
    await given_posted(db)
    await send(db, part(500, "T1"))
    assert (await settle(db, method="forgiven", wallet=INES)).outcome == "done"
    assert (await settlements(db))[-1] == ("forgiven", "asked", -1_250)


async def test_what_is_left_is_as_old_as_the_debt(db: Database) -> None:
    """Parts do not put off that finance hears of it."""
    await given_posted(db)
    await send(db, part(500, "T1"), now=NOW + timedelta(days=59))
    await remind_of_settlements(db, clock=lambda: NOW + timedelta(days=61))
    assert [kind for kind, _ in await told(db, "finance")] == ["settlement_overdue"]
    assert "12.50 USD" in (await told(db, "finance"))[0][1]


async def test_the_database_lets_no_other_settlement_be_settled_in_part(db: Database) -> None:
    await given_posted(db)
    async with db.transaction() as tx:
        with pytest.raises(DBAPIError, match="what was decided stands"):
            await tx.execute(
                "UPDATE settlement SET state = 'settled', proof = 'T', amount = -1800"
                " WHERE method = 'future_payout_offset'"
            )
