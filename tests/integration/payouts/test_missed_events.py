"""Events that Stripe never delivered are found in its list and take effect once, whatever else arrives."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from fleet import faults
from fleet.database import Database
from fleet.envelope import Message, Record, first_cause, headers_of
from services.gateway.wire import read_webhook
from services.payouts.domain.event_types import LISTED_TYPES
from services.payouts.stripe import webhooks
from services.receivables.handlers import take_stripe_events
from tests.integration.payouts.world import World
from tests.support.databases import run_statement, service_url
from tests.support.payouts import unhurried
from tests.support.records import record

ROOT = Path(__file__).resolve().parents[3]
MIGRATION = ROOT / "services/payouts/migrations/versions/0002_missed_events.sql"
OF_A_PAYMENT = ["charge.succeeded", "charge.updated", "payment_intent.succeeded"]


@pytest.fixture
async def receivables(owner_url: str) -> AsyncIterator[Database]:
    database = Database(service_url(owner_url, "receivables"), schema="receivables", pool_size=5)
    yield database
    await database.close()


def pay(world: World, times: int = 1, **given: Any) -> str:
    """A student pays by card and no webhook comes; the last charge."""
    for _ in range(times):
        made = world.control.trigger("payment_intent.succeeded", **given)
    world.control.advance(1)  # the balance transaction is there, charge.updated is made
    return str(made["latest_charge"])


def made(world: World) -> list[dict[str, Any]]:
    """What Stripe would have delivered of the types that are recovered, oldest first."""
    events: list[dict[str, Any]] = []
    while page := world.control.events(after=events[-1]["cursor"] if events else 0):
        events += page
    return [event for event in events if event["type"] in LISTED_TYPES and not event.get("account")]


def delivered(event: dict[str, Any], **changed: Any) -> Record:
    """An event as the gateway publishes its webhook: Stripe renders it in the endpoint's own way."""
    document = {name: value for name, value in event.items() if name != "cursor"}
    document |= {"pending_webhooks": 0, "api_version": "2019-01-01", **changed}
    read = read_webhook(
        orjson.dumps(document, option=orjson.OPT_INDENT_2),
        endpoint="platform",
        livemode=False,
        received_at=datetime.now(UTC),
    )
    message = Message(
        topic="stripe.webhook",
        key=read.key,
        event=read.event,
        cause=first_cause(),
        event_id=read.event_id,
        content=read.content,
    )
    headers = {name: value.decode() for name, value in headers_of(message, "gateway")}
    return record("stripe.webhook", read.event, key=read.key, ce_id=read.event_id, headers=headers)


async def published(world: World) -> list[Record]:
    """What the relay would send to stripe.webhook, in its order."""
    rows = await world.rows(
        "SELECT key, value, raw_headers FROM outbox WHERE topic = 'stripe.webhook' ORDER BY id"
    )
    return [
        record("stripe.webhook", row.value, key=row.key.decode(), headers=row.raw_headers) for row in rows
    ]


async def types_published(world: World) -> list[str]:
    return sorted(orjson.loads(r.value or b"")["event_type"] for r in await published(world))


async def recover(world: World) -> None:
    """Two runs of the timer, a grace apart."""
    await world.missed_events().run()
    world.clock.advance(minutes=6)
    await world.missed_events().run()


async def journals(receivables: Database, charge: str) -> list[str]:
    async with receivables.transaction() as tx:
        rows = await tx.all("SELECT value FROM outbox WHERE topic = 'journal.requested' ORDER BY id")
    sources = [orjson.loads(row.value)["source"] for row in rows]
    return [source for source in sources if source.endswith(charge)]


async def dead(*databases: Database) -> int:
    letters = 0
    for database in databases:
        async with database.transaction() as tx:
            letters += (await tx.one("SELECT count(*) AS n FROM dead_letter")).n
    return letters


async def listing(world: World) -> Any:
    [row] = await world.rows("SELECT * FROM event_listing")
    return row


def asked(world: World) -> int:
    """How often Stripe was asked for a list of events."""
    return sum(request["path"] == "/v1/events" for request in world.control.requests())


async def test_a_payment_nobody_was_told_of_is_posted_once(world: World, receivables: Database) -> None:
    charge = pay(world, amount=40_000, student="anna")
    await recover(world)
    records = await published(world)
    assert await types_published(world) == OF_A_PAYMENT
    await take_stripe_events(receivables, records)
    await take_stripe_events(receivables, records)
    await world.handle(*records)
    assert await journals(receivables, charge) == [f"charge:{charge}"]
    assert await world.rows("SELECT object_id FROM inquiry WHERE kind = 'charge_fee'") == [(charge,)]
    await recover(world)
    assert len(await published(world)) == len(records)
    assert await dead(world.db, receivables) == 0


async def test_a_delivered_event_is_not_published_again(world: World) -> None:
    pay(world)
    await world.handle(*[delivered(event) for event in made(world)])
    await world.missed_events().run()
    assert await world.rows("SELECT * FROM missed_event") == []
    await recover(world)
    assert await published(world) == []


async def test_nothing_is_published_within_the_grace(world: World) -> None:
    pay(world)
    await world.missed_events().run()
    world.clock.advance(minutes=4)
    await world.missed_events().run()
    assert await published(world) == []
    [first, *rest] = made(world)
    await world.handle(delivered(first))
    world.clock.advance(minutes=2)
    await world.missed_events().run()
    assert len(await published(world)) == len(rest)
    noted = await world.rows("SELECT event_id FROM missed_event")
    assert {row.event_id for row in noted} == {event["id"] for event in rest}


@pytest.mark.parametrize("first", ["webhook", "recovered"])
async def test_a_webhook_and_its_recovery_have_one_effect_in_either_order(
    world: World, receivables: Database, first: str
) -> None:
    charge = pay(world, amount=40_000, student="anna")
    await recover(world)
    found, late = await published(world), [delivered(event) for event in made(world)]
    for batch in [late, found] if first == "webhook" else [found, late]:
        await take_stripe_events(receivables, batch)
        await world.handle(*batch)
    assert await journals(receivables, charge) == [f"charge:{charge}"]
    assert await dead(world.db, receivables) == 0
    assert len(await world.rows("SELECT * FROM inbox")) == len(found)


async def test_a_recovered_event_says_what_the_gateway_would_have_said(world: World) -> None:
    pay(world)
    await recover(world)
    webhooks = {r.headers["ce_id"]: r for r in map(delivered, made(world))}
    for found in await published(world):
        webhook = webhooks[found.headers["ce_id"]]
        assert found.headers["ce_hobbscontent"] == webhook.headers["ce_hobbscontent"]
        assert (found.key, found.headers["ce_source"]) == (webhook.key, "hobbs/payouts")
        ours, theirs = orjson.loads(found.value or b""), orjson.loads(webhook.value or b"")
        rendered = {"body": None, "received_at": None, "api_version": None}
        assert ours | rendered == theirs | rendered


async def test_what_nobody_here_could_read_was_delivered_all_the_same(world: World) -> None:
    pay(world)
    [event] = [e for e in made(world) if e["type"] == "charge.succeeded"]
    await world.missed_events().run()
    await world.handle(delivered(event, data=None))
    await recover(world)
    assert await types_published(world) == OF_A_PAYMENT[1:]


async def test_what_is_a_dead_letter_already_is_not_even_noted(world: World) -> None:
    pay(world)
    await world.handle(*[delivered(event, data=None) for event in made(world)])
    await world.missed_events().run()
    assert await dead(world.db) == len(OF_A_PAYMENT)
    assert await world.rows("SELECT * FROM missed_event") == []


async def test_a_record_without_proof_keeps_no_event_from_being_recovered(world: World) -> None:
    """A stranger writes a lost event's id: it is buried, and Stripe's list brings the event."""
    pay(world)
    lost = made(world)
    forged = [delivered(event) for event in lost]
    await webhooks.handle_webhooks(
        world.db, forged, effect_policy=world.effect_policy, look_now=lambda: None, keys=["k" * 32]
    )
    assert {r.reason for r in await world.rows("SELECT reason FROM dead_letter")} == {"not_attested"}
    await world.missed_events(grace=timedelta()).run()
    assert len(await published(world)) == len(lost) > 0


async def test_only_what_a_webhook_alone_tells_is_recovered(world: World) -> None:
    world.control.trigger("customer.created")
    await world.payee("i1")
    await recover(world)
    assert await published(world) == []


async def test_a_thousand_events_come_over_many_pages_each_once(world: World) -> None:
    pay(world, times=340)
    await world.missed_events().run()
    assert asked(world) == 11
    world.clock.advance(minutes=6)
    await world.missed_events().run()
    ids = Counter(orjson.loads(r.value or b"")["event_id"] for r in await published(world))
    assert set(ids.values()) == {1}
    assert ids.keys() == {event["id"] for event in made(world)}
    assert len(ids) == 1_020


async def test_a_listing_looks_back_behind_the_one_before(world: World) -> None:
    world.clock.advance(minutes=20)
    await world.missed_events().run()  # everything until in twenty minutes was listed
    pay(world)
    await world.missed_events(overlap=timedelta(minutes=10)).run()
    assert await world.rows("SELECT * FROM missed_event") == []
    await world.missed_events(overlap=timedelta(minutes=30)).run()
    assert len(await world.rows("SELECT * FROM missed_event")) == len(OF_A_PAYMENT)


async def test_the_watermark_moves_to_where_a_complete_listing_began(world: World) -> None:
    before, began = await listing(world), world.clock()
    await world.missed_events().run()
    after = await listing(world)
    assert before.listed_until < began <= after.listed_until <= world.clock()
    assert (after.begun_at, after.page_after) == (None, None)
    assert after.completed_at >= after.listed_until


@pytest.mark.parametrize(
    ("first_event_days_ago", "begins_days_ago"), [(None, 0), (10, 10), (60, 29)], ids=["new", "young", "old"]
)
async def test_the_first_listing_begins_with_the_deployments_own_first_event(
    world: World, owner_url: str, first_event_days_ago: int | None, begins_days_ago: int
) -> None:
    """What a school's Stripe account did before Hobbs came is not Hobbs' to post."""
    if first_event_days_ago is not None:
        async with world.db.transaction() as tx:
            await tx.execute(
                "INSERT INTO inbox (event_key, payload_hash, admitted_at)"
                " VALUES (uuidv7(), sha256('a'), now() - make_interval(days => :days))",
                days=first_event_days_ago,
            )
    again = "SET search_path = payouts; DROP TABLE event_listing, missed_event;"
    later = "ALTER TABLE event_listing ADD COLUMN calm_since timestamptz NOT NULL DEFAULT now(), "
    later += "ADD COLUMN lost_before timestamptz;"
    await run_statement(owner_url, again + MIGRATION.read_text(encoding="utf-8") + later)
    begins = world.clock() - (await listing(world)).listed_until
    assert abs(begins - timedelta(days=begins_days_ago)) < timedelta(hours=1)


async def die_at(world: World, monkeypatch: pytest.MonkeyPatch, point: str) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(faults, "_plan", faults.Plan(faults.parse_plan(f"{point}=raise@1"), None))
        with pytest.raises(faults.InjectedFault):
            await world.missed_events().run()


@pytest.mark.parametrize("point", ["events.listed", "transaction.before_commit", "transaction.committed"])
async def test_who_dies_between_list_and_note_finds_the_same_events_again(
    world: World, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    pay(world)
    before = await listing(world)
    await die_at(world, monkeypatch, point)
    assert await world.rows("SELECT * FROM missed_event") == []
    assert (await listing(world)).listed_until == before.listed_until
    await recover(world)
    assert await types_published(world) == OF_A_PAYMENT


async def test_who_dies_while_publishing_publishes_each_event_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    pay(world)
    await world.missed_events().run()
    world.clock.advance(minutes=6)
    await die_at(world, monkeypatch, "outbox.staged")
    assert await published(world) == []
    await world.missed_events().run()
    assert await types_published(world) == OF_A_PAYMENT


async def test_a_listing_that_broke_off_goes_on_where_it_was(world: World) -> None:
    pay(world, times=40)
    world.control.add_fault("unavailable", method="GET", path="/v1/events", nth=2)
    await world.missed_events().run()
    broken = await listing(world)
    assert broken.page_after is not None
    assert len(await world.rows("SELECT * FROM missed_event")) == 100
    await world.missed_events().run()
    assert asked(world) == 3
    assert (await listing(world)).listed_until == broken.begun_at
    assert len(await world.rows("SELECT * FROM missed_event")) == 120


async def test_a_place_that_stripe_no_longer_knows_starts_the_listing_over(world: World) -> None:
    pay(world, times=40)
    world.control.add_fault("unavailable", method="GET", path="/v1/events", nth=2)
    await world.missed_events().run()
    world.control.reset()
    pay(world)
    await world.missed_events().run()
    assert (await listing(world)).page_after is None
    await recover(world)
    assert {event["id"] for event in made(world)} <= {
        orjson.loads(r.value or b"")["event_id"] for r in await published(world)
    }


@pytest.mark.parametrize(
    "fault", ["unavailable", "server_error", "timeout", "rate_limit", "account_invalid", "unauthorized"]
)
async def test_while_stripe_does_not_answer_nothing_moves(world: World, fault: str) -> None:
    pay(world)
    before = await listing(world)
    world.control.add_fault(fault, method="GET", path="/v1/events")
    await world.missed_events().run()
    during = await listing(world)
    assert (during.listed_until, during.completed_at) == (before.listed_until, before.completed_at)
    assert await world.rows("SELECT * FROM missed_event") == []
    assert await world.rows("SELECT since FROM relay_stop") == [(None,)]  # a list stops no transfers
    world.control.clear_faults()
    await recover(world)
    assert await types_published(world) == OF_A_PAYMENT


async def test_a_429_to_the_list_slows_all_readings(world: World) -> None:
    pace = unhurried()
    before = pace.calls.per_s
    world.control.add_fault("rate_limit", method="GET", path="/v1/events")
    await world.missed_events(pace).run()
    assert pace.calls.per_s < before
    assert asked(world) == 1  # and nothing more is asked in this run


async def test_while_stripe_refuses_our_key_no_list_is_asked_for(world: World) -> None:
    await world.configured("i1")
    world.control.add_fault("unauthorized")
    await world.once()
    await world.missed_events().run()
    assert asked(world) == 0
    assert (await listing(world)).begun_at is None


async def test_two_processes_at_once_publish_each_event_once(world: World) -> None:
    pay(world, times=80)
    await asyncio.gather(*(world.missed_events().run() for _ in range(3)))
    world.clock.advance(minutes=6)
    await asyncio.gather(*(world.missed_events().run() for _ in range(3)))
    ids = Counter(orjson.loads(r.value or b"")["event_id"] for r in await published(world))
    assert ids == {event["id"]: 1 for event in made(world)}


async def test_an_event_that_cannot_be_published_is_kept_and_does_not_hold_up_the_others(
    world: World,
) -> None:
    pay(world)
    events: Sequence[Any] = [{n: v for n, v in e.items() if n != "cursor"} for e in made(world)]
    spoiled = {**events[0], "type": "x" * 300}
    missed = world.missed_events()
    place = await missed.begin()
    assert place is not None
    assert await missed.note(place, {"data": [*events[1:], spoiled], "has_more": False}) is None
    [kept] = await world.rows("SELECT event_id, reason FROM webhook_kept")
    assert kept == (spoiled["id"], "invalid")
    assert len(await world.rows("SELECT * FROM missed_event")) == len(events) - 1
