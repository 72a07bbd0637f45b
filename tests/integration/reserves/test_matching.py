"""Each line of Stripe's balance has its journals, by ids first; what has none stays open."""

import asyncio
from datetime import timedelta

from fleet.database import Database
from fleet.envelope import uuid7
from tests.integration.reserves.comparisons import (
    DAY,
    NOON,
    compared,
    given,
    journal,
    line,
    matched,
    open_ids,
    published,
    sent,
    transfer_source,
)


async def test_a_charge_with_its_fee_a_transfer_and_a_fee_of_stripes_match_by_ids(db: Database) -> None:
    await given(
        db,
        line("t1", 38_810, fee=1_190),
        line("t2", -8_750, type="transfer", source_id="tr_1"),
        line("t3", -200, type="stripe_fee", expected=("stripe:t3",)),
        line("t4", 0, type="adjustment"),
        journal("charge:src_t1", 40_000),
        journal("charge-fee:t1", -1_190, other="platform:school"),
        journal(transfer_source("one"), -8_750, other="instructor:ines"),
        journal("stripe:t3", -200, other="platform:school"),
        sent("one", "tr_1"),
    )
    day = await compared(db)
    assert await open_ids(db) == set()
    assert (day.stripe_closing, day.books_closing, day.drift, day.unexplained) == (29_860, 29_860, 0, 0)


async def test_what_has_no_other_half_is_open_and_explains_the_drift(db: Database) -> None:
    await given(db, line("t1", 500), line("t2", 70), journal("charge:src_t2", 70), journal("charge:x", 9))
    day = await compared(db)
    assert await open_ids(db) == {"t1", "charge:x"}
    assert (day.drift, day.explained, day.unexplained) == (491, 491, 0)


async def test_a_sum_that_differs_by_a_cent_does_not_match(db: Database) -> None:
    await given(db, line("t1", 500), journal("charge:src_t1", 499))
    await matched(db)
    assert await open_ids(db) == {"t1", "charge:src_t1"}


async def test_two_workers_that_match_at_once_match_each_line_once(db: Database) -> None:
    pairs = [(line(f"t{n:03}", 500 + n), journal(f"charge:src_t{n:03}", 500 + n)) for n in range(200)]
    await given(db, *(half for pair in pairs for half in pair))
    await asyncio.gather(matched(db), matched(db))
    assert await open_ids(db) == set()


async def test_halves_of_two_days_are_a_difference_on_the_first_only(db: Database) -> None:
    await given(
        db,
        line("t1", 500, at=NOON),
        journal("charge:src_t1", 500, at=NOON + timedelta(days=2)),
        line("t0", 1, at=NOON),
        journal("charge:src_t0", 1, at=NOON),
    )
    first = await compared(db)
    assert (first.drift, first.explained) == (500, 500)
    between = await compared(db, DAY + timedelta(days=1))
    assert (between.drift, between.explained) == (500, 500)
    last = await compared(db, DAY + timedelta(days=2))
    assert (last.drift, last.explained, last.stripe_opening) == (0, 0, 501)


async def test_two_lines_of_one_journal_match_together(db: Database) -> None:
    both = ("charge:ch_1",)
    await given(
        db,
        line("t1", 1_000, expected=both, source_id="ch_1"),
        line("t2", -400, type="refund", expected=both, source_id="ch_1"),
        journal("charge:ch_1", 600),
    )
    await matched(db)
    assert await open_ids(db) == set()


async def test_a_fee_that_is_posted_later_belongs_to_its_charge(db: Database) -> None:
    await given(db, line("t1", 388, fee=12), journal("charge:src_t1", 400))
    await matched(db)
    assert await open_ids(db) == {"t1", "charge:src_t1"}
    await given(db, journal("charge-fee:t1", -12))
    await matched(db)
    assert await open_ids(db) == set()


async def test_a_revert_of_a_journal_belongs_to_what_it_reverts(db: Database) -> None:
    reverted, alone = journal("charge:src_t1", 500), journal("charge:ch_9", 70)
    await given(db, line("t1", 500), reverted, alone)
    await matched(db)
    ids = {}
    async with db.transaction() as tx:
        ids = {row.source: row.journal_id for row in await tx.all("SELECT source, journal_id FROM book_line")}
    await given(
        db, journal(f"revert:{ids['charge:src_t1']}", -500), journal(f"revert:{ids['charge:ch_9']}", -70)
    )
    day = await compared(db)
    assert await open_ids(db) == set()
    assert (day.drift, day.explained) == (500, 500)


async def test_what_a_person_posted_matches_by_amount_when_there_is_no_second_choice(db: Database) -> None:
    await given(
        db,
        line("t1", -5_000, type="reserve_transaction"),
        journal("bank-letter-7", -5_000, other="platform:school", event_type="letter"),
        line("t2", 30, type="other"),
        line("t3", 30, type="other"),
        journal("note-1", 30, other="platform:school", event_type="letter"),
        journal("charge:ch_8", 30),
    )
    await matched(db)
    assert await open_ids(db) == {"t2", "t3", "note-1", "charge:ch_8"}


async def test_a_journal_published_again_after_a_restore_counts_once(db: Database) -> None:
    await given(db, line("t1", 500), journal("charge:src_t1", 500))
    before = await compared(db)
    again = journal("charge:src_t1", 500)
    assert again.headers["ce_id"] != str(uuid7())
    await given(db, again)
    after = await compared(db)
    assert after == before
    assert after.books_closing == 500


async def test_a_line_shown_differently_is_matched_anew(db: Database) -> None:
    await given(db, line("t1", 388, fee=12), journal("charge:src_t1", 400), journal("charge-fee:t1", -12))
    await matched(db)
    await given(db, line("t1", 385, fee=15, version=2))
    day = await compared(db)
    assert await open_ids(db) == set()  # they name each other, and differ
    assert (day.stripe_closing, day.drift, day.explained) == (385, -3, -3)
    await given(db, line("t1", 388, fee=12, version=3), line("t1", 385, fee=15, version=2))
    day = await compared(db)
    assert (await open_ids(db), day.drift) == (set(), 0)


async def test_the_same_comparison_is_told_once(db: Database) -> None:
    await given(db, line("t1", 500))
    for _ in range(2):
        await compared(db)
    await given(db, journal("charge:src_t1", 500))
    await compared(db)
    told = [(one["run"], one["drift"]) for one in await published(db, "reconciliation.completed")]
    assert told == [(1, 500), (2, 0)]
