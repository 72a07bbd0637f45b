"""A change of rates is shown by what it does to flights that are billed, and changes nothing."""

from datetime import date

import pytest

from fleet.database import Database
from services.billing.desk.rate_changes import UnfitCard, would_change
from services.billing.desk.reads import whole_book
from tests.conftest import OpenDatabase
from tests.integration.billing.given import CHANGES, completed, given_billed, given_school, rows
from tests.integration.console.conftest import Desk

AIRCRAFT = next(dict(one["new"]) for one in CHANGES if one["kind"] == "aircraft")
MAY = {"since": date(2026, 5, 1), "until": date(2026, 5, 31)}


@pytest.fixture
async def billed(open_db: OpenDatabase) -> Database:
    db = open_db("billing")
    await given_school(db)
    await given_billed(db, completed())
    return db


async def test_a_change_is_priced_by_the_flights_of_a_month(billed: Database) -> None:
    async with billed.transaction() as tx:
        same = await would_change(tx, "aircraft", "N364MA", AIRCRAFT, **MAY)
        dearer = await would_change(tx, "aircraft", "N364MA", AIRCRAFT | {"rate_per_hour": 17500}, **MAY)
    assert (same.flights, same.changed, same.refused) == (1, [], [])
    [one] = dearer.changed
    differences = one.differences()
    assert differences["student:student-01"] == -13_73, "1.3 hours at 10.00 more, and 5.6 % tax"
    assert differences["platform:school"] == 13_00
    assert sum(differences.values()) == 0


async def test_a_card_that_the_book_would_not_take_is_said(billed: Database) -> None:
    async with billed.transaction() as tx:
        with pytest.raises(UnfitCard, match="does not use bundle_per_hour"):
            await would_change(tx, "aircraft", "N364MA", AIRCRAFT | {"bundle_per_hour": 1}, **MAY)


async def test_the_page_shows_it_and_writes_nothing(desk: Desk, billed: Database) -> None:
    ada = await desk.browser("ada")
    page = "/rate-changes/aircraft/N364MA"
    assert page in (await ada.get("/rates/aircraft/N364MA")).text
    assert "becomes" not in (await ada.get(page)).text
    shown = (await ada.get(f"{page}?p.rate_per_hour=175")).text
    assert "165.00 becomes 175.00" in shown
    assert "/flights/F123" in shown
    assert "is an amount such as" in (await ada.get(f"{page}?p.rate_per_hour=much")).text
    assert (await ada.get("/rate-changes/student/student-01")).status_code == 404
    async with billed.transaction() as tx:
        assert (await whole_book(tx)).version == 1
    assert len(await rows(billed, "SELECT id FROM bill")) == 1
