"""A database restored to an older state comes to what the ledger holds, in whatever order it reads again."""

import pytest

from fleet.database import Database
from services.adjustments.handlers import take_posted
from tests.integration.adjustments.stories import (
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
    revised,
    standing,
    states,
    steps_of,
)

MORE_BY = {"instructor:ines": 43_750, "platform:school": 56_250, "student:anna": -100_000}
BACK_BY = {"instructor:ines": -44_187, "platform:school": -56_813, "student:anna": 101_000}


async def test_what_the_ledger_had_posted_is_posted_without_asking_again(db: Database) -> None:
    """The journal is read before its revision: approvals are lost with the backup, the ledger is not."""
    await take_posted(db, [posted("adjustment:F1:2", MORE_BY)], clock=lambda: NOW)
    await propose(db, revised(2, MORE))
    assert await states(db) == {"F1:2": "posted"}
    assert await steps_of(db, "F1:2") == [(None, "posted", "ledger")]
    assert await journals(db) == {}


async def test_what_waits_here_and_is_posted_there_is_posted(db: Database) -> None:
    await propose(db, revised(2, MORE))
    await take_posted(db, [posted("adjustment:F1:2", MORE_BY)], clock=lambda: NOW)
    assert await steps_of(db, "F1:2") == [(None, "waiting", "dispatch"), ("waiting", "posted", "ledger")]
    assert (await decide(db, "approve", "F1:2", "ann")).outcome == "refused"


@pytest.mark.parametrize("ended", ["reject", "supersede"])
async def test_what_ended_here_and_is_posted_there_stands(db: Database, ended: str) -> None:
    await propose(db, revised(2, MORE))
    if ended == "reject":
        await decide(db, "reject", "F1:2", "ann")
    await propose(db, revised(3, {}))
    assert (await differences(db, "F1:3"))["student:anna"] == 20_000
    await take_posted(db, [posted("adjustment:F1:2", MORE_BY)], clock=lambda: NOW)
    assert await states(db) == {"F1:2": "posted", "F1:3": "waiting"}
    assert (await differences(db, "F1:3"))["student:anna"] == 120_000  # against what stands now


async def test_a_revision_read_after_both_journals_asks_for_nothing(db: Database) -> None:
    there = [posted("adjustment:F1:2", MORE_BY), posted("adjustment:F1:3", BACK_BY)]
    await take_posted(db, there, clock=lambda: NOW)
    await propose(db, revised(2, MORE), revised(3, SLIGHTLY_LESS))
    assert await states(db) == {"F1:2": "posted", "F1:3": "posted"}
    assert await journals(db) == {}
    await propose(db, revised(4, LESS))  # against what stands
    assert (await differences(db, "F1:4"))["student:anna"] == 3_000


async def test_everything_read_again_changes_nothing(db: Database) -> None:
    records = [revised(2, LESS), revised(3, SLIGHTLY_LESS)]
    await propose(db, records[0])
    await answer_ledger(db)
    await propose(db, records[1])
    await answer_ledger(db)
    before = (await states(db), await standing(db))
    answers = [posted(source, entries) for source, entries in (await journals(db)).items()]
    await take_posted(db, answers, clock=lambda: NOW)
    await propose(db, *records)
    assert (await states(db), await standing(db)) == before
