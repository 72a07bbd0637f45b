"""What people ask of billing needs no right but reading its published views."""

from collections.abc import AsyncIterator
from datetime import date

import pytest

from fleet import dead_letters
from fleet.database import Database
from services.billing.desk import reads
from services.billing.domain.billing import decide_bill
from services.billing.domain.bills import Bill, lines_and_legs
from services.billing.domain.flights import flight_from_facts
from services.billing.handlers import configure_school
from tests.conftest import OpenDatabase
from tests.integration.billing.given import CHANGES, completed, configured, given_billed, given_school
from tests.support.databases import service_url
from tests.support.records import record


@pytest.fixture
async def reader(database_url: str) -> AsyncIterator[Database]:
    """The database as somebody who may only read what is published."""
    url = service_url(database_url, "operator")
    database = Database(url, schema="billing_public", role="hobbs_reader", pool_size=1)
    yield database
    await database.close()


@pytest.fixture
async def billing(open_db: OpenDatabase) -> Database:
    """The small school with two flights billed and two refused, one of which no record can be read of."""
    db = open_db("billing")
    await given_school(db)
    meterless = {"hobbs_out": None, "hobbs_in": None, "flight_hours": "1.3"}
    await given_billed(
        db,
        completed(),
        completed(flight_id="F:124", date="2026-05-23", departed_at=None, arrived_at=None, **meterless),
        completed(flight_id="F:9", aircraft="N0", revision=3),
        record("flight.completed", b"nothing"),
    )
    return db


@pytest.mark.usefixtures("billing")
async def test_billed_flights_are_narrowed_and_the_days_of_a_span_belong_to_it(reader: Database) -> None:
    async with reader.transaction() as tx:
        every = await reads.billed_flights(tx)
        first = await reads.billed_flights(tx, since=date(2026, 5, 22), until=date(2026, 5, 22))
        nobody = await reads.billed_flights(tx, student="student-02")
        flagged = await reads.billed_flights(tx, flagged=True)
        one = await reads.billed_flights(tx, most=1)
    assert (every[0].flight_id, every[0].charge) == ("F123", 36151)
    assert [flight.flight_id for flight in every] == ["F123", "F:124"]
    assert [flight.flight_id for flight in first] == ["F123"]
    assert nobody == []
    assert [flight.flight_id for flight in flagged] == []
    assert len(one) == 1


@pytest.mark.usefixtures("billing")
async def test_a_refused_flight_is_named_whatever_stands_in_its_id(reader: Database) -> None:
    async with reader.transaction() as tx:
        refused = await reads.refused_flights(tx)
        named = await reads.refused_flights(tx, flight_id="F:9")
    assert [(one.flight_id, one.revision, one.reason) for one in named] == [("F:9", 3, "unknown_aircraft")]
    assert {(one.flight_id, one.reason) for one in refused} == {
        ("F:9", "unknown_aircraft"),
        (None, "not_json"),
    }


async def test_a_refused_flight_that_was_redriven_is_no_longer_listed(
    billing: Database, reader: Database
) -> None:
    async with billing.transaction() as tx:
        rows = await tx.all("SELECT id FROM dead_letter WHERE subject = 'flight:F:9:3'")
        await dead_letters.redrive(tx, [row.id for row in rows], who="finance")
    async with reader.transaction() as tx:
        assert [one.flight_id for one in await reads.refused_flights(tx)] == [None]


@pytest.mark.usefixtures("billing")
async def test_a_flights_bill_has_its_lines_legs_and_flags(reader: Database) -> None:
    async with reader.transaction() as tx:
        (stored,) = await reads.bills_of_flight(tx, "F123")
        assert await reads.bills_of_flight(tx, "F404") == []
    assert stored.bill["charge"] == sum(line["amount"] for line in stored.lines) == 36151
    assert sum(leg["amount"] for leg in stored.legs) == stored.bill["legs_total"]


async def test_a_bill_is_priced_again_from_the_card_versions_it_names(
    billing: Database, reader: Database
) -> None:
    dearer = [change | {"new": change["new"] | {"rate_per_hour": 1}} for change in CHANGES[-1:]]
    await configure_school(billing, [configured(2, dearer)])
    async with reader.transaction() as tx:
        (stored,) = await reads.bills_to_explain(tx, "F123")
        cards = await reads.cards_named(tx, stored.rates)
    book = reads.book_of_cards(cards, version=stored.school_version)
    again = decide_bill(flight_from_facts(stored.facts), book)
    assert isinstance(again, Bill)
    assert lines_and_legs(again) == (stored.lines, stored.legs)


async def test_the_book_its_history_and_the_bills_that_a_card_priced_are_read(
    billing: Database, reader: Database
) -> None:
    await configure_school(billing, [configured(2, [{"kind": "student", "key": "student-02", "new": {}}])])
    priced, later = ("aircraft", "N364MA", date(2026, 5, 23)), ("aircraft", "N364MA", date(2026, 5, 24))
    async with reader.transaction() as tx:
        book = await reads.whole_book(tx)
        history = await reads.card_history(tx, kind="student")
        bills = await reads.bills_priced_by(tx, [priced, later])
    assert (book.version, book.currency(), book.time_zone()) == (2, "USD", "America/New_York")
    assert len(book.cards) == len(CHANGES) + 1
    assert book.in_force(date(1899, 12, 31)) == []
    assert book.in_force(date(2026, 5, 22)) == book.cards
    assert [(one.version, one.key, one.old, one.new) for one in history] == [
        (1, "student-01", None, {}),
        (2, "student-02", None, {}),
    ]
    assert bills == {priced: 1}
