"""A posted adjustment is settled party by party: by the books, by transfers, by people."""

from datetime import timedelta
from typing import Any

import pytest

from fleet.database import Database
from tests.integration.adjustments.settle_stories import (
    ANNA,
    INES,
    SCHOOL,
    answer_settlements,
    given_posted,
    journal_of,
    post_adjustments,
    refuse_settlements,
    send,
    sent,
    settle,
    settlements,
    settling_steps,
    told,
    where,
)
from tests.integration.adjustments.stories import (
    FIRST,
    NOW,
    SLIGHTLY_LESS,
    journals,
    propose,
    revised,
)

TODAY = NOW.date().isoformat()
MORE_FOR_INES = {"student:anna": -20_000, "instructor:ines": 10_000, "platform:school": 10_000}


async def test_each_party_has_its_way_and_the_adjustment_waits_for_the_payee(db: Database) -> None:
    await given_posted(db)
    assert await settlements(db, ANNA) == [("credit", "settled", 4_000)]
    assert await settlements(db, SCHOOL) == [("books", "settled", -2_250)]
    assert await settlements(db, INES) == [("future_payout_offset", "waiting", -1_750)]
    assert await where(db) == {"F1:2": "settling"}


async def test_an_adjustment_without_payees_is_settled_at_once(db: Database) -> None:
    first = {"student:anna": -20_000, "platform:school": 20_000}
    await given_posted(db, revised(first=first, entries={"student:anna": -21_000, "platform:school": 21_000}))
    assert await where(db) == {"F1:2": "settled"}
    assert await settlements(db, ANNA) == [("charge", "settled", -1_000)]


async def test_a_transfer_that_deducted_it_settles_the_offset(db: Database) -> None:
    await given_posted(db)
    await send(db, sent("flight:F9:1", "adjustment:F1:2"))
    assert await settlements(db) == [("future_payout_offset", "settled", -1_750)]
    assert await where(db) == {"F1:2": "settled"}
    assert await settling_steps(db) == [
        ("posted", "settling", "hobbs"),
        ("settling", "settled", "hobbs"),
    ]


async def test_a_transfer_that_paid_it_settles_the_payout(db: Database) -> None:
    await given_posted(db, revised(entries=MORE_FOR_INES))
    assert await settlements(db) == [("payout", "waiting", 1_250)]
    await send(db, sent("adjustment:F1:2"))
    assert await settlements(db) == [("payout", "settled", 1_250)]
    assert await where(db) == {"F1:2": "settled"}


async def test_a_transfer_settles_only_its_own_payee_and_adjustment(db: Database) -> None:
    await given_posted(db, revised(), revised(flight="F2"))
    await send(
        db,
        sent("adjustment:F1:2", wallet="aircraft_owner:otto", transfer="T1"),
        sent("adjustment:F2:2", transfer="T2"),
        sent("flight:F1:1", transfer="T3"),
    )
    assert await settlements(db) == [("future_payout_offset", "waiting", -1_750)]
    assert await settlements(db, name="F2:2") == [("future_payout_offset", "settled", -1_750)]


async def test_a_transfer_sent_before_the_posting_was_heard_of_counts(db: Database) -> None:
    await propose(db, revised())
    await send(db, sent("adjustment:F1:2"))
    await post_adjustments(db)
    assert await settlements(db) == [("future_payout_offset", "settled", -1_750)]
    assert await where(db) == {"F1:2": "settled"}


async def test_a_transfer_that_comes_twice_settles_once(db: Database) -> None:
    await given_posted(db)
    await send(db, sent("adjustment:F1:2"), sent("adjustment:F1:2"))
    await send(db, sent("adjustment:F1:2"), sent("adjustment:F1:2", transfer="T2"))
    async with db.transaction() as tx:
        steps = await tx.all(
            "SELECT to_state FROM settlement_history JOIN settlement ON settlement.id = "
            "settlement_id WHERE wallet = 'instructor:ines' ORDER BY settlement_history.id"
        )
    assert [step.to_state for step in steps] == ["waiting", "settled"]


async def test_transfers_of_no_adjustment_cost_one_row_until_their_window_closes(db: Database) -> None:
    old = sent("flight:F8:1", transfer="T0", at=NOW - timedelta(hours=73))
    await send(db, old, sent("flight:F9:1"), sent("flight:F9:1"))
    async with db.transaction() as tx:
        assert (await tx.one("SELECT count(*) AS rows FROM inbox")).rows == 0
        assert (await tx.one("SELECT count(*) AS rows FROM clawback_window")).rows == 1


@pytest.mark.parametrize(
    ("wallet", "method", "entries"),
    [
        (INES, "manual_check", {INES: 1_750, "external:bank": -1_750}),
        (INES, "forgiven", {INES: 1_750, "platform:forgiven": -1_750}),
        (INES, "written_off", {INES: 1_750, "platform:written-off": -1_750}),
        (ANNA, "manual_check", {ANNA: -4_000, "external:bank": 4_000}),
    ],
)
async def test_a_person_settles_by_a_journal(
    db: Database, wallet: str, method: str, entries: dict[str, int]
) -> None:
    await given_posted(db)
    cheque = {"number": "1042", "paid_on": TODAY} if method == "manual_check" else {}
    taken = await settle(db, method=method, wallet=wallet, **cheque)
    assert taken.outcome == "done", taken.sentence
    assert journal_of(await journals(db)) == [entries]
    assert (await settlements(db, wallet))[-1] == (method, "asked", sum_of(wallet))
    assert await answer_settlements(db) == 1
    assert [(m, s) for m, s, _ in await settlements(db, wallet)][-1] == (method, "settled")
    assert await where(db) == {"F1:2": "settled" if wallet == INES else "settling"}


def sum_of(wallet: str) -> int:
    return {INES: -1_750, ANNA: 4_000}[wallet]


async def test_a_settled_adjustment_opens_again_for_a_student_who_cannot_pay(db: Database) -> None:
    first = {"student:anna": -20_000, "platform:school": 20_000}
    await given_posted(db, revised(first=first, entries={"student:anna": -21_000, "platform:school": 21_000}))
    assert (await settle(db, method="written_off", wallet=ANNA)).outcome == "done"
    assert await where(db) == {"F1:2": "settling"}
    await answer_settlements(db)
    assert await where(db) == {"F1:2": "settled"}
    assert (await settle(db, method="manual_check", number="7", paid_on=TODAY)).outcome == "done"
    assert journal_of(await journals(db))[-1] == {"platform:written-off": 1_000, "external:bank": -1_000}
    await answer_settlements(db)
    assert await settlements(db, ANNA) == [
        ("charge", "replaced", -1_000),
        ("written_off", "replaced", -1_000),
        ("manual_check", "settled", -1_000),
    ]


async def test_a_refused_journal_puts_the_offset_in_force_again_and_tells_finance(db: Database) -> None:
    await given_posted(db)
    await settle(db, method="forgiven")
    await refuse_settlements(db)
    assert await settlements(db) == [
        ("future_payout_offset", "replaced", -1_750),
        ("forgiven", "failed", -1_750),
        ("future_payout_offset", "waiting", -1_750),
    ]
    kinds = [kind for kind, _ in await told(db, "finance")]
    assert kinds == ["settlement_failed"]
    await send(db, sent("adjustment:F1:2"))
    assert await where(db) == {"F1:2": "settled"}


async def test_what_is_deducted_meanwhile_is_not_deducted_again_after_a_refusal(db: Database) -> None:
    await given_posted(db)
    await settle(db, method="forgiven")
    await send(db, sent("adjustment:F1:2"))
    assert (await settlements(db))[-1] == ("forgiven", "asked", -1_750)
    await refuse_settlements(db)
    assert (await settlements(db))[-1] == ("future_payout_offset", "settled", -1_750)


async def test_a_part_is_paid_by_cheque_and_the_rest_stays_an_offset(db: Database) -> None:
    await given_posted(db)
    taken = await settle(db, method="manual_check", number="1", paid_on=TODAY, amount=1_000, wallet=INES)
    assert taken.outcome == "done", taken.sentence
    await answer_settlements(db)
    assert await where(db) == {"F1:2": "settling"}
    await send(db, sent("adjustment:F1:2"))
    assert [row for row in await settlements(db) if row[1] == "settled"] == [
        ("manual_check", "settled", -1_000),
        ("future_payout_offset", "settled", -750),
    ]
    assert await where(db) == {"F1:2": "settled"}


@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        ({"method": "gift"}, "settle by manual_check, forgiven, written_off"),
        ({"method": "manual_check"}, "say whose"),
        ({"method": "manual_check", "wallet": INES}, "say the cheque's number"),
        ({"method": "manual_check", "number": "1", "wallet": INES}, "as a date, such as"),
        ({"method": "manual_check", "paid_on": TODAY, "wallet": INES}, "name the cheque's number"),
        ({"method": "manual_check", "number": "1", "paid_on": "2100-01-01"}, "is to come"),
        ({"method": "forgiven", "wallet": "instructor:nobody"}, "changes nothing for"),
        ({"method": "forgiven", "wallet": SCHOOL}, "cannot take the place of"),
        ({"method": "forgiven", "amount": 1_751}, "at most what is left"),
        ({"method": "forgiven", "amount": "all"}, "whole number of minor units"),
        ({"method": "forgiven", "to_or_from": "past"}, "to_or_from says"),
        ({"method": "forgiven", "to_or_from": "to"}, "it comes from them"),
    ],
)
async def test_a_choice_that_is_not_whole_is_refused(
    db: Database, parameters: dict[str, Any], sentence: str
) -> None:
    await given_posted(db)
    taken = await settle(db, **parameters)
    assert (taken.outcome, sentence in taken.sentence) == ("refused", True), taken.sentence
    assert await settlements(db) == [("future_payout_offset", "waiting", -1_750)]


async def test_nothing_is_settled_without_a_reason_or_before_it_is_posted(db: Database) -> None:
    await propose(db, revised())
    assert "before it is posted" in (await settle(db, method="forgiven")).sentence
    await post_adjustments(db)
    assert "say why" in (await settle(db, method="forgiven", why=" ")).sentence
    assert "there is no adjustment" in (await settle(db, method="forgiven", name="F1:9")).sentence


async def test_a_preview_shows_every_party_and_changes_nothing(db: Database) -> None:
    await given_posted(db)
    taken = await settle(db, method="forgiven", dry_run=True)
    assert taken.outcome == "previewed"
    assert taken.sentence == "adjustment F1:2: 17.50 USD owed by instructor:ines is settled by forgiven"
    assert {row["wallet"]: (row["difference"], row["now"], row["then"]) for row in taken.effects} == {
        INES: (-1_750, "future_payout_offset is waiting", "forgiven is asked"),
        SCHOOL: (-2_250, "books is settled", "books is settled"),
        ANNA: (4_000, "credit is settled", "credit is settled"),
    }
    assert await settlements(db) == [("future_payout_offset", "waiting", -1_750)]
    assert journal_of(await journals(db)) == []


async def test_the_next_revision_is_settled_beside_the_first(db: Database) -> None:
    await given_posted(db)
    await given_posted(db, revised(3, SLIGHTLY_LESS))
    assert await settlements(db) == [("future_payout_offset", "waiting", -1_750)]
    assert await settlements(db, name="F1:3") == [("payout", "waiting", 1_313)]
    await send(db, sent("adjustment:F1:2", "adjustment:F1:3"))
    assert await where(db) == {"F1:2": "settled", "F1:3": "settled"}


async def test_people_are_told_how_it_is_settled_and_how_much_is_left(db: Database) -> None:
    await given_posted(db)
    await given_posted(db, revised(flight="F2", first=FIRST))
    [(kind, first), (_, second)] = await told(db, "ines")
    assert (
        kind,
        first.endswith(
            "17.50 USD is taken off what you are paid next. You need not do anything. "
            "In all, 17.50 USD are left to settle."
        ),
    ) == ("flight_corrected", True)
    assert second.endswith("In all, 35.00 USD are left to settle.")
    assert (await told(db, "anna"))[0][1].endswith(
        "40.00 USD is credited to your account and used for what you fly next."
    )
    await settle(db, method="forgiven")
    assert (await told(db, "ines"))[2:] == [
        (
            "settlement_changed",
            "Flight F1: The school bears 17.50 USD of this correction. You owe nothing for it.",
        )
    ]
    await send(db, sent("adjustment:F2:2"))
    assert (await told(db, "ines"))[3][1].startswith("Flight F2: 17.50 USD of a correction was taken off")


async def test_a_decision_taken_again_after_its_answer_finds_nothing_open(db: Database) -> None:
    await given_posted(db)
    assert (await settle(db, method="forgiven")).outcome == "done"
    again = await settle(db, method="forgiven")
    assert (again.outcome, "forgiven is asked" in again.sentence) == ("refused", True)
    await answer_settlements(db)
    assert await answer_settlements(db) == 1
    assert (await settle(db, method="written_off")).outcome == "refused"
