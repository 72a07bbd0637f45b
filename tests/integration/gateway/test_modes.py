"""Events of the other mode, thin events, endpoints of another API version: what is answered and kept."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from fleet.database import Database
from fleet.kafka_client import TopicPlan, create_topics
from fleet.worker import Worker
from schemas.attestation import is_attested
from schemas.stripe_webhooks import API_VERSION, StripeWebhook
from services.gateway.http.sightings import KINDS_MAX, Sightings
from services.gateway.http.web import build_web
from tests.integration.gateway.conftest import CONNECT, Door, gateway_settings
from tests.integration.gateway.test_webhooks import CONNECT_PATH, deliver, event, problem, published
from tests.unit.gateway.test_wire import EVENT, THIN, read

seen = Sightings()
KEY = "k" * 40


@pytest.fixture(scope="module")
async def live(kafka: str) -> AsyncIterator[Door]:
    """A live deployment's gateway, without a database as in test_webhooks.py."""
    async for door in door_of(
        kafka, stripe_livemode=True, attestation_keys=SecretStr(KEY), publisher_key=SecretStr(KEY)
    ):
        yield door


@pytest.fixture(scope="module")
async def trial(kafka: str) -> AsyncIterator[Door]:
    async for door in door_of(kafka):
        yield door


async def door_of(kafka: str, **settings: Any) -> AsyncIterator[Door]:
    known = gateway_settings(kafka, **settings)
    await create_topics(known, [TopicPlan(name="stripe.webhook", partitions=3, retention_ms=-1)])
    worker = Worker("gateway", known)
    web = build_web(known, worker.database, worker.publish_now, seen)
    transport = httpx.ASGITransport(web, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as client:
        yield Door(settings=known, client=client)
    if worker._producer:
        await worker._producer.stop()
    await worker.database.close()


def counted() -> set[tuple[str, str]]:
    return {(kind[0], str(kind[1])) for kind in seen._seen}


async def test_a_test_event_at_a_live_connect_endpoint_is_taken_and_dropped(live: Door) -> None:
    """docs.stripe.com/connect/webhooks: a live Connect endpoint gets the events of both modes."""
    body = event("evt_test_of_payee", account="acct_1")
    assert (await deliver(live.client, body, CONNECT, path=CONNECT_PATH)).status_code == 200
    assert (await deliver(live.client, event("evt_test_of_ours"))).status_code == 200
    body = event("evt_live", account="acct_1", livemode=True)
    assert (await deliver(live.client, body, CONNECT, path=CONNECT_PATH)).status_code == 200
    [record] = await published(live.settings)
    assert b"evt_live" in record.value
    webhook = StripeWebhook.model_validate_json(record.value)
    assert is_attested(webhook, [KEY])
    assert not is_attested(webhook, ["another" * 8])
    assert {("connect", "dropped"), ("platform", "dropped"), ("connect", "published")} <= counted()


async def test_a_live_event_at_a_test_deployment_is_refused_with_the_way_out(trial: Door) -> None:
    answer = await deliver(trial.client, event("evt_live_here", livemode=True))
    assert problem(answer) == (400, "wrong_mode")
    assert "HOBBS_STRIPE_LIVEMODE" in answer.json()["detail"]
    assert [r for r in await published(trial.settings) if b"evt_live_here" in r.value] == []
    assert ("platform", "refused") in counted()


async def test_a_thin_event_is_published_with_what_it_names(trial: Door) -> None:
    body = json.dumps(THIN).encode()
    assert (await deliver(trial.client, body, CONNECT, path=CONNECT_PATH)).status_code == 200
    [record] = [r for r in await published(trial.settings) if THIN["id"].encode() in r.value]
    webhook = StripeWebhook.model_validate_json(record.value)
    assert (webhook.event_type, webhook.account) == ("v2.core.account[requirements].updated", "acct_1")
    assert webhook.related_object is not None
    assert webhook.related_object.url == "/v2/core/accounts/acct_1"
    assert record.key == b"acct_1"


async def test_an_altered_thin_event_is_not_believed(trial: Door) -> None:
    answer = await deliver(trial.client, json.dumps(THIN).encode(), "whsec_somebody_else")
    assert problem(answer) == (400, "bad_signature")


async def kinds(db: Database) -> dict[tuple[str, str, str, str], int]:
    async with db.transaction() as tx:
        rows = await tx.all("SELECT * FROM gateway_public.webhook_sighting")
    return {(row.endpoint, row.verdict, row.reading, row.api_version): row.events for row in rows}


async def test_what_came_is_written_down_for_people(gateway_db: Database) -> None:
    sightings = Sightings()
    old = EVENT | {"api_version": "2020-08-27"}
    for document in (old, old, EVENT | {"api_version": API_VERSION}, EVENT | {"livemode": True}):
        sightings.note(read(document).sighting())
    sightings.note(read(THIN | {"type": "v1.charge.succeeded"}, "connect").sighting())
    await sightings.write(gateway_db)
    sightings.note(read(old | {"id": "evt_last"}).sighting())
    await sightings.write(gateway_db)
    await sightings.write(gateway_db)
    assert await kinds(gateway_db) == {
        ("platform", "published", "older", "2020-08-27"): 3,
        ("platform", "published", "pinned", API_VERSION): 1,
        ("platform", "refused", "none", ""): 1,
        ("connect", "published", "thin_unread", ""): 1,
    }
    async with gateway_db.transaction() as tx:
        [row] = await tx.all(
            "SELECT last_event_id FROM gateway_public.webhook_sighting WHERE reading = 'older'"
        )
    assert row.last_event_id == "evt_last"


async def test_what_an_outage_keeps_from_being_written_is_written_later(gateway_db: Database) -> None:
    nowhere = Database("postgresql://nobody:nothing@127.0.0.1:1/nothing", schema="gateway", pool_size=1)
    sightings = Sightings()
    sightings.note(read(EVENT).sighting())
    with pytest.raises(OSError, match="refused"):
        await sightings.write(nowhere)
    await nowhere.close()
    await sightings.write(gateway_db)
    assert list((await kinds(gateway_db)).values()) == [1]


async def test_words_of_stripes_do_not_fill_the_memory(gateway_db: Database) -> None:
    sightings = Sightings()
    for number in range(KINDS_MAX + 20):
        sightings.note(read(EVENT | {"api_version": f"{1000 + number}-01-01"}).sighting())
    assert len(sightings._seen) == KINDS_MAX + 1
    await sightings.write(gateway_db)
    assert (await kinds(gateway_db))[("platform", "published", "older", "other")] == 20
