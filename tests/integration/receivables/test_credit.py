"""Limits of the book, and how students stand by them."""

import json
from datetime import timedelta

import pytest

from fleet.database import Database
from services.receivables import handlers
from services.receivables.desk import reads
from tests.conftest import OpenDatabase
from tests.integration.ops.conftest import Hobbs
from tests.integration.receivables.credits import NOON, a_school, book, owes, stands
from tests.integration.receivables.stories import charge, dispute, webhook


@pytest.fixture
async def ledger(open_db: OpenDatabase) -> Database:
    return open_db("ledger")


async def test_without_a_policy_nobody_has_a_limit(db: Database, ledger: Database) -> None:
    await handlers.follow_book(db, [book(1, ("school", "school", "1900-01-01", a_school_card()))])
    await owes(ledger, 900_000)
    row = await stands(db)
    assert (row["available"], row["credit_limit"], row["room"], row["level"]) == (-900_000, None, None, "ok")


def a_school_card() -> dict[str, str]:
    return {"name": "A school", "time_zone": "America/New_York", "currency": "USD"}


async def test_before_the_book_names_a_currency_nobody_stands(db: Database, ledger: Database) -> None:
    async with db.transaction() as tx:
        assert await reads.credits(tx, NOON, student="anna") == []


@pytest.mark.parametrize(
    ("owed", "room", "used", "level"),
    [
        (0, 50_000, 0, "ok"),
        (39_999, 10_001, 79, "ok"),
        (40_000, 10_000, 80, "near"),
        (47_499, 2_501, 94, "near"),
        (47_500, 2_500, 95, "close"),
        (50_000, 0, 100, "close"),
        (50_001, -1, 100, "exceeded"),
    ],
)
async def test_the_level_follows_what_is_used_of_the_limit(
    db: Database, ledger: Database, owed: int, room: int, used: int, level: str
) -> None:
    await handlers.follow_book(db, [a_school(limit=50_000)])
    if owed:
        await owes(ledger, owed)
    row = await stands(db)
    assert (row["room"], row["used_percent"], row["level"]) == (room, used, level)


async def test_a_limit_of_zero_has_no_percentage(db: Database, ledger: Database) -> None:
    await handlers.follow_book(db, [a_school(limit=0)])
    row = await stands(db)
    assert (row["room"], row["used_percent"], row["level"]) == (0, None, "ok")
    await owes(ledger, 1)
    assert (await stands(db))["level"] == "exceeded"


async def test_a_students_own_limit_stands_until_its_last_day(db: Database, ledger: Database) -> None:
    await handlers.follow_book(db, [a_school(limit=50_000)])
    own = ("credit_limit", "anna", "2026-06-01", {"limit": 90_000, "until": "2026-06-10"})
    await handlers.follow_book(db, [book(2, own)])
    midnight = NOON + timedelta(hours=12)  # the school's, not Greenwich's
    limits = [
        (await stands(db, at=at))["credit_limit"]
        for at in (NOON - timedelta(days=10), NOON, midnight - timedelta(seconds=1), midnight)
    ]
    assert limits == [50_000, 90_000, 90_000, 50_000]
    assert (await stands(db, "ben"))["credit_limit"] == 50_000


async def test_a_withdrawn_limit_stands_no_longer_in_whatever_order_versions_come(db: Database) -> None:
    own = ("credit_limit", "anna", "2026-06-01", {"limit": 90_000})
    await handlers.follow_book(db, [book(3, ("credit_limit", "anna", "2026-06-01", None))])
    await handlers.follow_book(db, [book(2, own)])
    await handlers.follow_book(db, [a_school(limit=50_000)])
    assert (await stands(db))["credit_limit"] == 50_000


async def test_a_disputed_payment_counts_until_it_is_decided(db: Database, ledger: Database) -> None:
    await handlers.follow_book(db, [a_school(limit=50_000)])
    await handlers.take_stripe_events(db, [webhook("charge.succeeded", charge())])
    await owes(ledger, -40_000, source="charge:ch_1")
    assert (await stands(db))["room"] == 90_000
    await handlers.take_stripe_events(db, [webhook("charge.dispute.created", dispute())])
    row = await stands(db)
    assert row["disputed"] > 0
    assert row["room"] == 90_000 - row["disputed"]


async def test_everybody_with_a_wallet_or_a_limit_is_listed(db: Database, ledger: Database) -> None:
    await handlers.follow_book(db, [a_school(limit=50_000)])
    frozen = ("credit_limit", "carl", "2026-06-01", {"frozen": True})
    await handlers.follow_book(db, [book(2, frozen)])
    await owes(ledger, 100, student="ben")
    async with db.transaction() as tx:
        rows = await reads.credits(tx, NOON)
    assert [(row["student"], row["frozen"]) for row in rows] == [("ben", False), ("carl", True)]


async def test_a_check_says_what_a_dispatch_would_be_answered_and_holds_nothing(
    db: Database,
    open_db: OpenDatabase,
    hobbs: Hobbs,
) -> None:
    await handlers.follow_book(db, [a_school(limit=50_000)])
    asked = ("credit", "check", "anna", "--aircraft", "N364MA", "-o", "json")
    may = await hobbs(*asked, "--hours", "1.0")
    assert (may.exit_code, json.loads(may.stdout)[0]["answer"]) == (0, "allowed"), may.output
    assert json.loads(may.stdout)[0]["held"] == 19_167
    beyond = await hobbs(*asked, "--hours", "3.0")
    assert (beyond.exit_code, json.loads(beyond.stdout)[0]["answer"]) == (1, "limit_exceeded")
    assert "pay " in beyond.stderr
    unknown = await hobbs("credit", "check", "anna", "--aircraft", "N0", "--hours", "1.0")
    assert unknown.exit_code == 1
    assert (await hobbs("credit", "check", "anna", "--aircraft", "N364MA", "--hours", "x")).exit_code == 2
    await owes(open_db("ledger"), 40_000)
    assert (await hobbs(*asked, "--hours", "1.0")).exit_code == 1
