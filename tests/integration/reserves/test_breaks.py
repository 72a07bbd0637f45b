"""What of the difference has which name, what heals it, and that it closes by itself."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError

from fleet.database import Database
from fleet.envelope import Record, uuid7
from schemas.decisions import DecisionTaken
from services.reserves import handlers
from services.reserves.desk.decisions import ACTIONS
from tests.integration.adjustments.settle_stories import refund
from tests.integration.adjustments.stories import refused
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
from tests.support.decisions import answered, decision
from tests.support.invariants import broken_invariants

LATER = NOON + timedelta(days=10)


async def breaks(db: Database, *, closed: bool = False) -> dict[str, Any]:
    """Breaks that are open, by what they are of: class and amount."""
    async with db.transaction() as tx:
        rows = await tx.all(
            "SELECT * FROM break WHERE :closed OR closed_at IS NULL ORDER BY id", closed=closed
        )
    return {row.subject: row for row in rows}


async def classes(db: Database) -> dict[str, tuple[str, int]]:
    return {subject: (row[2], row.amount) for subject, row in (await breaks(db)).items()}


async def accept(db: Database, subject: str, who: str = "ann", **parameters: Any) -> DecisionTaken:
    number = (await breaks(db))[subject].id
    asked = decision("reserves", "accept", str(number), parameters, who=who, why="looked at Stripe")
    return await answered(db, ACTIONS, asked)


async def accepted_by_two(db: Database, subject: str, **parameters: Any) -> None:
    for who in ("ann", "bob"):
        answer = await accept(db, subject, who, **parameters)
        assert answer.outcome == "done", answer.sentence


async def post_what_was_asked_for(db: Database) -> None:
    """The ledger posts the journals that reserves asked for."""
    records: list[Record] = []
    for asked in await published(db, "journal.requested"):
        cash = -sum(one["amount"] for one in asked["entries"] if one["wallet"] == "external:stripe")
        at = datetime.fromisoformat(asked["occurred_at"])
        currency, event_type = asked["currency"], asked["event_type"]
        records.append(journal(asked["source"], cash, at=at, event_type=event_type, currency=currency))
    async with db.transaction() as tx:
        ids = {row.source: row for row in await tx.all("SELECT source, journal_id, amount FROM book_line")}
    for asked in await published(db, "revert.requested"):
        reverted = ids[asked["reverts"]]
        records.append(journal(f"revert:{reverted.journal_id}", reverted.amount, event_type="revert"))
    await given(db, *records)


async def seeded(db: Database) -> None:
    """A day of good traffic and one fault of each kind."""
    records = []
    for n in range(20):
        at = NOON + timedelta(minutes=20 * n)
        records += [
            line(f"ok{n}", 970 + n, fee=30, at=at),
            journal(f"charge:src_ok{n}", 1_000 + n, at=at, other=f"student:s{n}"),
            journal(f"charge-fee:ok{n}", -30, at=at, other="platform:school"),
        ]
    records += [
        line("missing", 38_810, fee=1_190, at=NOON + timedelta(hours=8)),
        line("once", 500, at=NOON + timedelta(hours=9)),
        journal("charge:src_once", 500, at=NOON + timedelta(hours=9)),
        line(
            "again", 500, source_id="src_once", expected=("charge:src_twice",), at=NOON + timedelta(hours=9)
        ),
        line("byhand", -700, type="refund", source_id="re_1", expected=("refund:re_1",)),
        line("moon", 11, type="money_from_the_moon"),
        line("fees", 388, fee=12),
        journal("charge:src_fees", 400),
        journal("charge-fee:fees", -12, other="platform:school"),
        line("tr", -900, type="transfer", source_id="tr_dashboard"),
        line("ours", -800, type="transfer", source_id="tr_ours"),
        journal(transfer_source("one"), -800, other="instructor:ines"),
        sent("one", "tr_ours"),
        line("monthly", -200, type="stripe_fee", expected=("stripe:monthly",)),
        journal("charge:ch_nowhere", 77),
        journal("charge:src_ok1-again", 1_001, other="student:s1"),
        line("euro", 600, currency="EUR"),
        journal("charge:src_euro", 600),
    ]
    await given(db, *records)
    await compared(db)
    await given(db, line("fees", 385, fee=15, version=2))


FAULTS = {
    "line:missing": ("missing_journal", 38_810),
    "line:again": ("duplicate", 500),
    "line:byhand": ("made_by_hand", -700),
    "line:moon": ("unknown_type", 11),
    "line:tr": ("made_by_hand", -900),
    "line:monthly": ("fee", -200),
    "match:fees:USD": ("fee", -3),
    "match:euro:EUR": ("currency", 600),
    "match:euro:USD": ("currency", -600),
}


async def test_each_seeded_fault_is_named_healed_and_nothing_else_is_reported(db: Database) -> None:
    await seeded(db)
    day = await compared(db, now=LATER)
    found = await classes(db)
    by_source = {
        row[6].split()[1]: (row[2], row.amount) for key, row in (await breaks(db)).items() if key[0] == "j"
    }
    assert {k: v for k, v in found.items() if not k.startswith("journal:")} == FAULTS
    assert by_source == {
        "charge:ch_nowhere": ("missing_at_stripe", -77),
        "charge:src_ok1-again": ("duplicate", -1_001),
    }
    assert day.unexplained == 0
    assert day.drift == day.explained != 0
    assert day.breaks_open == 10
    for subject in found:
        await accepted_by_two(db, subject)
    await post_what_was_asked_for(db)
    healed = await compared(db, DAY + timedelta(days=11), now=LATER)
    # What was reverted for its currency was the journal; its line is booked in its own currency.
    assert await classes(db) == {}
    assert (healed.drift, healed.explained, healed.breaks_open) == (0, 0, 0)


async def test_a_young_half_is_a_matter_of_timing_and_closes_by_itself(db: Database) -> None:
    await given(db, line("t1", 500), journal("charge:x", 70))
    day = await compared(db, now=NOON)
    assert {one[0] for one in (await classes(db)).values()} == {"timing"}
    assert day.breaks_open == 0
    assert (await accept(db, "line:t1")).outcome == "refused"
    await given(db, journal("charge:src_t1", 500))
    await compared(db, now=NOON)
    assert "line:t1" not in await classes(db)
    await compared(db, now=LATER)
    assert {one[0] for one in (await classes(db)).values()} == {"missing_at_stripe"}
    [closed] = [row for row in (await breaks(db, closed=True)).values() if row.subject == "line:t1"]
    assert closed.state == "closed"


async def test_nobody_accepts_twice_and_the_database_says_so_too(db: Database) -> None:
    await given(db, line("t1", 500))
    await compared(db, now=LATER)
    assert (await accept(db, "line:t1", "Ann")).outcome == "done"
    for again in (" ann", "ａｎｎ"):
        assert "another person has to" in (await accept(db, "line:t1", again)).sentence
    assert await published(db, "journal.requested") == []
    with pytest.raises(IntegrityError, match="is not accepted by enough persons"):
        async with db.transaction() as tx:
            await tx.execute("UPDATE break SET state = 'accepted', accepted_at = now()")


async def test_another_wallet_is_another_content_that_both_must_accept(db: Database) -> None:
    await given(db, line("t1", -500, type="transfer"))
    await compared(db, now=LATER)
    await accept(db, "line:t1", "ann")
    answer = await accept(db, "line:t1", "bob", wallet="instructor:ines")
    assert "waits" in answer.sentence
    await compared(db, now=LATER)  # what a person chose stays
    assert (await accept(db, "line:t1", "ann")).outcome == "done"
    [asked] = await published(db, "journal.requested")
    assert asked["entries"][0] == {"wallet": "instructor:ines", "amount": -500}
    assert (await accept(db, "line:t1", wallet="external:stripe")).outcome == "refused"


async def test_what_was_before_is_one_difference_with_a_name(db: Database) -> None:
    before = NOON - timedelta(days=40)
    await given(
        db,
        line("opening:USD", 9_000, type="opening", expected=(), standing="before", at=before),
        line("old", 300, standing="before", at=before + timedelta(days=1)),
        journal("charge:src_older", 1_000, at=before - timedelta(days=1)),
        line("t1", 500),
        journal("charge:src_t1", 500),
    )
    day = await compared(db, now=LATER)
    assert await classes(db) == {"opening:USD": ("opening", 8_300)}
    assert (day.drift, day.explained) == (8_300, 8_300)
    await accepted_by_two(db, "opening:USD", wallet="platform:opening")
    await post_what_was_asked_for(db)
    day = await compared(db, now=LATER)
    assert (await classes(db), await open_ids(db), day.drift) == ({}, set(), 0)


async def test_what_the_ledger_refused_is_seen_and_asked_for_again_when_accepted_again(db: Database) -> None:
    await given(db, line("t1", 500))
    await compared(db, now=LATER)
    await accepted_by_two(db, "line:t1")
    await handlers.take_refused(db, [refused("stripe:t1", "the period is closed")])
    await compared(db, now=LATER)
    kept = (await breaks(db))["line:t1"]
    assert (kept.state, kept.refused) == ("accepted", "the period is closed")
    assert (await accept(db, "line:t1", "cat")).outcome == "done"
    assert (await breaks(db))["line:t1"].refused is None
    assert [one["source"] for one in await published(db, "journal.requested")] == ["stripe:t1"] * 2


async def test_a_refused_revert_is_seen_at_its_break(db: Database) -> None:
    await given(db, journal("charge:ch_nowhere", 77))
    await compared(db, now=LATER)
    [subject] = await classes(db)
    await accepted_by_two(db, subject)
    of = subject.removeprefix("journal:")
    await handlers.take_refused(db, [refused(f"revert:{of}", "below its limit")])
    assert (await breaks(db))[subject].refused == "below its limit"


async def test_a_webhook_that_comes_after_an_accepted_break_doubles_nothing(db: Database) -> None:
    """The accepted journal stood in for the payment's own, and is taken back once by itself."""
    await given(db, line("t1", 485, fee=15))
    await compared(db, now=LATER)
    await accepted_by_two(db, "line:t1")
    await post_what_was_asked_for(db)
    await compared(db, now=LATER)
    assert await classes(db) == {}
    await given(db, journal("charge:src_t1", 500))
    await matched(db, LATER)
    assert await published(db, "revert.requested") == []  # its fee is on its way
    await given(db, journal("charge-fee:t1", -15, other="platform:school"))
    await matched(db, LATER)
    await matched(db, LATER)
    [asked] = await published(db, "revert.requested")
    assert asked["reverts"] == "stripe:t1"
    await post_what_was_asked_for(db)
    day = await compared(db, DAY + timedelta(days=11), now=LATER)
    assert (await classes(db), day.drift, day.books_closing) == ({}, 0, 485)
    assert await broken_invariants(db) == {}


async def test_a_refund_that_hobbs_ordered_was_not_made_by_hand(db: Database) -> None:
    """Its webhook was lost, so the books have no journal; nobody was in Stripe's dashboard."""
    await handlers.take_refunds(db, [refund(uuid7(), 700)])
    await given(
        db,
        line("ours", -700, type="refund", source_id="re_1", expected=("refund:re_1",)),
        line("theirs", -500, type="refund", source_id="re_9", expected=("refund:re_9",)),
    )
    await compared(db, now=LATER)
    assert await classes(db) == {
        "line:ours": ("missing_journal", -700),
        "line:theirs": ("made_by_hand", -500),
    }
