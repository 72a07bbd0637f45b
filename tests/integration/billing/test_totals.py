"""Whole logs through the database: what the ledger is asked for agrees with the second calculator."""

import csv
import random
from collections.abc import Sequence
from decimal import Decimal

import pytest

from fleet.database import Database
from fleet.envelope import Record
from hobbs.flights.file import read_flights_file
from hobbs.school.book import parts_of, question
from hobbs.school.difference import differences
from hobbs.school.file import read_school_file
from services.billing.desk import reads
from services.billing.desk.decisions import ACTIONS
from services.billing.handlers import bill_flights
from tests.conftest import OpenDatabase
from tests.integration.billing.given import rows
from tests.support.decisions import answered, decision
from tests.support.records import record
from tests.unit.billing.independent import calculate
from tests.unit.billing.test_independent import EXAMPLE, a_log, a_school


async def apply(db: Database, school: str) -> None:
    """Apply a school.toml as the operator's command does, without Kafka."""
    stated = read_school_file(school)
    assert stated.problems == []
    async with db.transaction() as tx:
        book = await reads.whole_book(tx)
    for n, part in enumerate(parts_of(differences(stated.cards, book.cards))):
        asked = question(part, book.version + n, who="finance", why="a test")
        sent = decision("billing", asked.action, asked.object, asked.parameters, who=asked.who, why=asked.why)
        assert (await answered(db, ACTIONS, sent)).outcome == "done"
    async with db.transaction() as tx:
        book = await reads.whole_book(tx)
    assert differences(stated.cards, book.cards) == []


def records_of(log: str) -> Sequence[Record]:
    read = read_flights_file(log.encode(), jsonl=False)
    return [record("flight.completed", one.flight, key=one.flight.flight_id) for one in read.flights]


async def totals(db: Database) -> dict[str, Decimal]:
    """What the ledger was asked to post, by wallet."""
    found = await rows(
        db,
        "SELECT entry ->> 'wallet' AS wallet, sum((entry ->> 'amount')::bigint) AS amount FROM outbox"
        " CROSS JOIN LATERAL jsonb_array_elements(convert_from(value, 'UTF8')::jsonb -> 'entries') AS entry"
        " WHERE topic = 'journal.requested' GROUP BY 1 HAVING sum((entry ->> 'amount')::bigint) <> 0",
    )
    return {row["wallet"]: Decimal(row["amount"]) / 100 for row in found}


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_the_ledger_is_asked_for_what_the_second_calculator_finds(
    open_db: OpenDatabase, seed: int
) -> None:
    db, chance = open_db("billing"), random.Random(seed)
    school, log = a_school(chance), a_log(chance, 400)
    await apply(db, school)
    records = records_of(log)
    for start in range(0, len(records), 150):
        await bill_flights(db, records[start : start + 150])
    books = calculate(school, csv.DictReader(log.splitlines()))
    assert await totals(db) == books.totals()
    billed = await rows(db, "SELECT flight_id FROM bill")
    assert {row["flight_id"] for row in billed} == set(books.flights)
    letters = await rows(db, "SELECT subject FROM dead_letter")
    assert {row["subject"] for row in letters} == {f"flight:{flight}:1" for flight in books.refused}


HEADER = (
    "flight_id,date,aircraft,student,instructor,hobbs_out,hobbs_in,tach_out,tach_in,"
    "flight_hours,dual_hours,ground_hours\n"
)


async def test_the_annotated_example_prices_every_model(open_db: OpenDatabase) -> None:
    db = open_db("billing")
    tails = ("N364MA", "N695SP", "N842SA", "N822KT", "N172TP", "N124ME", "REDBIRD-RBTD-2")
    flown = (
        "{0}-dual,2026-05-22,{0},student-01,instructor-01,10.0,11.3,5.0,6.1,1.3,1.5,0.5\n",
        "{0}-solo,2025-05-22,{0},student-02,,11.3,12.0,6.1,6.8,0.7,0,0\n",
    )
    log = HEADER + "".join(line.format(tail) for tail in tails for line in flown)
    school = EXAMPLE.read_text()
    await apply(db, school)
    await bill_flights(db, records_of(log))
    books = calculate(school, csv.DictReader(log.splitlines()))
    assert len(books.flights) == 14
    assert await totals(db) == books.totals()
