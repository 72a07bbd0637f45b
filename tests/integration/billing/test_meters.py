"""Meters that nobody read, and meters that rolled over: bills, their columns, and the chain."""

from collections.abc import AsyncIterator
from datetime import date
from itertools import permutations

import pytest

from fleet import dead_letters
from fleet.database import Database
from fleet.envelope import Record
from fleet.invariants import ask_all, service_invariants
from fleet.redrives import as_it_was
from fleet.settings import Settings
from hobbs.check.recompute import explain_flight
from services.billing.handlers import configure_school
from tests.conftest import OpenDatabase
from tests.integration.billing.given import CHANGES, configured, given_billed, given_school, rows, solo
from tests.support.letters import open_letters
from tests.support.records import record


@pytest.fixture
async def owner(database_url: str) -> AsyncIterator[Database]:
    """The database's owner: may do what no service may."""
    database = Database(database_url, schema="billing", pool_size=1)
    yield database
    await database.close()


FLAGS = "SELECT flight_id, kind, meter, tenths FROM billing_public.flags ORDER BY 1, 2"
FOUR_DIGITS = CHANGES[-1] | {"new": CHANGES[-1]["new"] | {"hobbs_digits": 4}}


def at(hour: int) -> dict[str, str]:
    return {"departed_at": f"2026-05-22T{hour:02d}:00:00Z", "arrived_at": f"2026-05-22T{hour:02d}:50:00Z"}


def around_the_end() -> list[Record]:
    """An hour long ago by the meter, then up to its end, past it, and on."""
    read = [("100.0", "101.0"), ("9998.0", "9999.8"), ("9999.8", "0.9"), ("0.9", "2.0"), ("2.0", "3.0")]
    return [solo(n, *pair, **at(10 + n)) for n, pair in enumerate(read)]


async def broken(db: Database) -> list[str]:
    return [o.invariant.name for o in await ask_all(db, service_invariants("billing")) if not o.holds]


@pytest.mark.parametrize("order", [*permutations(range(1, 5))][::5])
async def test_a_chain_goes_on_after_its_meter_rolled_over(
    open_db: OpenDatabase, order: tuple[int, ...]
) -> None:
    db, flights = open_db("billing"), around_the_end()
    await configure_school(db, [configured(1, [*CHANGES[:-1], FOUR_DIGITS])])
    for n in (0, *order):
        await given_billed(db, flights[n])
    assert [tuple(row.values()) for row in await rows(db, FLAGS)] == [
        ("S0001", "meter_gap", "hobbs", 98_970),
        ("S0002", "meter_rolled_over", None, None),
    ]
    (rolled,) = await rows(
        db, "SELECT hobbs_out, hobbs_in, billed_tenths, facts FROM bill WHERE flight_id = 'S0002'"
    )
    assert (rolled["hobbs_out"], rolled["hobbs_in"], rolled["billed_tenths"]) == (99_998, 100_009, 11)
    assert rolled["facts"]["hobbs_in"] == 9
    shown = "SELECT in_tenths, reached_tenths FROM billing_public.meter_chain WHERE flight_id = 'S0002'"
    assert [tuple(row.values()) for row in await rows(db, shown)] == [(9, 99_998)]
    assert await broken(db) == []


async def test_meters_nobody_read_are_in_no_chain(open_db: OpenDatabase) -> None:
    db = open_db("billing")
    await given_school(db)
    told = {"flight_hours": "1.3", **at(12)}
    await given_billed(db, solo(1, "1253.6", "1254.9"), solo(2, "0.00", "0.00", **told))
    bills = "SELECT flight_id, charge, hours_from, hobbs_out FROM bill ORDER BY 1"
    assert [tuple(row.values()) for row in await rows(db, bills)] == [
        ("S0001", 22651, "hobbs", 12_536),
        ("S0002", 22651, "logged", None),
    ]
    assert await rows(db, FLAGS) == []
    assert await broken(db) == []
    await given_billed(db, solo(2, "0.00", "0.00", **told))  # again, as published
    assert await rows(db, "SELECT reason FROM dead_letter") == []


async def test_a_flight_refused_for_a_rollover_is_billed_when_the_card_says_the_digits(
    open_db: OpenDatabase, database_url: str
) -> None:
    db = open_db("billing")
    await given_school(db)
    await given_billed(db, solo(7, "9999.8", "0.9"))
    async with db.transaction() as tx:
        (letter,) = await open_letters(tx)
    assert letter.reason == "meter_in_before_out"
    assert "hobbs_digits = 4" in letter.sentence
    await configure_school(db, [configured(2, [FOUR_DIGITS])])
    async with db.transaction() as tx:
        await dead_letters.redrive(tx, [letter.id], who="finance")
    (sent,) = await rows(db, "SELECT value, raw_headers FROM outbox WHERE topic = 'billing.redrive'")
    again = record("billing.redrive", bytes(sent["value"]), headers=sent["raw_headers"])
    await given_billed(db, as_it_was(again))
    assert [row["charge"] for row in await rows(db, "SELECT charge FROM bill")] == [19166]
    explained = await explain_flight(Settings(database_url=database_url, kafka_bootstrap="none:1"), "S0007")
    assert explained is not None
    assert [finding for finding in explained.findings if "not posted" not in finding] == []


async def test_a_bill_that_is_older_than_the_rule_explains_itself(
    open_db: OpenDatabase, owner: Database, database_url: str
) -> None:
    """The release before billed 0.0 by such a meter; the facts are the same, and so is the price."""
    db = open_db("billing")
    await given_school(db)
    await given_billed(db, solo(1, "500.0", "500.0", flight_hours="1.3"))
    async with owner.transaction() as tx:
        await tx.execute("ALTER TABLE billing.bill DISABLE TRIGGER USER")
        await tx.execute(
            "UPDATE billing.bill SET hobbs_out = 0, hobbs_in = 0,"
            " facts = jsonb_set(jsonb_set(facts, '{hobbs_out}', '0'), '{hobbs_in}', '0')"
        )
        await tx.execute("ALTER TABLE billing.bill ENABLE TRIGGER USER")
    explained = await explain_flight(Settings(database_url=database_url, kafka_bootstrap="none:1"), "S0001")
    assert explained is not None
    assert (explained.charge, explained.hours["from"]) == (0, "hobbs")
    assert [finding for finding in explained.findings if "not posted" not in finding] == []
    assert [row["kind"] for row in await rows(db, FLAGS)] == ["meter_mismatch"]


RATES = """
    SELECT document ->> 'country' AS country FROM billing_public.current_rates(CAST(:day AS date))
    WHERE kind = 'owner'
"""


@pytest.mark.parametrize(("day", "country"), [(date(2026, 11, 30), "US"), (date(2026, 12, 1), "DE")])
async def test_the_cards_in_force_are_those_of_the_day_that_is_asked_about(
    open_db: OpenDatabase, day: date, country: str
) -> None:
    later = {"kind": "owner", "key": "owner-01", "effective_from": "2026-12-01", "new": {"country": "DE"}}
    await given_school(open_db("billing"), later)
    assert await rows(open_db("operator"), RATES, day=day) == [{"country": country}]


LOCAL_DATES = """
    SELECT schemaname || '.' || viewname AS name FROM pg_views
    WHERE schemaname NOT IN ('pg_catalog', 'information_schema') AND definition ~* 'time zone|current_date'
    UNION ALL
    SELECT pg_proc.oid::regprocedure::text FROM pg_proc JOIN pg_namespace ON pg_namespace.oid = pronamespace
    WHERE nspname !~ '^(pg_|information_schema)' AND prosrc ~* 'at time zone (?!''UTC'')|current_date'
"""


async def test_no_view_or_function_of_ours_computes_a_local_date(owner: Database) -> None:
    """PostgreSQL's copy of the time zone data is as old as the server: dates are handed to it."""
    assert await rows(owner, LOCAL_DATES.replace(":", r"\:")) == []
