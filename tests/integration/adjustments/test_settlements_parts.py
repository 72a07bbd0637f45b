"""Debts of which transfers take a part, because the school takes at most a share: what is left is said."""

from datetime import timedelta

import pytest
from sqlalchemy.exc import DBAPIError

from fleet.database import Database
from fleet.envelope import Record
from services.adjustments.handlers import remind_of_settlements
from tests.integration.adjustments.settle_stories import (
    INES,
    answer_reversals,
    asked_reversals,
    given_posted,
    refuse_settlements,
    reversal,
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


async def test_two_parts_are_settled_in_one_batch(db: Database) -> None:
    await given_posted(db)
    await send(db, part(500, "T1"), part(250, "T2"))
    assert [(state, amount) for _, state, amount in await settlements(db)] == [
        ("settled", -500),
        ("settled", -250),
        ("waiting", -1_000),
    ]
    assert [kind for kind, _ in await told(db, "ines")][-2:] == ["settlement_done", "settlement_done"]


@pytest.mark.parametrize("transfers_first", [True, False])
async def test_a_short_reversal_leaves_what_no_transfer_took(db: Database, transfers_first: bool) -> None:
    """Of 17.50 unsent money covered 5.00; 12.50 were claimed, of which 10.00 came back."""
    await send(db, sent("flight:F1:1", transfer="T0"))
    await given_posted(db)
    assert (await settle(db, "claw_back")).outcome == "done"
    [asked] = await asked_reversals(db)
    transfers = [part(200, "T1"), sent(transfer="T2", deducted=[(OURS, 300)])]
    if transfers_first:
        await send(db, *transfers)
    await answer_reversals(db, reversal(asked["settlement_id"], 1_000, reason="short"))
    if not transfers_first:
        await send(db, *transfers)
    in_force = [one for one in await settlements(db) if one[1] != "replaced"]
    assert in_force == [
        ("stripe_reversal", "settled", -1_000),
        ("future_payout_offset", "settled", -200),
        ("future_payout_offset", "settled", -300),
        ("future_payout_offset", "waiting", -250),
    ]
    assert await where(db) == {"F1:2": "settling"}
    await send(db, sent(transfer="T3", deducted=[(OURS, 250)]))
    assert (await settlements(db))[-1] == ("future_payout_offset", "settled", -250)
    assert await where(db) == {"F1:2": "settled"}


async def test_a_refused_cheque_is_settled_by_what_a_transfer_took_meanwhile(db: Database) -> None:
    """Payouts took the whole debt off, of which a cheque was to pay a part."""
    await given_posted(db)
    cheque = {"method": "manual_check", "wallet": INES, "number": "1", "paid_on": "2026-01-02"}
    assert (await settle(db, **cheque, amount=750)).outcome == "done"
    await send(db, sent(transfer="T1", deducted=[(OURS, 1_750)]))
    await refuse_settlements(db)
    assert [one for one in await settlements(db) if one[1] == "settled"] == [
        ("future_payout_offset", "settled", -1_000),
        ("future_payout_offset", "settled", -750),
    ]
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
