"""Students' open items and their ageing: what the ledger posted, in whatever order it is read."""

import json
import random
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from itertools import permutations
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest

from fleet.database import Database
from fleet.envelope import Record
from services.ledger.handlers import post_journals, revert_journals
from services.receivables import handlers, metrics
from services.receivables.desk.reads import open_items
from services.receivables.domain.open_items import AGES, Item, open_amounts
from tests.conftest import OpenDatabase
from tests.integration.ledger.books import requested, told
from tests.integration.ledger.test_reverts_and_groups import undo
from tests.integration.ops.conftest import Hobbs
from tests.integration.receivables.credits import a_school, book
from tests.integration.receivables.stories import charge, dead_reasons, dispute, refund, webhook
from tests.support.records import record


@pytest.fixture
async def ledger(open_db: OpenDatabase) -> Database:
    return open_db("ledger")


def bill(flight: str, amount: int, *, student: str = "anna", revision: int = 1) -> Record:
    legs = ((f"student:{student}", -amount), ("platform:school", amount))
    return requested(f"flight:{flight}:{revision}", legs)


def correct(flight: str, amount: int, *, student: str = "anna", revision: int = 2) -> Record:
    """Give a student so much back of a flight; negative: bill more."""
    legs = ((f"student:{student}", amount), ("platform:school", -amount))
    return requested(f"adjustment:{flight}:{revision}", legs, event_type="adjustment")


def pay(number: str, amount: int, *, student: str = "anna") -> Record:
    legs = ((f"student:{student}", amount), ("external:bank", -amount))
    return requested(f"cash:{number}", legs, event_type="cash")


async def posts(ledger: Database, *asked: Record) -> list[Record]:
    """What the ledger announces of these requests, in their order."""
    before = len(await told(ledger))
    for one in asked:
        await (revert_journals if one.topic == "revert.requested" else post_journals)(ledger, [one])
    events = (await told(ledger))[before:]
    assert [event.topic for event in events] == ["journal.posted"] * len(asked)
    return [record(e.topic, e.value, ce_id=e.event_id, ce_source="hobbs/ledger", key=e.key) for e in events]


async def taken(db: Database, records: Sequence[Record]) -> None:
    for one in records:
        await handlers.take_journals(db, [one])


async def open_of(db: Database, student: str = "anna") -> dict[str, int]:
    """What is open of a student's items, by document."""
    async with db.transaction() as tx:
        rows = await open_items.items(tx, datetime.now().astimezone(), student=student)
    return {row["document"]: row["open"] for row in rows}


async def ages(db: Database, days: int, student: str = "anna") -> dict[str, Any]:
    """A student's ageing as it will be so many days from now at this hour of the school's clock; no zeros."""
    async with db.transaction() as tx:
        now = datetime.now(ZoneInfo("America/New_York"))
        [row] = await open_items.ageing(tx, now + timedelta(days=days), student=student)
    wanted = ("not_due", "days_1_30", "days_31_60", "days_61_90", "over_90", "owed", "overdue", "credit")
    return {name: row[name] for name in wanted if row[name]}


async def balance(ledger: Database, student: str = "anna") -> int:
    async with ledger.transaction() as tx:
        row = await tx.first(
            "SELECT balance FROM ledger_public.wallets WHERE address = :wallet", wallet=f"student:{student}"
        )
    return row.balance if row else 0


async def test_payments_settle_the_oldest_bill(db: Database, ledger: Database) -> None:
    asked = (bill("F1", 100), bill("F2", 200), bill("F3", 300), pay("1", 250))
    await taken(db, await posts(ledger, *asked))
    assert await open_of(db) == {"flight:F2": -50, "flight:F3": -300}


async def test_a_bill_is_due_by_the_policy_of_its_day_and_ages(db: Database, ledger: Database) -> None:
    await handlers.follow_book(db, [a_school(terms="net", terms_days=14)])
    await taken(db, await posts(ledger, bill("F1", 100)))
    assert await ages(db, 0) == {"not_due": 100, "owed": 100}
    for days, column in ((14, "not_due"), (15, "days_1_30"), (44, "days_1_30"), (45, "days_31_60")):
        assert (await ages(db, days))[column] == 100, days
    for days, column in ((74, "days_31_60"), (75, "days_61_90"), (104, "days_61_90"), (105, "over_90")):
        assert await ages(db, days) == {column: 100, "owed": 100, "overdue": 100}, days


@pytest.mark.parametrize(
    ("terms", "booked", "due"),
    [
        ({}, "2026-06-10", "2026-06-10"),
        ({"terms_days": 30}, "2026-06-10", "2026-07-10"),
        ({"terms": "end_of_month"}, "2028-02-01", "2028-02-29"),
        ({"terms": "end_of_month"}, "2026-12-31", "2026-12-31"),
        ({"terms": "end_of_month", "terms_days": 10}, "2026-06-30", "2026-07-10"),
    ],
)
async def test_the_book_says_when_a_bill_is_due(
    db: Database, terms: dict[str, Any], booked: str, due: str
) -> None:
    await handlers.follow_book(db, [a_school(**terms)])
    async with db.transaction() as tx:
        row = await tx.one("SELECT due_on(:day) AS due", day=date.fromisoformat(booked))
    assert row.due.isoformat() == due


async def test_without_a_policy_a_bill_is_due_at_once(db: Database, ledger: Database) -> None:
    await taken(db, await posts(ledger, bill("F1", 100)))
    assert await ages(db, 0) == {"not_due": 100, "owed": 100}
    assert await ages(db, 2) == {"days_1_30": 100, "owed": 100, "overdue": 100}


async def test_later_terms_do_not_move_what_is_billed(db: Database, ledger: Database) -> None:
    await handlers.follow_book(db, [a_school(terms_days=14)])
    await taken(db, await posts(ledger, bill("F1", 100)))
    await handlers.follow_book(db, [book(2, ("credit", "credit", "2026-01-01", {"terms_days": 60}))])
    await taken(db, await posts(ledger, correct("F1", -20)))
    assert await ages(db, 16) == {"days_1_30": 120, "owed": 120, "overdue": 120}


async def test_a_correction_belongs_to_its_bill(db: Database, ledger: Database) -> None:
    await taken(db, await posts(ledger, bill("F1", 100), bill("F2", 100), pay("1", 100)))
    assert await open_of(db) == {"flight:F2": -100}
    await taken(db, await posts(ledger, correct("F1", 30)))
    assert await open_of(db) == {"flight:F2": -70}
    await taken(db, await posts(ledger, correct("F2", 100)))
    assert await open_of(db) == {"cash:1": 30}
    assert await ages(db, 0) == {"credit": 30}


async def test_an_overpayment_is_credit_until_the_next_bill(db: Database, ledger: Database) -> None:
    await taken(db, await posts(ledger, bill("F1", 100), pay("1", 300)))
    assert await open_of(db) == {"cash:1": 200}
    await taken(db, await posts(ledger, bill("F2", 250)))
    assert await open_of(db) == {"flight:F2": -50}


async def test_what_is_refunded_of_a_payment_opens_its_bills_again(db: Database, ledger: Database) -> None:
    events = [
        webhook("charge.succeeded", charge()),
        webhook("refund.created", refund(amount=10_000)),
        webhook("charge.dispute.closed", dispute(status="lost", amount=30_000)),
    ]
    await taken(db, await posts(ledger, bill("F1", 40_000)))
    for event, left in zip(events, ({}, {"flight:F1": -10_000}, {"flight:F1": -40_000}), strict=True):
        await handlers.take_stripe_events(db, [event])
        await taken(db, await posts_of(ledger, db))
        assert await open_of(db) == left
    async with db.transaction() as tx:
        rows = await open_items.lines(tx, "anna", "charge:ch_1")
    assert sorted(row["amount"] for row in rows) == [-30_000, -10_000, 40_000]


async def posts_of(ledger: Database, db: Database) -> list[Record]:
    """What the ledger announces of all that receivables asked it for since."""
    async with db.transaction() as tx:
        rows = await tx.all(
            "DELETE FROM outbox WHERE topic = 'journal.requested' RETURNING id, value, key, event_id"
        )
    before = len(await told(ledger))
    for row in sorted(rows, key=lambda row: row.id):
        key = row.key.decode()
        await post_journals(ledger, [record("journal.requested", row.value, ce_id=row.event_id, key=key)])
    events = (await told(ledger))[before:]
    return [record(e.topic, e.value, ce_id=e.event_id, ce_source="hobbs/ledger", key=e.key) for e in events]


async def test_a_revert_belongs_to_what_it_takes_back_however_often(db: Database, ledger: Database) -> None:
    cash, bills = await posts(ledger, pay("1", 100)), await posts(ledger, bill("F1", 100))
    [back] = await posts(ledger, undo("cash:1"))
    await taken(db, [*cash, *bills, back])
    assert await open_of(db) == {"flight:F1": -100}
    async with ledger.transaction() as tx:
        row = await tx.one("SELECT source FROM ledger_public.reverts")
    await taken(db, await posts(ledger, undo(row.source)))
    assert await open_of(db) == {}
    async with db.transaction() as tx:
        assert len(await open_items.lines(tx, "anna", "cash:1")) == 3


async def test_in_any_order_the_items_are_the_same(db: Database, ledger: Database) -> None:
    for number, asked in enumerate(permutations((0, 1, 2, 3))):
        who = f"s{number}"
        records = await posts(
            ledger,
            bill(f"A{number}", 100, student=who),
            bill(f"B{number}", 150, student=who),
            correct(f"A{number}", 30, student=who),
            pay(f"{number}", 120, student=who),
        )
        await taken(db, [records[place] for place in asked])
        assert await open_of(db, who) == {f"flight:B{number}": -100}


async def test_journals_read_again_change_nothing(db: Database, ledger: Database) -> None:
    records = await posts(ledger, bill("F1", 100), pay("1", 40))
    await handlers.take_journals(db, records)
    again = [record(r.topic, r.value, ce_id=uuid4(), ce_source="hobbs/ledger") for r in records]
    await handlers.take_journals(db, [*records, *again])
    assert await open_of(db) == {"flight:F1": -60}


async def test_what_the_ledger_does_not_have_is_buried(db: Database, ledger: Database) -> None:
    [said] = await posts(ledger, bill("F1", 100))
    document = json.loads(said.value or b"")
    forged = record(
        said.topic, json.dumps(document | {"journal_id": str(uuid4())}).encode(), key="flight:F1:1"
    )
    unreadable = record(said.topic, b"{}", key="x")
    await handlers.take_journals(db, [forged, unreadable, said])
    assert await open_of(db) == {"flight:F1": -100}
    assert sorted(await dead_reasons(db)) == ["invalid", "not_in_the_ledger"]


async def test_journals_without_a_student_cost_nothing(db: Database, ledger: Database) -> None:
    legs = (("platform:school", -5), ("external:bank", 5))
    await taken(db, await posts(ledger, requested("rent:1", legs, event_type="rent", memo='the "student:x')))
    async with db.transaction() as tx:
        assert await tx.all("SELECT student FROM account") == []
    assert await dead_reasons(db) == []


async def test_more_open_items_than_are_looked_at_first(db: Database, ledger: Database) -> None:
    await taken(db, await posts(ledger, *(bill(f"F{n:03}", 10) for n in range(100))))
    await taken(db, await posts(ledger, pay("1", 155)))
    found = await open_of(db)
    assert (len(found), found["flight:F015"], "flight:F014" in found) == (85, -5, False)


async def test_the_database_says_what_the_rule_says(db: Database, ledger: Database) -> None:
    """Random journals of three students, read in a random order by batches of any size."""
    chance = random.Random(20260601)
    asked = []
    for n in range(120):
        who = chance.choice(("s1", "s2", "s3"))
        flight = f"F{chance.randrange(30)}-{who}"
        amount = chance.randrange(1, 500)
        kind = chance.choice(("bill", "pay", "correct", "correct"))
        if kind == "pay":
            asked.append(pay(str(n), amount, student=who))
        elif kind == "bill":
            asked.append(bill(flight, amount, student=who, revision=n))
        else:
            asked.append(correct(flight, chance.choice((1, -1)) * amount, student=who, revision=1000 + n))
    records = await posts(ledger, *asked)
    chance.shuffle(records)
    while records:
        size = chance.randrange(1, 20)
        await handlers.take_journals(db, records[:size])
        records = records[size:]
    for who in ("s1", "s2", "s3"):
        async with db.transaction() as tx:
            rows = await tx.all("SELECT due_on, document, amount FROM item WHERE student = :who", who=who)
        assert await open_of(db, who) == dict(
            open_amounts(Item(row.due_on, row.document, row.amount) for row in rows)
        )
        assert sum((await open_of(db, who)).values()) == await balance(ledger, who)


async def test_the_command_shows_items_and_ages(db: Database, ledger: Database, hobbs: Hobbs) -> None:
    await taken(db, await posts(ledger, bill("F1", 12_000), bill("F2", 500, student="ben"), pay("1", 2_000)))
    later = (datetime.now().astimezone().date() + timedelta(days=40)).isoformat()
    told_ages = await hobbs("accounts", "ageing", "--on", later, "-o", "json")
    rows = {row["student"]: row for row in json.loads(told_ages.stdout)}
    assert (rows["anna"]["days_31_60"], rows["anna"]["balance"]) == (10_000, -10_000)
    total = await hobbs("accounts", "ageing", "--total", "-o", "json")
    assert json.loads(total.stdout)[0] | {"students": 2, "owed": 10_500} == json.loads(total.stdout)[0]
    listed = await hobbs("accounts", "items", "anna", "--all", "-o", "json")
    assert [(r["document"], r["open"]) for r in json.loads(listed.stdout)] == [
        ("cash:1", 0),
        ("flight:F1", -10_000),
    ]
    table = await hobbs("accounts", "items", "anna", "--document", "flight:F1")
    assert "flight:F1:1" in table.stdout
    assert (await hobbs("accounts", "items", "anna", "--document", "flight:F9")).exit_code == 1
    assert (await hobbs("accounts", "ageing", "--on", "x")).exit_code == 2


async def test_the_gauges_say_what_is_owed_by_age(db: Database, ledger: Database) -> None:
    await handlers.follow_book(db, [a_school()])
    await taken(db, await posts(ledger, bill("F1", 300), bill("F2", 200, student="ben"), pay("1", 100)))
    await handlers.measure_ageing(db)
    assert [metrics.OWED.labels(age)._value.get() for age in AGES] == [400, 0, 0, 0, 0]


async def test_a_payment_pays_the_bill_that_its_metadata_name(db: Database, ledger: Database) -> None:
    await taken(db, await posts(ledger, bill("F1", 40_000), bill("F2", 30_000)))
    named = {"hobbs_student": "anna", "hobbs_bill": "F2"}
    nobodys = charge("ch_2", amount=1_000, amount_captured=1_000, metadata=named | {"hobbs_bill": "F99"})
    for paid in (charge(metadata=named), nobodys):
        for event in ("charge.succeeded", "charge.updated"):  # told twice, named once
            await handlers.take_stripe_events(db, [webhook(event, paid)])
    await taken(db, await posts_of(ledger, db))
    assert await open_of(db) == {"flight:F1": -29_000}
    async with db.transaction() as tx:
        assert len(await tx.all("SELECT bill FROM named_bill")) == 2
