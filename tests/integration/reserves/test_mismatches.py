"""Flights compared three ways: what billing, the ledger and payouts have made of real records."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from fleet.database import Database
from fleet.envelope import Record
from schemas.services import SERVICES
from services.ledger.handlers import post_journals
from services.payouts.domain.accounts import AccountPolicy, AccountsApi
from services.payouts.handlers import configure_payees, record_payables
from services.reserves.desk.decisions import ACTIONS
from services.reserves.desk.reads.mismatches import by_aircraft, mismatches
from services.reserves.steps.mismatches import match_flights
from tests.conftest import OpenDatabase
from tests.integration.billing.given import (
    cancelled,
    completed,
    given_billed,
    given_cancelled,
    given_school,
    solo,
)
from tests.support.decisions import answered, decision
from tests.support.records import record

DAY = date(2026, 5, 25)


@dataclass(frozen=True, slots=True, kw_only=True)
class School:
    """The services of one database, each as its own role, and an owner who may break things."""

    of: Mapping[str, Database]
    owner: asyncpg.Connection

    async def fly(self, *flights: Record, books: bool = True, payees: bool = True) -> None:
        """Bill flights, and pass on what each service staged, as far as the next ones work."""
        await given_billed(self.of["billing"], *flights)
        if books:
            await post_journals(self.of["ledger"], await self.taken("billing", "journal.requested"))
            if payees:
                await record_payables(self.of["payouts"], await self.taken("ledger", "journal.posted"))

    async def taken(self, service: str, topic: str) -> list[Record]:
        """What a service staged for a topic, which is then gone from its outbox."""
        sql = f"DELETE FROM {service}.outbox WHERE topic = $1 RETURNING id, value"  # noqa: S608 - our names
        rows = await self.owner.fetch(sql, topic)
        return [record(topic, row["value"]) for row in sorted(rows, key=lambda row: row["id"])]

    async def compared(
        self, *, later: timedelta = timedelta(hours=2)
    ) -> list[tuple[str, str, int, int | None]]:
        """Kind, flight, money and tenths of what is open once the flights were compared."""
        await match_flights(self.of["reserves"], DAY, now=datetime.now(UTC) + later)
        return [(row["kind"], row["flight"], row["amount"], row["tenths"]) for row in await self.open()]

    async def open(self, *, every: bool = False) -> list[dict[str, Any]]:
        async with self.of["reserves"].transaction() as tx:
            return await mismatches(tx, every=every, aircraft=None, most=100)


@pytest.fixture
async def school(open_db: OpenDatabase, database_url: str) -> AsyncIterator[School]:
    owner = await asyncpg.connect(database_url)
    made = School(of={name: open_db(name) for name in SERVICES}, owner=owner)
    await given_school(made.of["billing"])
    accounts = AccountPolicy(api=AccountsApi.V2, country="US", recipient_alone=False)
    await configure_payees(
        made.of["payouts"], await made.taken("billing", "school.accepted"), accounts=accounts
    )
    yield made
    await owner.close()


async def test_flights_that_went_all_the_way_agree(school: School) -> None:
    await school.fly(completed(), solo(1, "1254.9", "1256.0"), solo(2, "1256.0", "1256.4"))
    assert await school.compared() == []


async def test_what_is_on_its_way_is_no_mismatch_yet_and_one_an_hour_later(school: School) -> None:
    await school.fly(completed(), books=False)
    assert await school.compared(later=timedelta()) == []
    [(kind, flight, amount, _)] = await school.compared()
    assert (kind, flight) == ("not_in_the_books", "F123")
    assert amount > 0
    await school.fly()
    assert await school.compared() == []
    assert [row["state"] for row in await school.open(every=True)] == ["closed"]


async def test_tenths_on_no_bill_and_on_two_cost_what_the_next_flight_s_hour_does(school: School) -> None:
    await school.fly(completed(), solo(1, "1256.1", "1257.0"), solo(2, "1256.8", "1257.5"))
    assert await school.compared() == [
        ("unbilled", "S0001", 12 * 1650, 12),
        ("billed_twice", "S0002", 2 * 1650, 2),
    ]
    await school.fly(solo(3, "1254.9", "1256.1"))
    assert await school.compared() == [("billed_twice", "S0002", 2 * 1650, 2)]


async def test_a_flight_inside_another_is_on_two_bills_for_its_own_time_alone(school: School) -> None:
    await school.fly(solo(1, "1250.0", "1255.0"), solo(2, "1251.0", "1251.3"))
    assert await school.compared() == [("billed_twice", "S0002", 3 * 1650, 3)]


async def test_a_journal_of_no_bill_is_found(school: School) -> None:
    await school.fly(completed())
    await school.owner.execute("SET session_replication_role = replica")
    await school.owner.execute("DELETE FROM billing.bill")
    [(kind, flight, amount, _)] = await school.compared()
    assert (kind, flight) == ("not_billed", "F123")
    assert amount > 0


async def test_a_payee_of_whom_payouts_was_not_told_is_found(school: School) -> None:
    await school.fly(completed(), payees=False)
    assert sorted(await school.compared()) == [
        ("not_owed", "F123", 8_750, None),
        ("not_owed", "F123", 15_600, None),
    ]


@pytest.mark.parametrize(("owed", "kind", "amount"), [(9_000, "paid_twice", 250), (8_700, "not_owed", 50)])
async def test_a_payee_who_is_owed_another_amount_is_found(
    school: School, owed: int, kind: str, amount: int
) -> None:
    await school.fly(completed())
    await school.owner.execute("ALTER TABLE payouts.payable DISABLE TRIGGER USER")
    await school.owner.execute(
        "UPDATE payouts.payable SET amount = $1 WHERE wallet = 'instructor:instructor-01'", owed
    )
    assert await school.compared() == [(kind, "F123", amount, None)]


async def test_books_that_have_another_amount_than_the_bill_are_found(school: School) -> None:
    await school.fly(completed())
    await school.owner.execute("SET session_replication_role = replica")
    await school.owner.execute(
        """UPDATE billing.bill SET legs = (
               SELECT jsonb_agg(CASE leg ->> 'kind' WHEN 'instruction'
               THEN jsonb_set(leg, '{amount}', '6850') ELSE leg END)
               FROM jsonb_array_elements(legs) AS leg)"""
    )
    assert await school.compared() == [("books_differ", "F123", 100, None)]


async def test_what_is_not_sent_after_a_week_says_why_and_a_cancelled_flight_does_not(school: School) -> None:
    await school.fly(completed())
    found = await school.compared(later=timedelta(days=8))
    assert sorted((kind, amount) for kind, _, amount, _ in found) == [
        ("not_paid", 8_750),
        ("not_paid", 15_600),
    ]
    assert all("not sent after 7 days" in row["sentence"] for row in await school.open())
    await given_cancelled(school.of["billing"], cancelled())
    assert await school.compared(later=timedelta(days=8)) == []


async def test_an_explanation_stands_until_the_mismatch_changes(school: School) -> None:
    await school.fly(completed(), solo(1, "1256.1", "1257.0"))
    await school.compared()
    [gap] = await school.open()
    told = await explained(school, str(gap["mismatch"]), "ferried by the mechanic")
    assert told == "done"
    assert await school.compared() == []
    [row] = await school.open(every=True)
    assert (row["state"], row["reason"], row["reason_by"]) == ("explained", "ferried by the mechanic", "ann")
    await school.fly(solo(2, "1254.9", "1255.3"))
    assert await school.compared() == [("unbilled", "S0001", 8 * 1650, 8)]
    async with school.of["reserves"].transaction() as tx:
        [aircraft] = await by_aircraft(tx)
    assert (aircraft["aircraft"], aircraft["number"], aircraft["open"], aircraft["tenths"]) == (
        "N364MA",
        1,
        1,
        8,
    )


@pytest.mark.parametrize(("named", "why"), [("99", "looked"), ("x", "looked"), ("1", " ")])
async def test_what_cannot_be_explained_is_refused(school: School, named: str, why: str) -> None:
    await school.fly(completed(), solo(1, "1256.1", "1257.0"))
    await school.compared()
    [gap] = await school.open()
    assert await explained(school, named if named != "1" else str(gap["mismatch"]), why) == "refused"
    assert [row["state"] for row in await school.open(every=True)] == ["open"]


async def test_two_runs_at_once_keep_each_mismatch_once(school: School) -> None:
    await school.fly(completed(), solo(1, "1256.1", "1257.0"))
    now = datetime.now(UTC) + timedelta(hours=2)
    await asyncio.gather(*(match_flights(school.of["reserves"], DAY, now=now) for _ in range(4)))
    assert len(await school.open(every=True)) == 1


async def explained(school: School, named: str, why: str) -> str:
    asked = decision("reserves", "explain", named, who="ann", why=why)
    return (await answered(school.of["reserves"], ACTIONS, asked)).outcome
