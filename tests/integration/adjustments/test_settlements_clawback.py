"""Claw backs: by whom, when, and what becomes of what does not come back."""

from datetime import timedelta
from typing import Any

import pytest

from fleet.database import Database
from tests.integration.adjustments.settle_stories import (
    ANNA,
    INES,
    answer_reversals,
    asked_reversals,
    given_posted,
    reversal,
    send,
    sent,
    settle,
    settlements,
    told,
    where,
)
from tests.integration.adjustments.stories import NOW, given_policy, propose, revised

REVERSAL_FIRST = {"waterfall": ["stripe_reversal", "future_payout_offset"]}
OWNER_TOO = {
    "instructor:ines": 8_750,
    "aircraft_owner:otto": 5_000,
    "platform:school": 6_250,
    "student:anna": -20_000,
}
OWNER_LESS = {
    "instructor:ines": 7_000,
    "aircraft_owner:otto": 4_000,
    "platform:school": 6_250,
    "student:anna": -17_250,
}


async def given_sent_and_posted(db: Database) -> None:
    await send(db, sent("flight:F1:1", transfer="T0"))
    await given_posted(db)


async def clawed_back(db: Database, **told_: Any) -> dict[str, Any]:
    """A claw back that was taken; what payouts was asked for."""
    taken = await settle(db, "claw_back", **told_)
    assert taken.outcome == "done", taken.sentence
    return (await asked_reversals(db))[-1]


async def test_a_person_claws_back_and_payouts_is_asked_once(db: Database) -> None:
    await given_sent_and_posted(db)
    asked = await clawed_back(db)
    assert {k: asked[k] for k in ("wallet", "currency", "amount", "source", "paid_by")} == {
        "wallet": INES,
        "currency": "USD",
        "amount": 1_750,
        "source": "adjustment:F1:2",
        "paid_by": ["flight:F1:1"],
    }
    assert await settlements(db) == [
        ("future_payout_offset", "replaced", -1_750),
        ("stripe_reversal", "asked", -1_750),
    ]
    assert (await settle(db, "claw_back")).outcome == "refused"
    assert len(await asked_reversals(db)) == 1


async def test_what_came_back_settles_it_with_the_reversals_as_proof(db: Database) -> None:
    await given_sent_and_posted(db)
    asked = await clawed_back(db)
    await answer_reversals(db, reversal(asked["settlement_id"], 1_750))
    assert (await settlements(db))[-1] == ("stripe_reversal", "settled", -1_750)
    assert await where(db) == {"F1:2": "settled"}
    async with db.transaction() as tx:
        row = await tx.one("SELECT proof FROM settlement WHERE method = 'stripe_reversal'")
    assert row.proof == "trr_1"
    assert (await told(db, "ines"))[-1] == (
        "settlement_done",
        "Flight F1: 17.50 USD of a correction was taken back from your Stripe account. "
        "Nothing is left to settle.",
    )


@pytest.mark.parametrize("reason", ["window_closed", "nothing_sent", "refused", "unknown_debt"])
async def test_what_does_not_come_back_becomes_an_offset_by_itself(db: Database, reason: str) -> None:
    await given_sent_and_posted(db)
    asked = await clawed_back(db)
    await answer_reversals(db, reversal(asked["settlement_id"], 0, reason=reason))
    assert (await settlements(db))[1:] == [
        ("stripe_reversal", "failed", -1_750),
        ("future_payout_offset", "waiting", -1_750),
    ]
    assert await where(db) == {"F1:2": "settling"}
    assert [kind for kind, _ in await told(db, "finance")] == ["settlement_failed"]
    assert "taken off what you are paid next" in (await told(db, "ines"))[-1][1]


async def test_a_short_reversal_settles_what_came_back_and_the_rest_is_deducted(db: Database) -> None:
    await given_sent_and_posted(db)
    asked = await clawed_back(db)
    await answer_reversals(db, reversal(asked["settlement_id"], 1_200, reason="short"))
    assert (await settlements(db))[1:] == [
        ("stripe_reversal", "settled", -1_200),
        ("future_payout_offset", "waiting", -550),
    ]
    await send(db, sent("adjustment:F1:2"))
    assert await where(db) == {"F1:2": "settled"}


@pytest.mark.parametrize("transfer_first", [True, False])
async def test_a_debt_that_a_transfer_deducted_meanwhile_is_settled_by_it(
    db: Database, transfer_first: bool
) -> None:
    await given_sent_and_posted(db)
    asked = await clawed_back(db)
    answer = reversal(asked["settlement_id"], 0, reason="already_deducted")
    if transfer_first:
        await send(db, sent("adjustment:F1:2"))
    await answer_reversals(db, answer)
    if not transfer_first:
        await send(db, sent("adjustment:F1:2"))
    assert (await settlements(db))[-1] == ("future_payout_offset", "settled", -1_750)
    assert await where(db) == {"F1:2": "settled"}


async def test_an_answer_that_comes_twice_changes_nothing(db: Database) -> None:
    await given_sent_and_posted(db)
    asked = await clawed_back(db)
    await answer_reversals(
        db, reversal(asked["settlement_id"], 1_200), reversal(asked["settlement_id"], 1_200)
    )
    await answer_reversals(db, reversal(asked["settlement_id"], 1_750))
    assert [amount for method, _, amount in await settlements(db) if method == "stripe_reversal"] == [-1_200]


async def test_two_parts_under_way_are_answered_in_one_batch(db: Database) -> None:
    await given_sent_and_posted(db)
    taken = await settle(db, method="manual_check", number="1", paid_on="2026-01-02", amount=750, wallet=INES)
    assert taken.outcome == "done"
    asked = await clawed_back(db)
    await answer_reversals(db, reversal(asked["settlement_id"], 400, asked=1_000))
    again = await clawed_back(db)
    assert (again["amount"], again["settlement_id"] != asked["settlement_id"]) == (600, True)


async def test_nothing_is_asked_for_after_the_window_has_closed(db: Database) -> None:
    await send(db, sent("flight:F1:1", at=NOW - timedelta(hours=72)), now=NOW - timedelta(hours=1))
    await given_posted(db)
    taken = await settle(db, "claw_back")
    assert (taken.outcome, taken.sentence) == (
        "refused",
        f"adjustment F1:2: {INES}: nothing sent to it can be taken back any more",
    )
    assert await asked_reversals(db) == []


async def test_every_payee_who_owes_is_clawed_back_or_only_the_named_one(db: Database) -> None:
    await send(
        db,
        sent("flight:F1:1", transfer="T1"),
        sent("flight:F1:1", wallet="aircraft_owner:otto", transfer="T2"),
    )
    await given_posted(db, revised(first=OWNER_TOO, entries=OWNER_LESS))
    await clawed_back(db, wallet="aircraft_owner:otto")
    assert [one["wallet"] for one in await asked_reversals(db)] == ["aircraft_owner:otto"]
    assert "nothing of it changed" in (await settle(db, "claw_back", wallet="instructor:x")).sentence
    assert "cannot take the place" in (await settle(db, "claw_back", wallet=ANNA)).sentence
    await clawed_back(db)
    assert [one["wallet"] for one in await asked_reversals(db)] == ["aircraft_owner:otto", INES]


async def test_the_waterfall_claws_back_only_what_a_person_approved(db: Database) -> None:
    await given_policy(db, approve_above=5_000, **REVERSAL_FIRST)
    await given_posted(db)
    assert await settlements(db) == [("future_payout_offset", "waiting", -1_750)]
    cancelled = revised(flight="F2", entries={})
    await given_posted(db, cancelled, approver="ann")
    assert await settlements(db, name="F2:2") == [("stripe_reversal", "asked", -8_750)]
    [asked] = await asked_reversals(db)
    assert (asked["amount"], asked["source"]) == (8_750, "adjustment:F2:2")
    async with db.transaction() as tx:
        row = await tx.one("SELECT decided_by FROM settlement WHERE method = 'stripe_reversal'")
    assert row.decided_by == "ann"


async def test_a_correction_of_a_correction_while_the_first_reversal_is_under_way(db: Database) -> None:
    await given_sent_and_posted(db)
    first = await clawed_back(db)
    await propose(db, revised(3, {**OWNER_TOO, "instructor:ines": 6_000, "aircraft_owner:otto": 0}))
    less = {"student:anna": -14_000, "instructor:ines": 6_000, "platform:school": 8_000}
    await given_posted(db, revised(4, less), approver="ann")
    assert await settlements(db, name="F1:4") == [("future_payout_offset", "waiting", -1_000)]
    second = await clawed_back(db, name="F1:4")
    assert (second["amount"], second["paid_by"]) == (1_000, ["flight:F1:1", "adjustment:F1:2"])
    await answer_reversals(
        db, reversal(second["settlement_id"], 1_000, asked=1_000), reversal(first["settlement_id"], 1_750)
    )
    found = await where(db)
    assert (found["F1:2"], found["F1:4"]) == ("settled", "settled")


@pytest.mark.parametrize("who", ["dispatch", "  Dispatch", "ＤＩＳＰＡＴＣＨ"])
@pytest.mark.parametrize(
    ("action", "parameters"),
    [("claw_back", {}), ("settle", {"method": "forgiven"}), ("settle", {"method": "written_off"})],
)
async def test_whoever_made_the_correction_claws_back_forgives_and_writes_off_nothing(
    db: Database, who: str, action: str, parameters: dict[str, str]
) -> None:
    await given_sent_and_posted(db)
    taken = await settle(db, action, who=who, **parameters)
    assert (taken.outcome, "another person has to decide" in taken.sentence) == ("refused", True)
    assert await settlements(db) == [("future_payout_offset", "waiting", -1_750)]
