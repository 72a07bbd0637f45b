"""Lists over a real database: sorted both ways, filtered, paged without a row twice or never, exported."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest

from console.reads import tables
from console.reads.letters import LETTERS
from console.reads.tables import Listing, Question, question
from console.reads.transfers import PAYEES, TRANSFERS
from fleet.database import Tx
from schemas.services import SERVICES
from tests.conftest import OpenDatabase
from tests.integration.console.conftest import Desk

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


@pytest.mark.parametrize("listing", [TRANSFERS, PAYEES, LETTERS], ids=lambda one: one.name)
async def test_every_list_can_be_asked_by_each_of_its_columns(
    open_db: OpenDatabase, listing: Listing
) -> None:
    async with open_db("console").transaction() as tx:
        for column in listing.columns:
            for order in () if column.unsorted else (column.name, f"-{column.name}"):
                await tables.page(tx, listing, Question(order=order), zone="UTC")
        for name, column in tables.filter_names(listing):
            text = column.choices[0] if column.choices else "2026-05-22"
            await tables.page(tx, listing, question(listing, {f"f.{name}": text}), zone="UTC")
