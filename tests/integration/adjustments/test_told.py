"""What students and payees are told of corrections: once each, with the right content, and else nothing."""

from datetime import timedelta

from fleet.database import Database
from services.adjustments.handlers import expire
from tests.integration.adjustments.settle_stories import (
    answer_reversals,
    answer_settlements,
    asked_reversals,
    given_posted,
    post_adjustments,
    refuse_settlements,
    reversal,
    send,
    sent,
    settle,
    told,
)
from tests.integration.adjustments.stories import FIRST, LESS, MORE, NOW, decide, propose, revised, staged

OFFSET = "17.50 USD is taken off what you are paid next. You need not do anything."
IN_ALL = "In all, 17.50 USD are left to settle."


async def test_each_party_is_told_once_although_the_posting_comes_twice(db: Database) -> None:
    await given_posted(db)
    await post_adjustments(db)
    assert await told(db, "ines") == [
        (
            "flight_corrected",
            "Flight F1 was corrected: it pays you 70.00 USD instead of 87.50 USD, 17.50 USD less. "
            f"{OFFSET} {IN_ALL}",
        )
    ]
    assert await told(db, "anna") == [
        (
            "flight_corrected",
            "Flight F1 was corrected: it costs you 160.00 USD instead of 200.00 USD, 40.00 USD less. "
            "40.00 USD is credited to your account and used for what you fly next.",
        )
    ]


async def test_a_cancellation_says_so(db: Database) -> None:
    await given_posted(db, revised(entries={}), approver="ann")
    [(_, anna)] = await told(db, "anna")
    assert anna.startswith(
        "Flight F1 was cancelled: it costs you 0.00 USD instead of 200.00 USD, 200.00 USD less. 200.00 USD is"
    )
    [(_, ines)] = await told(db, "ines")
    assert ines.startswith(
        "Flight F1 was cancelled: it pays you 0.00 USD instead of 87.50 USD, 87.50 USD less."
    )


async def test_old_and_new_parties_each_hear_of_their_part(db: Database) -> None:
    entries = {"student:ben": -20_000, "instructor:max": 8_750, "platform:school": 11_250}
    await given_posted(db, revised(entries=entries, student="ben"), approver="ann")
    said = {who: [sentence for _, sentence in await told(db, who)] for who in ("anna", "ben", "ines", "max")}
    assert {who: len(sentences) for who, sentences in said.items()} == dict.fromkeys(said, 1)
    assert "costs you 0.00 USD instead of 200.00 USD" in said["anna"][0]
    assert "costs you 200.00 USD instead of 0.00 USD, 200.00 USD more" in said["ben"][0]
    assert "pays you 0.00 USD instead of 87.50 USD" in said["ines"][0]
    assert "pays you 87.50 USD instead of 0.00 USD" in said["max"][0]
    assert said["max"][0].endswith("87.50 USD is paid to you with your next transfer.")


async def test_a_correction_of_a_correction_is_told_against_what_was_told_before(db: Database) -> None:
    await given_posted(db)
    await given_posted(db, revised(3, FIRST))
    assert (await told(db, "ines"))[-1][1].startswith(
        "Flight F1 was corrected: it pays you 87.50 USD instead of 70.00 USD, 17.50 USD more."
    )


async def test_what_came_to_nothing_is_told_to_no_party(db: Database) -> None:
    """Nothing changed for them: it waits, was rejected, superseded or expired, or was the same as before."""
    await propose(
        db, revised(entries=MORE), revised(flight="F2", entries=MORE), revised(flight="F3", entries=FIRST)
    )
    await decide(db, "reject", "F1:2", "ann", why="it was right")
    await propose(db, revised(3, MORE, flight="F2"))
    await expire(db, clock=lambda: NOW + timedelta(days=15))
    recipients = {one["recipient"] for one in await staged(db, "notification.requested")}
    assert recipients == {"finance"}


async def test_a_claw_back_that_falls_short_tells_what_came_and_what_follows(db: Database) -> None:
    await send(db, sent("flight:F1:1", transfer="T0"))
    await given_posted(db)
    await settle(db, "claw_back")
    [asked] = await asked_reversals(db)
    answer = reversal(asked["settlement_id"], 1_000, reason="short")
    await answer_reversals(db, answer)
    await answer_reversals(db, answer)
    assert (await told(db, "ines"))[2:] == [
        (
            "settlement_done",
            "Flight F1: 10.00 USD of a correction was taken back from your Stripe account. "
            "7.50 USD are left to settle.",
        ),
        (
            "settlement_changed",
            "Flight F1: 7.50 USD is taken off what you are paid next. You need not do anything. "
            "In all, 7.50 USD are left to settle.",
        ),
    ]


async def test_a_party_hears_that_the_ledger_did_not_take_what_was_agreed(db: Database) -> None:
    await given_posted(db)
    await settle(db, method="forgiven")
    await refuse_settlements(db)
    assert [sentence for _, sentence in (await told(db, "ines"))[1:]] == [
        "Flight F1: The school bears 17.50 USD of this correction. You owe nothing for it.",
        f"Flight F1: {OFFSET} {IN_ALL}",
    ]


async def test_nobody_hears_twice_of_what_a_journal_settled(db: Database) -> None:
    await given_posted(db, revised(entries=LESS))
    await settle(db, method="forgiven")
    await answer_settlements(db)
    assert len(await told(db, "ines")) == 2
