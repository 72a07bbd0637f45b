"""Students are asked for what is overdue: each step once in a run, until it is paid or something stops it."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import asyncpg
import orjson
import pytest
from sqlalchemy.exc import DBAPIError

from fleet.database import Database
from schemas.decisions import DecisionTaken
from schemas.dunning import DunningRequested
from services.receivables import handlers, steps, store
from services.receivables.desk.decisions import ACTIONS
from services.receivables.desk.reads import dunning as reads
from tests.conftest import OpenDatabase
from tests.integration.adjustments.stories import decide as decide_about
from tests.integration.adjustments.stories import given_policy, propose, revised, states
from tests.integration.billing.given import rows
from tests.integration.ops.conftest import Hobbs
from tests.integration.receivables.credits import a_school
from tests.integration.receivables.stories import charge, dispute, webhook
from tests.integration.receivables.test_allowances import allow
from tests.integration.receivables.test_auto_charges import CARD, SETUP, allows, answer, charges
from tests.integration.receivables.test_auto_charges import asked as charges_asked
from tests.integration.receivables.test_dispatches import School, dispatched
from tests.integration.receivables.test_open_items import bill, pay, posts, taken
from tests.support.decisions import answered, decision
from tests.support.invariants import broken_invariants

STEPS = [
    {"name": "first", "days_overdue": 3, "action": "remind"},
    {"name": "card", "days_overdue": 5, "action": "charge_card"},
    {"name": "block", "days_overdue": 7, "action": "block_dispatch"},
]
ALWAYS = {"dunning_from_hour": 0, "dunning_until_hour": 24, "dunning_on_weekends": True}


@pytest.fixture
async def ledger(open_db: OpenDatabase, db: Database) -> Database:
    await handlers.follow_book(db, [a_school(dunning_steps=STEPS, **ALWAYS)])
    return open_db("ledger")


async def on_day(db: Database, days: int, *, hours: int = 0) -> None:
    """Do what is due so many days from now."""
    at = datetime.now(UTC) + timedelta(days=days, hours=hours)
    for who in get_args(steps.dunning.Who):
        async with db.transaction() as tx:
            students = await steps.dunning.due(tx, who, "", 1_000, at)
        for place in range(0, len(students), 2):
            async with db.transaction() as tx:
                await steps.dunning.go_on(tx, students[place : place + 2], at)


async def asked(db: Database) -> list[tuple[str, int, str, int]]:
    """Student, run, step and total of everything that was asked for."""
    found = await rows(db, "SELECT value FROM outbox WHERE topic = 'dunning.requested' ORDER BY id")
    events = [orjson.loads(row["value"]) for row in found]
    return [(e["student"], e["run"], e["step"], e["total"]) for e in events]


async def told(db: Database, student: str = "anna") -> list[str]:
    found = await rows(
        db,
        "SELECT what, step FROM dunning_history WHERE student = :student ORDER BY place",
        student=student,
    )
    return [row["step"] or row["what"] for row in found]


async def decide(db: Database, action: str, why: str = "asked", **said: Any) -> DecisionTaken:
    return await answered(db, ACTIONS, decision("receivables", action, "anna", said, why=why))


async def age(url: str, days: int) -> None:
    """Make all bills so many days older."""
    connection = await asyncpg.connect(url, server_settings={"search_path": "receivables"})
    for table, column in (("item_line", "booked_on"), ("item", "booked_on"), ("item", "due_on")):
        await connection.execute(f"UPDATE {table} SET {column} = {column} - {days}")  # noqa: S608
    await connection.close()


def day(days: int) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).date().isoformat()


async def test_all_that_is_overdue_is_asked_for_once_in_one_request(db: Database, ledger: Database) -> None:
    await taken(db, await posts(ledger, bill("F1", 10_000), bill("F2", 5_000), pay("1", 4_000)))
    await on_day(db, 2)
    assert await told(db) == ["begins"]
    await asyncio.gather(*(on_day(db, 4) for _ in range(4)))
    await on_day(db, 4)
    assert await asked(db) == [("anna", 1, "first", 11_000)]
    [row] = await rows(db, "SELECT value FROM outbox WHERE topic = 'dunning.requested'")
    event = orjson.loads(row["value"])
    assert [(one["document"], one["open"]) for one in event["bills"]] == [
        ("flight:F1", 6_000),
        ("flight:F2", 5_000),
    ]
    assert (event["bills_in_all"], event["action"]) == (2, "remind")
    await on_day(db, 8)  # the card is not there, so that step is passed over
    assert [one[2] for one in await asked(db)] == ["first", "block"]


async def test_a_request_is_written_as_its_model_would(db: Database, ledger: Database) -> None:
    """Its bills come from the database as JSON, whatever a document is called."""
    strange = bill('F"1\\é, {x}', 10_000)
    await taken(db, await posts(ledger, strange, bill("F2", 5_000)))
    await on_day(db, 4)
    [row] = await rows(db, "SELECT value FROM outbox WHERE topic = 'dunning.requested'")
    event = DunningRequested.model_validate_json(row["value"])
    assert row["value"] == event.model_dump_json().encode()
    assert {one.document for one in event.bills} == {'flight:F"1\\é, {x}', "flight:F2"}


async def test_a_request_names_one_page_to_pay_by_and_a_charge_names_none(
    db: Database, ledger: Database
) -> None:
    await handlers.take_stripe_events(db, [webhook("payment_method.attached", CARD)])
    await handlers.take_stripe_events(db, [webhook("setup_intent.succeeded", SETUP)])
    await allows(db, occasion="threshold", threshold=900_00)
    await taken(db, await posts(ledger, bill("F1", 10_000)))
    for days in (4, 6, 8):
        await on_day(db, days)
    found = await rows(db, "SELECT value FROM outbox WHERE topic = 'dunning.requested' ORDER BY id")
    links = {(event := orjson.loads(row["value"]))["step"]: event["link"] for row in found}
    assert links["card"] is None
    assert len({link for link in links.values() if link}) == len(links) - 1
    async with db.transaction() as tx:
        assert str(await reads.newest_page(tx, "anna")) == [*links.values()][-1]


async def test_nobody_is_asked_while_a_correction_of_their_flight_is_not_decided(
    db: Database, ledger: Database, open_db: OpenDatabase
) -> None:
    """The school may be wrong; whoever is not concerned is asked."""
    await taken(db, await posts(ledger, bill("F1", 10_000), bill("G1", 10_000, student="bert")))
    adjustments = open_db("adjustments")
    await given_policy(adjustments, approve_above=1)
    await propose(adjustments, revised())
    assert await states(adjustments) == {"F1:2": "waiting"}
    await on_day(db, 4)
    assert [one[0] for one in await asked(db)] == ["bert"]
    decided = await decide_about(adjustments, "reject", "F1:2", "ann")
    assert decided.outcome == "done", decided.sentence
    await on_day(db, 4)
    assert [one[0] for one in await asked(db)] == ["bert", "anna"]


async def test_whoever_was_decided_about_meanwhile_is_left_to_the_next_look(
    db: Database, ledger: Database
) -> None:
    """A person pauses, and another process does the step, between the look and the lock."""
    await taken(db, await posts(ledger, bill("F1", 10_000), bill("G1", 10_000, student="bert")))
    await on_day(db, 4)
    local = datetime.now(UTC) + timedelta(days=6)
    async with db.transaction() as tx:
        seen = await store.dunning.standings(tx, ["anna", "bert"], local.date(), local)
    assert (await decide(db, "pause_dunning")).outcome == "done"
    async with db.transaction() as tx:
        assert await store.dunning.lock(tx, list(seen.values())) == {"anna"}
    await on_day(db, 8)
    async with db.transaction() as tx:
        assert await store.dunning.lock(tx, [seen["bert"]]) == {"bert"}


async def test_a_payment_ends_the_run_and_the_next_one_begins_anew(db: Database, ledger: Database) -> None:
    await taken(db, await posts(ledger, bill("F1", 10_000)))
    await on_day(db, 4)
    await taken(db, await posts(ledger, pay("1", 10_000)))
    await on_day(db, 5)
    await taken(db, await posts(ledger, bill("F2", 3_000)))
    await on_day(db, 6)
    assert await told(db) == ["begins", "first", "ends", "begins", "first"]
    assert await asked(db) == [("anna", 1, "first", 10_000), ("anna", 2, "first", 3_000)]


async def test_what_is_paid_and_not_yet_in_the_account_is_not_asked_for(
    db: Database, ledger: Database
) -> None:
    await taken(db, await posts(ledger, bill("F1", 50_000)))
    await posts(ledger, pay("1", 2_000))  # the ledger has it, the account not yet
    await handlers.take_stripe_events(db, [webhook("charge.succeeded", charge())])  # nor the ledger
    await on_day(db, 4)
    assert await asked(db) == [("anna", 1, "first", 50_000 - 2_000 - charge()["amount"])]


async def test_a_pause_a_promise_and_a_dispute_stop_it(
    db: Database, ledger: Database, database_url: str
) -> None:
    await taken(db, await posts(ledger, bill("F1", 50_000)))
    assert (await decide(db, "pause_dunning")).outcome == "done"
    await on_day(db, 4)
    assert (await decide(db, "resume_dunning")).outcome == "done"
    await on_day(db, 4)
    assert (
        await decide(db, "promise_payment", until=day(12))
    ).outcome == "refused"  # nothing is overdue today
    await age(database_url, 1)
    assert (await decide(db, "promise_payment", until=day(12))).outcome == "done"
    await on_day(db, 12)
    assert await told(db) == ["paused", "begins", "resumed", "first", "promised"]
    await handlers.take_stripe_events(db, [webhook("charge.succeeded", charge())])
    await taken(db, await posts(ledger, pay("x", charge()["amount"])))
    await handlers.take_stripe_events(db, [webhook("charge.dispute.created", dispute())])
    await on_day(db, 14)
    assert (await told(db))[5:] == ["lapsed"]
    await handlers.take_stripe_events(db, [webhook("charge.dispute.closed", dispute(status="won"))])
    await on_day(db, 14)
    assert (await told(db))[6:] == ["block"]


@pytest.mark.parametrize(
    ("action", "said", "why"),
    [
        ("pause_dunning", {}, " "),
        ("resume_dunning", {}, "x"),
        ("promise_payment", {}, "x"),
        ("promise_payment", {"until": "soon"}, "x"),
        ("promise_payment", {"until": "2026-01-01"}, "x"),
        ("promise_payment", {"until": "2199-01-01"}, "x"),
    ],
)
async def test_what_changes_nothing_is_refused_with_a_sentence(
    db: Database, ledger: Database, action: str, said: dict[str, Any], why: str
) -> None:
    ruling = await decide(db, action, why, **said)
    assert (ruling.outcome, bool(ruling.sentence)) == ("refused", True)
    assert await told(db) == []


async def test_nobody_is_asked_outside_the_hours_of_the_school(db: Database, open_db: OpenDatabase) -> None:
    hour = datetime.now(UTC).hour
    local = (hour - 5) % 24  # New York, in winter; an hour more in summer
    hours = {"dunning_from_hour": max(local - 1, 0), "dunning_until_hour": min(local + 3, 24)}
    await handlers.follow_book(db, [a_school(dunning_steps=STEPS, **ALWAYS | hours)])
    await taken(db, await posts(open_db("ledger"), bill("F1", 10_000)))
    await on_day(db, 4, hours=8)
    await on_day(db, 4, hours=12)
    assert await asked(db) == []
    await on_day(db, 5)
    assert len(await asked(db)) == 1


async def test_the_database_keeps_no_step_at_night_and_none_twice(db: Database, ledger: Database) -> None:
    await taken(db, await posts(ledger, bill("F1", 10_000)))
    await on_day(db, 4)
    copied = """
        INSERT INTO dunning_history (student, run, what, step, action, currency, total, oldest_due,
                                     policy_from, policy_version, from_hour, until_hour, local_at, at)
        SELECT student, run, what, CAST(:step AS text), action, currency, total, oldest_due, policy_from,
               policy_version, 9, 18, CAST(:local AS timestamptz) AT TIME ZONE 'UTC', at
        FROM dunning_history WHERE what = 'step'
    """
    for step, local, broken in (
        ("first", datetime(2026, 6, 8, 12, tzinfo=UTC), "a_step_is_done_once_in_a_run"),
        ("second", datetime(2026, 6, 8, 18, tzinfo=UTC), "no_step_at_night"),
    ):
        with pytest.raises(DBAPIError, match=broken):
            async with db.transaction() as tx:
                await tx.execute(copied, step=step, local=local)


async def test_a_step_charges_the_saved_card_what_is_overdue_and_only_once(
    db: Database, ledger: Database
) -> None:
    card = CARD | {"card": {"exp_month": 12, "exp_year": 2090}}
    await handlers.take_stripe_events(db, [webhook("payment_method.attached", card)])
    await handlers.take_stripe_events(db, [webhook("setup_intent.succeeded", SETUP)])
    await allows(db, occasion="day", day=28 if datetime.now(UTC).day < 28 else 1)
    await taken(db, await posts(ledger, bill("F1", 10_000), bill("F2", 2_000)))
    await on_day(db, 4)
    await on_day(db, 6)
    async with db.transaction() as tx:  # the second bill is not due yet
        await tx.execute("UPDATE item SET due_on = due_on + 30 WHERE document = 'flight:F2'")
    for _ in range(2):
        async with db.transaction() as tx:
            at = datetime.now(UTC) + timedelta(days=6)
            await steps.auto_charges.decide_due(tx, "", 200, at)
    [request] = await charges_asked(db)
    assert (request["cause"], request["amount"]) == ("dunning:1:card", 10_000)
    await handlers.take_charge_answers(db, [answer(request, "succeeded", amount=10_000)])
    await taken(db, await posts(ledger, pay("ch", 10_000)))
    await on_day(db, 8)
    assert (await told(db))[-1] == "ends"
    assert await charges(db) == [("dunning:1:card", "succeeded", None)]


async def test_a_block_refuses_new_dispatches_until_it_is_paid_unless_a_person_allows_one(
    db: Database, open_db: OpenDatabase, ledger: Database, database_url: str
) -> None:
    await taken(db, await posts(ledger, bill("F1", 10_000)))
    await on_day(db, 4)
    await on_day(db, 8)
    await age(database_url, 8)  # what is overdue in eight days is overdue now
    school = School(open_db, db)
    await school.say(dispatched("D1"))
    checked = "SELECT reason, overdue FROM receivables_public.credit_check('anna', 1, current_date)"
    assert await rows(db, checked) == [{"reason": "overdue", "overdue": 10_000}]
    await allow(db, 1, flight="D2", who="ann")
    await answered(db, ACTIONS, decision("receivables", "approve_allowance", await newest(db), who="bob"))
    await school.say(dispatched("D2"))
    await decide(db, "pause_dunning")
    await school.say(dispatched("D3"))
    await decide(db, "resume_dunning")
    await school.say(dispatched("D4"))
    await taken(db, await posts(ledger, pay("1", 10_000)))
    await school.say(dispatched("D5"))
    assert await school.answers() == [
        ("D1", 1, "overdue"),
        ("D2", 1, "cleared"),
        ("D3", 1, "cleared"),
        ("D4", 1, "overdue"),
        ("D5", 1, "cleared"),
    ]


async def newest(db: Database) -> str:
    found = await rows(db, "SELECT id FROM credit_allowance ORDER BY asked_at DESC LIMIT 1")
    return str(found[0]["id"])


async def test_the_command_shows_who_is_asked_and_what_would_be_asked_today(
    db: Database, ledger: Database, hobbs: Hobbs, database_url: str
) -> None:
    await taken(db, await posts(ledger, bill("F1", 10_000), bill("F2", 500, student="ben")))
    await on_day(db, 4)
    await age(database_url, 8)
    await decide(db, "pause_dunning", why="a question")
    listed = json.loads((await hobbs("dunning", "list", "-o", "json")).stdout)
    assert [(row["student"], row["stopped"], row["step"]) for row in listed] == [
        ("anna", "paused", None),
        ("ben", None, None),
    ]
    shown = await hobbs("dunning", "show", "anna", "-o", "json")
    assert shown.exit_code == 1
    assert [row["what"] for row in json.loads(shown.stdout)] == ["begins", "step", "paused"]
    before = await rows(db, "SELECT count(*) AS n FROM dunning_history")
    dry = json.loads((await hobbs("dunning", "list", "--dry-run", "-o", "json")).stdout)
    assert dry == []
    assert await rows(db, "SELECT count(*) AS n FROM dunning_history") == before
    bad = await hobbs("dunning", "promise", "anna", "--until", "soon", "--why", "x")
    assert bad.exit_code == 2


@pytest.mark.parametrize(
    ("statement", "found_by"),
    [
        ("UPDATE dunning_case SET overdue_since = NULL", "dunning_stands_as_it_was_told"),
        ("UPDATE dunning_case SET hold = 'paused'", "dunning_stands_as_it_was_told"),
        ("UPDATE dunning_case SET stepped_on = stepped_on + 1", "dunning_rests_as_it_was_told"),
        (
            "UPDATE dunning_history SET what = 'paused', who = 'ann', why = 'x' WHERE what = 'begins'",
            "no_step_while_it_is_held",
        ),
        (
            "INSERT INTO charge (charge_id, student) VALUES ('ch_9', 'anna'); "
            "INSERT INTO dispute (dispute_id, charge_id, amount, currency, opened_at, withdrawn, fees) "
            "VALUES ('du_9', 'ch_9', 1, 'USD', now(), true, '{}'); "
            "INSERT INTO posting (source, charge_id, event_type, currency, occurred_at, entries, memo) "
            "VALUES ('dispute:du_9', 'ch_9', 'dispute', 'USD', now(), '[{}, {}]', '')",
            "no_step_in_a_dispute",
        ),
        (
            "UPDATE credit_policy SET policy = jsonb_set(policy, '{dunning_holidays}', "
            "(SELECT jsonb_agg(local_at::date) FROM dunning_history WHERE what = 'step'))",
            "no_step_on_a_quiet_day",
        ),
    ],
)
async def test_each_invariant_finds_what_it_is_for(
    open_db: OpenDatabase, database_url: str, statement: str, found_by: str
) -> None:
    db = open_db("receivables")
    await handlers.follow_book(db, [a_school(dunning_steps=STEPS, **ALWAYS)])
    await taken(db, await posts(open_db("ledger"), bill("F1", 10_000)))
    await on_day(db, 4)
    assert await broken_invariants(db) == {}
    connection = await asyncpg.connect(database_url, server_settings={"search_path": "receivables"})
    await connection.execute(statement)
    await connection.close()
    assert found_by in await broken_invariants(db)
