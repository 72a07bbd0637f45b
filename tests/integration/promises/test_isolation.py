"""A record nobody foresaw is buried alone, in every service and topic; an outage buries nothing.

The handlers are the workers' own, as each composition root registers them.
"""

from functools import partial

import pytest

from fleet import faults, logs, metrics
from fleet.envelope import Record, event_key_of
from fleet.isolate import NotIsolated, isolate
from fleet.outages import TryAgain
from fleet.shared_batches import Handler
from schemas.services import SERVICES
from schemas.topics import TOPICS
from services.payouts.stripe.relay import StripeRelay
from tests.integration.billing.given import CHANGES, completed, configured
from tests.integration.ledger.books import requested
from tests.integration.promises.conftest import Build, Service
from tests.integration.promises.consumed import CONSUMED, Consumed
from tests.support.books import keep_books

every_topic = pytest.mark.parametrize("consumed", CONSUMED, ids=str)
BILLING, LEDGER, PAYOUTS = CONSUMED[1], CONSUMED[2], CONSUMED[7]


async def given(build: Build, consumed: Consumed) -> Service:
    """The service of a topic, after what must have happened before."""
    service = await build(consumed.service)
    for topic, batch in consumed.before():
        await service.handle(topic, batch)
    if consumed.in_the_books:
        ledger = await build("ledger")
        await keep_books(ledger.db, *[consumed.event(nth) for nth in range(1, 5)])
    assert await service.letters() == []
    return service


async def refuse(service: Service, odd: Record) -> None:
    """Have Postgres refuse this record's event by a rule that nobody foresaw."""
    key = event_key_of(odd, None)
    await service.owner.execute(
        f"ALTER TABLE inbox ADD CONSTRAINT nobody_foresaw_this CHECK (event_key <> '{key}')"
    )


async def fail_with(service: Service, state: str) -> None:
    """Have every transaction that admits something end with this SQLSTATE."""
    await service.owner.execute(f"""
        CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'away' USING ERRCODE = '{state}'; END $$;
        CREATE TRIGGER fail BEFORE INSERT ON inbox EXECUTE FUNCTION fail()
    """)


async def recover(service: Service) -> None:
    await service.owner.execute("DROP TRIGGER fail ON inbox")


def test_every_topic_of_every_service_is_tried() -> None:
    consumed = {(service, topic.name) for topic in TOPICS.values() for service in topic.consumers}
    assert {(c.service, c.topic) for c in CONSUMED} == {(s, t) for s, t in consumed if s in SERVICES}


@every_topic
async def test_a_record_nobody_foresaw_is_buried_alone(consumed: Consumed, build: Build) -> None:
    service = await given(build, consumed)
    batch = [consumed.event(2), odd := consumed.event(4), consumed.event(3)]
    await refuse(service, odd)
    known = await service.admitted()
    await service.handle(consumed.topic, batch)
    assert await service.letters() == [("unforeseen", odd.offset)]
    assert await service.admitted() == known + 2
    await service.handle(consumed.topic, batch)
    assert await service.letters() == [("unforeseen", odd.offset)]


@every_topic
async def test_an_outage_buries_nothing_and_the_batch_read_again_is_handled(
    consumed: Consumed, build: Build
) -> None:
    service = await given(build, consumed)
    batch = [consumed.event(2), consumed.event(3)]
    known = await service.admitted()
    await fail_with(service, "40P01")
    with pytest.raises(Exception, match="away"):
        await service.handle(consumed.topic, batch)
    assert (await service.letters(), await service.admitted()) == ([], known)
    await recover(service)
    await service.handle(consumed.topic, batch)
    assert (await service.letters(), await service.admitted()) == ([], known + 2)


@every_topic
async def test_an_injected_fault_buries_nothing(
    consumed: Consumed, build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = await given(build, consumed)
    monkeypatch.setattr(faults, "_plan", faults.Plan(faults.parse_plan("inbox.admitted=raise@1"), None))
    with pytest.raises(faults.InjectedFault):
        await service.handle(consumed.topic, [consumed.event(2)])
    assert await service.letters() == []


STATES = ["08006", "25006", "25P03", "28P01", "40001", "40P01", "42501", "42P01", "42703", "53100", "53200"]
STATES += ["53300", "55P03", "57014", "57P01", "57P03", "58030", "XX000"]


async def test_no_state_of_the_server_or_the_schema_buries_a_record(build: Build) -> None:
    service = await given(build, LEDGER)
    for state in STATES:
        await fail_with(service, state)
        with pytest.raises(Exception, match="away"):
            await service.handle(LEDGER.topic, [LEDGER.event(1)])
        await service.owner.execute("DROP FUNCTION fail CASCADE")
    assert await service.letters() == []


async def test_a_missing_grant_or_table_buries_nothing(build: Build) -> None:
    service = await given(build, LEDGER)
    for broken, mended in (
        ("REVOKE INSERT ON inbox FROM hobbs_ledger", "GRANT INSERT ON inbox TO hobbs_ledger"),
        ("ALTER TABLE journal RENAME TO gone", "ALTER TABLE gone RENAME TO journal"),
    ):
        await service.owner.execute(broken)
        with pytest.raises(Exception, match=r"permission denied|does not exist"):
            await service.handle(LEDGER.topic, [LEDGER.event(1)])
        await service.owner.execute(mended)
    assert await service.letters() == []


async def test_a_server_that_ends_the_session_buries_nothing(build: Build) -> None:
    service = await given(build, LEDGER)
    await service.owner.execute("""
        CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS
        $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(5); RETURN NULL; END $$;
        CREATE TRIGGER fail BEFORE INSERT ON inbox EXECUTE FUNCTION fail()
    """)
    with pytest.raises(Exception, match=r"connection"):
        await service.handle(LEDGER.topic, [LEDGER.event(1)])
    await recover(service)
    assert await service.letters() == []


async def test_a_card_that_lost_a_price_buries_only_the_flight_it_prices(build: Build) -> None:
    service = await given(build, BILLING)
    other = CHANGES[-1] | {"key": "N2"}
    await service.handle("school.configured", [configured(2, [other])])
    await service.owner.execute("""
        ALTER TABLE card_version DISABLE TRIGGER USER;
        UPDATE card_version SET new = new - 'rate_per_hour' WHERE key = 'N2'
    """)
    odd = completed(flight_id="F2", aircraft="N2")
    await service.handle("flight.completed", [completed(flight_id="F1"), odd, completed(flight_id="F3")])
    assert await service.letters() == [("unforeseen", odd.offset)]
    assert await service.owner.fetchval("SELECT sentence FROM dead_letter") == (
        "no rule foresaw this record: AssertionError"
    )
    assert await service.owner.fetchval("SELECT count(*) FROM bill") == 2


async def test_each_is_counted_from_nothing_and_logged_without_its_content(
    build: Build, capsys: pytest.CaptureFixture[str]
) -> None:
    service = await given(build, LEDGER)
    logs.configure("INFO", "json", "ledger")
    counted = metrics.ISOLATED.labels("ledger", LEDGER.topic)
    before = counted._value.get()
    odd = requested("flight:Robin:1")
    await refuse(service, odd)
    await service.handle(LEDGER.topic, [odd])
    assert counted._value.get() == before + 1
    said = capsys.readouterr().err
    assert f'"topic":"journal.requested","partition":0,"offset":{odd.offset}' in said
    assert "Robin" not in said


async def test_a_counter_stands_at_nothing_before_the_first(build: Build) -> None:
    for name in SERVICES:
        service = await build(name)
        there = {tuple(s.labels.values()) for m in metrics.ISOLATED.collect() for s in m.samples}
        assert {(name, topic) for topic in service.handlers()} <= there


async def test_records_nobody_foresaw_are_buried_a_bounded_number_at_once_and_none_is_lost(
    build: Build,
) -> None:
    service = await given(build, LEDGER)
    batch = [requested(f"flight:F{n}:1") for n in range(16)]
    keys = ", ".join(f"'{event_key_of(record, None)}'" for record in batch[::2])
    await service.owner.execute(f"ALTER TABLE inbox ADD CHECK (event_key NOT IN ({keys}))")
    [handler] = {c.shared.handler for c in service.worker._consumers._consumers if c.topic == LEDGER.topic}
    readings = 1
    while True:
        try:
            await isolate(service.db, _alone(handler), batch, tries_max=8)
            break
        except NotIsolated:
            readings += 1
    assert readings > 2
    assert [offset for _, offset in await service.letters()] == [record.offset for record in batch[::2]]
    assert await service.admitted() == 8


def _alone(handler: Handler) -> Handler:
    """The service's handler as it was registered, without what asks for proofs and isolates around it."""
    assert isinstance(handler, partial)
    isolated = handler.args[2]
    inner: Handler = isolated.args[1]
    return inner


async def test_the_relay_of_payouts_wakes_after_a_batch_of_which_one_record_is_buried(build: Build) -> None:
    service = await given(build, PAYOUTS)
    [relay] = [relay for hook in service.worker._stop if isinstance(relay := hook.__self__, StripeRelay)]  # type: ignore[attr-defined]
    batch = [PAYOUTS.event(1), odd := PAYOUTS.event(2)]
    await refuse(service, odd)
    assert not relay._wake.is_set()
    await service.handle(PAYOUTS.topic, batch)
    assert relay._wake.is_set()


async def test_flights_that_lose_every_race_are_read_again_and_none_is_lost(build: Build) -> None:
    service = await given(build, BILLING)
    await service.owner.execute("""
        CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RETURN CASE WHEN NEW.flight_id = 'F2' THEN NULL ELSE NEW END; END $$;
        CREATE TRIGGER fail BEFORE INSERT ON bill FOR EACH ROW EXECUTE FUNCTION fail()
    """)
    batch = [BILLING.event(1), BILLING.event(2)]
    with pytest.raises(TryAgain):
        await service.handle(BILLING.topic, batch)
    assert await service.owner.fetchval("SELECT count(*) FROM bill") == 0
    await service.owner.execute("DROP TRIGGER fail ON bill")
    await service.handle(BILLING.topic, batch)
    assert await service.owner.fetchval("SELECT count(*) FROM bill") == 2
    assert await service.letters() == []


async def test_journals_that_lose_every_race_are_read_again_and_none_is_lost(build: Build) -> None:
    service = await given(build, LEDGER)
    await service.owner.execute("""
        CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF NEW.source = 'flight:F2:1' THEN
                RAISE unique_violation USING CONSTRAINT = 'journal_source_is_posted_once';
            END IF;
            RETURN NEW;
        END $$;
        CREATE TRIGGER fail BEFORE INSERT ON journal FOR EACH ROW EXECUTE FUNCTION fail()
    """)
    batch = [LEDGER.event(1), LEDGER.event(2)]
    with pytest.raises(TryAgain):
        await service.handle(LEDGER.topic, batch)
    assert await service.owner.fetchval("SELECT count(*) FROM journal") == 0
    await service.owner.execute("DROP TRIGGER fail ON journal")
    await service.handle(LEDGER.topic, batch)
    assert await service.owner.fetchval("SELECT count(*) FROM journal") == 2
    assert await service.letters() == []


async def test_however_many_journals_the_database_refuses_each_is_answered_in_its_order(build: Build) -> None:
    service = await given(build, LEDGER)
    await service.owner.execute("ALTER TABLE journal ADD CONSTRAINT odd CHECK (source NOT LIKE 'bad:%')")
    names = [f"{'good' if n % 3 else 'bad'}:{n:02d}" for n in range(33)]
    await service.handle(LEDGER.topic, [requested(name) for name in names])
    told = await service.owner.fetch(
        "SELECT topic, convert_from(key, 'UTF8') AS key FROM outbox WHERE topic <> 'ledger.dead' ORDER BY id"
    )
    outcome = {"good": "journal.posted", "bad": "journal.refused"}
    assert [(row["topic"], row["key"]) for row in told] == [
        (outcome[name.partition(":")[0]], name) for name in names
    ]
