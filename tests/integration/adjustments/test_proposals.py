"""Each revision of a flight is one adjustment, against what stands in the ledger when its turn comes."""

import asyncio

from fleet.database import Database
from services.adjustments.handlers import take_posted
from tests.integration.adjustments.stories import (
    FIRST,
    LESS,
    MORE,
    NOW,
    SLIGHTLY_LESS,
    answer_ledger,
    decide,
    differences,
    journals,
    posted,
    propose,
    refuse_journal,
    revised,
    staged,
    standing,
    states,
    steps_of,
)
from tests.support.letters import open_letters

LESS_BY = {"instructor:ines": -1_750, "platform:school": -2_250, "student:anna": 4_000}


async def reasons(db: Database) -> list[str]:
    async with db.transaction() as tx:
        return [letter.reason for letter in await open_letters(tx)]


async def test_a_small_difference_is_approved_by_policy_and_posted(db: Database) -> None:
    await propose(db, revised(entries=LESS))
    assert await states(db) == {"F1:2": "approved"}
    assert await journals(db) == {"adjustment:F1:2": LESS_BY}
    await answer_ledger(db)
    assert await steps_of(db, "F1:2") == [
        (None, "approved", "policy"),
        ("approved", "posted", "ledger"),
    ]
    told = [event["state"] for event in await staged(db, "adjustment.changed")]
    assert told[:2] == ["approved", "posted"]


async def test_a_revision_that_changes_nothing_is_settled_and_asks_for_no_journal(db: Database) -> None:
    await propose(db, revised(entries=FIRST))
    assert await states(db) == {"F1:2": "settled"}
    assert await staged(db, "journal.requested") == []


async def test_a_cancellation_takes_everything_back(db: Database) -> None:
    await propose(db, revised(entries={}))
    await decide(db, "approve", "F1:2", "ann")
    await answer_ledger(db)
    assert await standing(db) == {}


async def test_old_and_new_parties_each_get_their_difference(db: Database) -> None:
    other = {"student:bert": -16_000, "instructor:ingo": 7_000, "platform:school": 9_000}
    await propose(db, revised(entries=other, student="bert"))
    assert await states(db) == {"F1:2": "waiting"}  # the student changed
    await decide(db, "approve", "F1:2", "ann")
    assert await standing(db) == other


async def test_a_repeated_revision_changes_nothing(db: Database) -> None:
    await propose(db, revised(), revised())
    await propose(db, revised())
    assert len(await staged(db, "journal.requested")) == 1
    assert await reasons(db) == []


async def test_the_same_revision_with_other_amounts_is_a_dead_letter(db: Database) -> None:
    await propose(db, revised(entries=LESS))
    await propose(db, revised(entries=SLIGHTLY_LESS), revised(flight="F2"))
    assert await reasons(db) == ["revision_differs"]
    assert await differences(db, "F1:2") == LESS_BY
    assert (await states(db))["F2:2"] == "approved"


async def test_a_first_bill_that_is_told_otherwise_is_a_dead_letter(db: Database) -> None:
    await propose(db, revised(2), revised(3, first=MORE))
    assert await reasons(db) == ["first_bill_differs"]


async def test_amounts_that_do_not_add_up_are_a_dead_letter(db: Database) -> None:
    await propose(db, revised(entries={"student:anna": -1, "platform:school": 2}))
    assert await reasons(db) == ["not_balanced"]


async def test_a_later_revision_supersedes_one_that_waits(db: Database) -> None:
    await propose(db, revised(2, MORE))
    await propose(db, revised(3, LESS))
    assert await states(db) == {"F1:2": "superseded", "F1:3": "approved"}
    assert await differences(db, "F1:3") == LESS_BY
    assert await standing(db) == LESS


async def test_revisions_of_one_batch_see_each_other(db: Database) -> None:
    await propose(db, revised(2, MORE), revised(3, LESS), revised(4, SLIGHTLY_LESS))
    assert await states(db) == {"F1:2": "superseded", "F1:3": "approved", "F1:4": "proposed"}
    await answer_ledger(db)
    assert (await states(db))["F1:4"] == "approved"
    await answer_ledger(db)
    assert await standing(db) == SLIGHTLY_LESS


async def test_a_revision_during_a_journal_waits_for_the_answer_and_adds_only_the_rest(db: Database) -> None:
    await propose(db, revised(2, LESS))
    await propose(db, revised(3, SLIGHTLY_LESS))
    assert await states(db) == {"F1:2": "approved", "F1:3": "proposed"}
    assert list(await journals(db)) == ["adjustment:F1:2"]
    await answer_ledger(db)
    assert await differences(db, "F1:3") == {
        "instructor:ines": 1_313,
        "platform:school": 1_687,
        "student:anna": -3_000,
    }


async def test_after_a_refusal_the_next_revision_is_against_what_stood_before(db: Database) -> None:
    await propose(db, revised(2, LESS))
    await propose(db, revised(3, SLIGHTLY_LESS))
    await refuse_journal(db, "adjustment:F1:2")
    assert await states(db) == {"F1:2": "superseded", "F1:3": "approved"}
    await answer_ledger(db)
    del (asked := await journals(db))["adjustment:F1:2"]
    assert asked == {
        "adjustment:F1:3": {"instructor:ines": -437, "platform:school": -563, "student:anna": 1_000}
    }


async def test_a_refused_journal_says_why_and_finance_is_told(db: Database) -> None:
    await propose(db, revised(2, LESS))
    await refuse_journal(db, "adjustment:F1:2")
    assert await states(db) == {"F1:2": "failed"}
    [told] = [n for n in await staged(db, "notification.requested") if n["recipient"] == "finance"]
    assert "below its limit" in told["sentence"]


async def test_a_person_asks_again_for_what_the_ledger_refused(db: Database) -> None:
    await propose(db, revised(2, LESS))
    await refuse_journal(db, "adjustment:F1:2")
    assert (await decide(db, "approve", "F1:2", "ann", why="")).outcome == "refused"
    assert (await decide(db, "approve", "F1:2", "ann", why="the limit was raised")).outcome == "done"
    await answer_ledger(db)
    assert await states(db) == {"F1:2": "posted"}
    assert await standing(db) == LESS


async def test_an_older_revision_that_comes_later_changes_nothing(db: Database) -> None:
    await propose(db, revised(3, LESS))
    await answer_ledger(db)
    await propose(db, revised(2, MORE))
    assert await states(db) == {"F1:2": "superseded", "F1:3": "posted"}
    assert await standing(db) == LESS


async def test_the_ledgers_other_journals_cost_no_row(db: Database) -> None:
    await take_posted(db, [posted("flight:F1:1", FIRST)], clock=lambda: NOW)
    async with db.transaction() as tx:
        assert (await tx.one("SELECT count(*) AS rows FROM inbox")).rows == 0


async def test_a_journal_that_comes_twice_is_posted_once(db: Database) -> None:
    await propose(db, revised())
    again = [posted("adjustment:F1:2", LESS_BY) for _ in range(3)]
    await take_posted(db, again[:2], clock=lambda: NOW)
    await take_posted(db, again[2:], clock=lambda: NOW)
    assert [step[1] for step in await steps_of(db, "F1:2")] == ["approved", "posted"]


async def test_two_processes_propose_revisions_of_one_flight_one_after_the_other(db: Database) -> None:
    """Of two revisions under way at once one is posted, and the other is against that."""
    await asyncio.gather(*(propose(db, revised(n, LESS)) for n in (2, 3)))
    while await answer_ledger(db):
        pass
    found = await states(db)
    assert sorted(found.values()) in (["posted", "settled"], ["posted", "superseded"])
    assert await standing(db) == LESS


async def test_everybody_whose_amount_changes_is_told_old_new_and_difference(db: Database) -> None:
    await propose(db, revised())
    await answer_ledger(db)
    told = {n["recipient"]: n for n in await staged(db, "notification.requested")}
    assert told["anna"]["sentence"].startswith(
        "Flight F1 was corrected: it costs you 160.00 USD instead of 200.00 USD, 40.00 USD less."
    )
    assert told["ines"]["sentence"].startswith(
        "Flight F1 was corrected: it pays you 70.00 USD instead of 87.50 USD, 17.50 USD less."
    )
    assert told["ines"]["facts"] == {
        "flight": "F1",
        "revision": "2",
        "currency": "USD",
        "old": "8750",
        "new": "7000",
        "difference": "-1750",
    }
    assert "school" not in told


async def test_of_a_corrected_month_finance_is_told_in_one_sentence(db: Database) -> None:
    await propose(db, *(revised(flight=f"F{n}", entries=MORE) for n in range(30)))
    [told] = await staged(db, "notification.requested")
    assert told["sentence"] == (
        "30 adjustments are waiting; the largest difference is 1000.00 USD, of F0:2. "
        "`hobbs adjustments list` shows all."
    )
