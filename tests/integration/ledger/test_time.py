"""Balances at any instant as known at any instant, and periods that are closed."""

import asyncio
import itertools
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from fleet.database import Database
from fleet.envelope import Record, uuid7
from schemas.journals import EntryRequest, JournalRequested
from services.ledger import steps, wire
from services.ledger.desk import reads
from services.ledger.domain.journals import Journal
from services.ledger.handlers import post_journals
from tests.conftest import OpenDatabase
from tests.integration.billing.given import given_school
from tests.integration.ledger.books import Hobbs, Legs, ask, balances, letters, requested, rows
from tests.integration.ledger.test_concurrency import until_waiting
from tests.support.records import record

STUDENT = "student:s-1"
CHARGE: Legs = ((STUDENT, -100), ("platform:school", 100))
JUNE = datetime(2026, 6, 1, tzinfo=UTC)
MAY, LATER = JUNE - timedelta(days=3), JUNE + timedelta(days=3)


def dated(source: str, at: datetime, legs: Legs = CHARGE) -> Record:
    event = JournalRequested(
        source=source,
        event_type="flight",
        currency="USD",
        occurred_at=at,
        entries=[EntryRequest(wallet=wallet, amount=amount) for wallet, amount in legs],
    )
    return record(wire.journals.REQUESTED, event, key=source)


async def at(
    owner: asyncpg.Connection, occurred_by: datetime, known_by: datetime | None = None, wallet: str = STUDENT
) -> int:
    found: int = await owner.fetchval(
        "SELECT balance_at($1, 'USD', $2, coalesce($3, 'infinity'::timestamptz))",
        wallet,
        occurred_by,
        known_by,
    )
    return found


async def now(owner: asyncpg.Connection) -> datetime:
    found: datetime = await owner.fetchval("SELECT clock_timestamp()")
    return found


async def close(owner: asyncpg.Connection, until: datetime = JUNE) -> None:
    await owner.execute("SELECT close_period($1, 'month end')", until)


async def late(ledger: Database) -> list[tuple[Any, ...]]:
    async with ledger.transaction() as tx:
        found = await tx.all("SELECT source, belongs_at, occurred_at FROM ledger_public.late_journals")
    return [tuple(row) for row in found]


async def test_a_balance_is_what_had_occurred_as_far_as_it_was_known(
    ledger: Database, owner: asyncpg.Connection
) -> None:
    await ask(ledger, dated("flight:F1:1", MAY))
    first = await now(owner)
    await ask(ledger, dated("flight:F2:1", LATER), dated("flight:F3:1", MAY))
    assert await at(owner, JUNE) == -200
    assert await at(owner, JUNE, first) == -100
    assert await at(owner, await now(owner)) == -300
    assert await at(owner, MAY - timedelta(microseconds=1)) == 0
    assert await at(owner, JUNE, first - timedelta(days=1)) == 0
    assert await at(owner, JUNE, wallet="student:nobody") == 0


SLOWLY = """
    SELECT coalesce(sum(amount), 0)::bigint FROM ledger_public.entries
    WHERE address = $1 AND currency = 'USD' AND occurred_at <= $2 AND recorded_at <= $3
"""


async def test_any_balance_at_any_instant_is_the_sum_of_what_counts(
    ledger: Database, owner: asyncpg.Connection
) -> None:
    """On time, minutes late, months late, and dated ahead; some entries do not say when they occurred."""
    chance = random.Random(20260601)
    start = await now(owner)
    lags = [timedelta(0), timedelta(minutes=5), timedelta(hours=2), timedelta(days=90), -timedelta(days=2)]
    known = [start]
    for batch in range(12):
        when = [await now(owner) - chance.choice(lags) for _ in range(30)]
        await ask(ledger, *(dated(f"flight:{batch}-{n}:1", instant) for n, instant in enumerate(when)))
        known.append(await now(owner))
    await owner.execute("ALTER TABLE entry DISABLE TRIGGER USER")
    await owner.execute("UPDATE entry SET occurred_at = NULL WHERE version % 2 = 0")
    around = [timedelta(0), *lags, timedelta(minutes=30), timedelta(days=200), -timedelta(days=9)]
    for known_by in chance.sample(known, 8):
        for lag in around:
            occurred_by = chance.choice(known) - lag
            slowly = await owner.fetchval(SLOWLY, STUDENT, occurred_by, known_by)
            assert await at(owner, occurred_by, known_by) == slowly


async def test_what_comes_late_is_dated_into_the_open_period_and_linked(
    ledger: Database, owner: asyncpg.Connection
) -> None:
    await ask(ledger, dated("flight:F1:1", MAY))
    await close(owner)
    told = await ask(ledger, dated("flight:F2:1", MAY), dated("flight:F3:1", LATER))
    assert [event.body["occurred_at"] for event in told] == ["2026-06-01T00:00:00Z", "2026-06-04T00:00:00Z"]
    assert await late(ledger) == [("flight:F2:1", MAY, JUNE)]
    assert await at(owner, JUNE - timedelta(seconds=1)) == -100
    assert await at(owner, JUNE) == -200


async def test_a_late_journal_asked_again_is_the_same_and_with_other_content_is_refused(
    ledger: Database, owner: asyncpg.Connection
) -> None:
    await close(owner)
    first = await ask(ledger, dated("flight:F1:1", MAY))
    assert await ask(ledger, dated("flight:F1:1", MAY)) == first
    await ask(ledger, dated("flight:F1:1", JUNE))
    assert await letters(ledger) == [("source_reused", "flight:F1:1")]
    await close(owner, LATER)
    assert await ask(ledger, dated("flight:F1:1", MAY)) == first


async def test_a_journal_by_hand_is_dated_alike(ledger: Database, owner: asyncpg.Connection) -> None:
    await close(owner)
    entries = '[{"wallet": "student:s-1", "amount": -1}, {"wallet": "platform:school", "amount": 1}]'
    post = "SELECT post_journal_with_locks(uuidv7(), 'manual', '1', 'USD', $1, $2)"
    journal = await owner.fetchval(post, entries, MAY)
    assert await owner.fetchval(post, entries, MAY) == journal
    assert await owner.fetchval(post, entries, None) == journal
    assert await late(ledger) == [("manual:1", MAY, JUNE)]


async def test_a_preview_dates_as_posting_does(ledger: Database, owner: asyncpg.Connection) -> None:
    await close(owner)
    body = JournalRequested.model_validate_json(dated("flight:F1:1", MAY).value or b"")
    async with ledger.transaction() as tx:
        [result] = (await steps.preview.preview(tx, [wire.journals.request_of(body, None)])).results
    assert isinstance(result, Journal)
    assert (result.occurred_at, result.belongs_at) == (JUNE, MAY)


async def test_who_is_posting_while_a_period_closes_is_dated_by_it(
    ledger: Database, owner: asyncpg.Connection
) -> None:
    await ask(ledger, dated("flight:F1:1", MAY))
    async with owner.transaction():
        await close(owner)
        second = asyncio.create_task(post_journals(ledger, [dated("flight:F2:1", MAY)]))
        await until_waiting(owner)
    await second
    assert await late(ledger) == [("flight:F2:1", MAY, JUNE)]


async def test_closing_waits_for_who_is_posting(
    ledger: Database, owner: asyncpg.Connection, database_url: str
) -> None:
    body = JournalRequested.model_validate_json(dated("flight:F1:1", MAY).value or b"")
    watcher = await asyncpg.connect(database_url)
    async with ledger.transaction() as tx:
        await steps.posting.post(tx, [wire.journals.request_of(body, None)])
        closing = asyncio.create_task(close(owner))
        await until_waiting(watcher)
        assert not closing.done()
    await closing
    await watcher.close()
    assert await late(ledger) == []


@pytest.mark.parametrize(
    ("until", "rule"),
    [(JUNE, "periods_are_closed_in_order"), (datetime(2100, 1, 1, tzinfo=UTC), "closed_period_is_over")],
)
async def test_periods_are_closed_in_order_and_when_they_are_over(
    ledger: Database, owner: asyncpg.Connection, until: datetime, rule: str
) -> None:
    await close(owner)
    with pytest.raises(asyncpg.CheckViolationError) as caught:
        await close(owner, until)
    assert caught.value.constraint_name == rule


@pytest.mark.parametrize("statement", ["DELETE FROM closed_period", "DELETE FROM late_journal"])
async def test_nobody_opens_a_period_again(
    ledger: Database, owner: asyncpg.Connection, statement: str
) -> None:
    with pytest.raises(asyncpg.CheckViolationError, match="append-only"):
        await owner.execute(statement)


async def test_the_command_line_asks_by_instant_and_closes(
    ledger: Database, owner: asyncpg.Connection, hobbs: Hobbs
) -> None:
    await ask(ledger, dated("flight:F1:1", MAY), dated("flight:F2:1", LATER))
    at_june = ("balances", STUDENT, "--at", "2026-06-01T00:00:00Z", "-o", "json")
    [then] = rows(await hobbs(*at_june))
    assert then == {"wallet": STUDENT, "kind": "student", "currency": "USD", "balance": -100}
    [unknown] = rows(await hobbs(*at_june, "--known-at", "2026-05-30T00:00:00Z"))
    assert unknown["balance"] == 0
    assert (await hobbs("balances", "--at", "2026-06-01")).exit_code == 2
    assert (await hobbs("balances", "--known-at", "2026-06-01T00:00:00Z")).exit_code == 2
    assert (await hobbs("close", "2026-06-01T00:00:00Z", "--why", "May")).exit_code == 1
    assert (await hobbs("close", "2026-06-01T00:00:00Z", "--why", "May", "--yes")).exit_code == 0
    await ask(ledger, dated("flight:F3:1", MAY))
    journal = rows(await hobbs("explain", "journal", "flight:F3:1", "-o", "json"))
    assert (journal["content_matches_hash"], journal["belongs_at"]) == (True, MAY.isoformat())
    assert (await balances(ledger))[STUDENT] == -300


async def test_closed_periods_are_listed_and_a_refusal_to_close_is_a_sentence(
    ledger: Database, hobbs: Hobbs
) -> None:
    assert rows(await hobbs("periods", "-o", "json")) == []
    for until in ("2026-05-01T00:00:00Z", "2026-06-01T00:00:00+02:00"):
        assert (await hobbs("close", until, "--why", f"before {until}", "--yes")).exit_code == 0
    await ask(ledger, dated("flight:F3:1", MAY))
    newest, first = rows(await hobbs("periods", "-o", "json"))
    assert (first["until"], first["began"]) == ("2026-05-01T00:00:00+00:00", None)
    assert (newest["until"], newest["began"]) == ("2026-05-31T22:00:00+00:00", first["until"])
    assert (newest["memo"], newest["late_journals"]) == ("before 2026-06-01T00:00:00+02:00", 1)
    assert newest["closed_by"] == "hobbs_operator"
    for until, why in (
        ("2026-05-31T22:00:00Z", "refused: closed until 2026-05-31 22:00:00+00 already"),
        ("2026-01-01T00:00:00Z", "refused: closed until"),
        ("2199-01-01T00:00:00Z", "refused: the period until 2199-01-01 00:00:00+00 is not over"),
        ("1800-01-01T00:00:00Z", "refused: nothing can have occurred before"),
    ):
        for how in ("--yes", "--dry-run"):
            refused = await hobbs("close", until, "--why", "x", how)
            assert (refused.exit_code, refused.stderr.startswith(why)) == (1, True), refused.stderr
            assert "Postgres" not in refused.stderr
    assert (await hobbs("close", "0001-01-01T00:00:00+14:00", "--why", "x", "--yes")).exit_code == 2
    dry = await hobbs("close", "2026-05-31T22:00:01Z", "--why", "x", "--dry-run")
    assert (dry.exit_code, "nothing changed" in dry.stderr) == (0, True)
    assert len(rows(await hobbs("periods", "-o", "json"))) == 2


async def test_a_statement_says_its_order_and_its_time_zone(
    ledger: Database, open_db: OpenDatabase, hobbs: Hobbs
) -> None:
    await ask(ledger, dated("flight:F2:1", LATER), dated("flight:F1:1", MAY))
    page = rows(await hobbs("statement", STUDENT, "-o", "json"))
    assert (page["order"], page["time_zone"]) == ("posting", "UTC")
    assert [line["occurred_at"] for line in page["lines"]] == [LATER.isoformat(), MAY.isoformat()]
    assert "in the order of posting; times are UTC" in (await hobbs("statement", STUDENT)).stdout
    await given_school(open_db("billing"))
    table = (await hobbs("statement", STUDENT)).stdout
    assert f"{STUDENT}, USD: in the order of posting; times are America/New_York" in table
    assert "2026-06-03T20:00:00-04:00" in table
    csv = await hobbs("statement", STUDENT, "-o", "csv")
    assert (LATER.isoformat() in csv.stdout, "times are UTC" in csv.stderr) == (True, True)
    chosen = rows(await hobbs("statement", STUDENT, "--zone", "Asia/Tokyo", "-o", "json"))
    assert (chosen["time_zone"], chosen["lines"][0]["occurred_at"]) == (
        "Asia/Tokyo",
        "2026-06-04T09:00:00+09:00",
    )
    assert (await hobbs("statement", STUDENT, "--zone", "Mars/Base")).exit_code == 2


TUPLES_READ = """
    SELECT sum(seq_tup_read + idx_tup_fetch) FROM pg_stat_xact_user_tables
    WHERE relname IN ('entry', 'journal')
"""


async def test_a_balance_at_an_instant_reads_no_more_than_it_must(
    ledger: Database, owner: asyncpg.Connection
) -> None:
    for batch in range(4):
        await ask(ledger, *(requested(f"flight:{batch}-{n}:1") for n in range(500)))
    await owner.execute("ANALYZE")
    instant = await now(owner)
    await at(owner, instant, instant, "platform:school")
    async with owner.transaction():
        before = await owner.fetchval(TUPLES_READ)
        await at(owner, instant, instant, "platform:school")
        assert 0 < await owner.fetchval(TUPLES_READ) - before < 100


INSTANTS = """
    SELECT DISTINCT journal.recorded_at FROM journal JOIN entry ON entry.journal_id = journal.id
    WHERE entry.wallet_id = (SELECT id FROM wallet WHERE address = 'platform:school')
"""


async def test_a_balance_at_an_instant_is_found_however_unevenly_entries_came(
    ledger: Database, owner: asyncpg.Connection
) -> None:
    """Hundreds at one instant, a few with pauses between, and hundreds again; some of them hours late."""
    hours = itertools.cycle([0, 0, 2])
    for size in (1, 400, 1, 1, 1, 30, 1, 1, 700, 1, 1, 2):
        when = [await now(owner) - timedelta(hours=next(hours)) for _ in range(size)]
        await ask(ledger, *(dated(f"flight:{uuid7()}:1", instant) for instant in when))
    await owner.execute("ANALYZE")
    recorded = [row["recorded_at"] for row in await owner.fetch(INSTANTS)]
    assert len(recorded) >= 12
    shift = timedelta(microseconds=1)
    for instant in (moment + by for moment in recorded for by in (-shift, 0 * shift, shift)):
        for known_by in (instant, datetime(9999, 1, 1, tzinfo=UTC)):
            slowly = await owner.fetchval(SLOWLY, "platform:school", instant, known_by)
            assert await at(owner, instant, known_by, "platform:school") == slowly


async def test_a_statement_shows_a_late_entry_where_it_was_dated(
    ledger: Database, owner: asyncpg.Connection
) -> None:
    await close(owner)
    await ask(ledger, dated("flight:F1:1", MAY))
    async with ledger.transaction() as tx:
        page = await reads.statements.statement(tx, STUDENT, "USD")
    assert [line.occurred_at for line in page.lines] == [JUNE]
