"""Lists over a real database: sorted both ways, filtered, paged without a row twice or never, exported."""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from console.reads import margins, school, tables
from console.reads.accounts import AGEING
from console.reads.flights import FLIGHTS
from console.reads.letters import LETTERS
from console.reads.tables import Column, Listing, Question, question
from fleet.database import Tx
from schemas.services import SERVICES
from tests.conftest import OpenDatabase
from tests.integration.console.conftest import Desk
from tests.unit.console.test_listings import listings

AT = datetime(2026, 3, 1, tzinfo=UTC)


_BURY = """
    INSERT INTO {service}.dead_letter (topic, partition, "offset", identity, subject, headers, payload_hash,
                                       correlation_id, reason, sentence, history, last_seen_at, attempts)
    SELECT 't', 0, n, '{service}' || n, CASE WHEN n % 5 > 0 THEN 'flight:F' || n % 7 END, '{{}}', sha256('x'),
           'c', 'r', 's', '[]', CAST($1 AS timestamptz) + n / 10 * interval '1 minute', 1 + n % 4
    FROM generate_series(1, 45) AS n
"""


@pytest.fixture
async def letters(database_url: str) -> int:
    """Dead letters with equal instants and missing subjects: what a careless cursor repeats or skips."""
    owner = await asyncpg.connect(database_url)
    for service in SERVICES[:3]:
        await owner.execute(_BURY.format(service=service), AT)
    await owner.close()
    return 135


@pytest.mark.usefixtures("letters")
async def test_pages_hold_every_row_once_in_order(open_db: OpenDatabase) -> None:
    async with open_db("console").transaction() as tx:
        for order in ("-last_seen_at", "last_seen_at", "subject", "-subject", "-attempts", "reason"):
            await every_page(tx, order)


async def every_page(tx: Tx, order: str) -> None:
    seen: list[Mapping[str, Any]] = []
    after: str | None = None
    for _ in range(20):
        asked = question(LETTERS, {"sort": order, **({"after": after} if after else {})})
        page = await tables.page(tx, LETTERS, asked, zone="UTC", size=17)
        seen += page.rows
        if (after := page.next_cursor) is None:
            break
    assert len({row["id"] for row in seen}) == len(seen) == 135
    values = [row[order.removeprefix("-")] for row in seen]
    known = [value for value in values if value is not None]
    assert known == sorted(known, reverse=order.startswith("-"))
    assert values[len(known) :] == [None] * (len(values) - len(known)), "what is missing comes last"


@pytest.mark.usefixtures("letters")
async def test_a_page_is_filtered_and_its_file_holds_the_same_rows(desk: Desk) -> None:
    browser = await desk.browser("otto")
    page = await browser.get("/dead", params={"f.service": "ledger", "f.subject": "f3"})
    on_page = set(re.findall(r"/dead/ledger/([0-9a-f-]{36})", page.text))
    file = await browser.get("/dead", params={"f.service": "ledger", "f.subject": "f3", "as": "csv"})
    lines = file.text.splitlines()
    assert file.headers["content-type"].startswith("text/csv")
    assert len(on_page) == len(lines) - 1 > 0
    assert all(letter in file.text for letter in on_page)


async def test_every_list_can_be_asked_by_each_of_its_columns_and_from_each_of_its_rows(
    open_db: OpenDatabase,
) -> None:
    days = {"since": AT.date(), "until": AT.date()}
    async with open_db("console").transaction() as tx:
        for listing in listings():
            if not listing.sql or listing.name.startswith("my-"):
                continue
            given = days if ":since" in listing.sql else None
            for column in listing.columns:
                for order in () if column.unsorted else (column.name, f"-{column.name}"):
                    value = a_key(listing) if column.name == listing.key else a_value(column)
                    asked = Question(order=order, after=(value, a_key(listing)))
                    await tables.page(tx, listing, asked, zone="UTC", given=given)
            for name, column in tables.filter_names(listing):
                text = column.choices[0] if column.choices else "2026-05-22"
                asked = question(listing, {f"f.{name}": text})
                await tables.page(tx, listing, asked, zone="UTC", given=given)


def a_value(column: Column) -> Any:
    """What a cursor may hold of this column."""
    kinds = {"money": 1, "number": 1, "hours": 1, "flag": True, "instant": AT, "date": AT.date()}
    return kinds.get(column.kind, "x")


def a_key(listing: Listing) -> UUID | str:
    return UUID(int=1) if listing.key_kind == "uuid" else "x"


_OWING = """
    SET session_replication_role = replica;
    UPDATE receivables.school SET time_zone = 'UTC', currency = 'USD';
    INSERT INTO receivables.item (student, currency, document, amount, open, booked_on, due_on)
    SELECT 'past-' || n % 70, 'USD', 'flight:F' || n, due.amount, due.amount, due.day, due.day
    FROM generate_series(1, 210) AS n
    CROSS JOIN LATERAL (SELECT 100 * (n % 5) - 350 AS amount, current_date + 20 - n % 60 AS day) AS due
    WHERE due.amount <> 0
"""


async def test_a_first_page_that_computes_its_own_rows_has_those_of_all(
    database_url: str, open_db: OpenDatabase
) -> None:
    owner = await asyncpg.connect(database_url)
    await owner.execute(_OWING)
    await owner.close()
    asked = question(AGEING, {})
    async with open_db("console").transaction() as tx:
        everybody = await tables.everything(tx, AGEING, asked, zone="UTC")
        first = await tables.page(tx, AGEING, asked, zone="UTC")
    assert len({row["overdue"] for row in everybody}) < len(everybody) == 70, "some owe the same"
    assert list(first.rows) == everybody[: tables.PAGE]
    assert first.next_cursor is not None


_BILLED = """
    SET session_replication_role = replica;
    INSERT INTO billing.bill (id, flight_id, revision, fingerprint, corrects, student, aircraft, billed_on,
                              occurred_at, currency, charge, legs_total, margin, hours_from, billed_tenths,
                              facts, rates, lines, legs, flags, school_version, billed_at, kind, reason,
                              made_by, priced_by)
    SELECT CAST('00000000-0000-7000-8000-00000000000' || at AS uuid), flight, revision, 'f' || at,
           CASE WHEN revision > 1 THEN CAST('00000000-0000-7000-8000-000000000001' AS uuid) END,
           CASE WHEN flight = 'F1' THEN 'anna' ELSE 'anna-2' END, 'N1',
           date '2026-03-01', now(), 'USD', charge, 0, charge, 'hobbs', 10, '{}', '[]', '[]', '[]', '[]', 1,
           now(), kind, said, said, CASE WHEN revision > 1 THEN 'bill' END
    FROM (VALUES (1, 'F1', 1, 1000, 'completed', NULL), (2, 'F1', 2, 700, 'corrected', 'wrong'),
                 (3, 'F2', 1, 500, 'completed', NULL), (4, 'F3', 1, 900, 'completed', NULL),
                 (5, 'F3', 2, 0, 'cancelled', 'wrong')) AS of (at, flight, revision, charge, kind, said)
"""


async def test_a_days_sums_are_of_the_bills_in_force(database_url: str, open_db: OpenDatabase) -> None:
    owner = await asyncpg.connect(database_url)
    await owner.execute(_BILLED)
    await owner.close()
    day = date(2026, 3, 1)
    async with open_db("console").transaction() as tx:
        found = await school.days(tx, since=day, until=day + timedelta(days=1))
    assert found == [{"day": day, "currency": "USD", "flights": 2, "charged": 1200, "margin": 1200}]


async def test_margins_are_the_sums_of_the_flights_that_they_lead_to(
    desk: Desk, database_url: str, open_db: OpenDatabase
) -> None:
    owner = await asyncpg.connect(database_url)
    await owner.execute(_BILLED)
    await owner.close()
    period = {"since": date(2026, 3, 1), "until": date(2026, 3, 31)}
    async with open_db("console").transaction() as tx:
        for by, expected in (
            ("student", {"anna": 700, "anna-2": 500}),
            ("aircraft", {"N1": 1200}),
            ("model", {"": 1200}),
            ("instructor", {None: 1200}),
            ("month", {"2026-03": 1200}),
        ):
            listing = margins.LISTINGS[by]
            found = await tables.page(tx, listing, question(listing, {}), zone="UTC", given=period)
            assert {row["thing"]: row["margin"] for row in found.rows} == expected
        [together] = await margins.totals(tx, **period)
        assert (together["flights"], together["charged"], together["share"]) == (2, 1200, 100)
        drilled = question(FLIGHTS, {"f.student": '"anna"'})
        found = await tables.page(tx, FLIGHTS, drilled, zone="UTC")
        assert [row["margin"] for row in found.rows] == [700]
        part = await tables.page(tx, FLIGHTS, question(FLIGHTS, {"f.student": "anna"}), zone="UTC")
        assert len(part.rows) == 3
    ada = await desk.browser("ada")
    page = (await ada.get("/margin/student?since=2026-03-01&until=2026-03-31")).text
    assert (
        "/flights?f.student=%22anna%22&amp;f.billed_on.from=2026-03-01&amp;f.billed_on.to=2026-03-31" in page
    )
    assert (await ada.get("/margin/nothing")).status_code == 404
    file = await ada.get("/margin/student?since=2026-03-01&until=2026-03-31&as=csv")
    assert file.text.splitlines()[1].startswith('"anna",1,')
