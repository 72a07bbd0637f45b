"""Which webhooks are believed, refused or asked for again, by the real application and a real broker."""

import asyncio
import codecs
import json
import time
from typing import Any

import httpx
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from fleet.database import Database
from fleet.envelope import CONTENT_HEADER
from fleet.record_format import VALUE_BYTES_MAX
from fleet.worker import Worker
from schemas.stripe_webhooks import StripeWebhook
from services.gateway.domain.signatures import sign
from services.gateway.http.web import build_web
from services.gateway.http.webhooks import Publish
from services.gateway.settings import GatewaySettings
from tests.integration.gateway.conftest import (
    CONNECT,
    NOWHERE,
    PLATFORM_NEW,
    PLATFORM_OLD,
    Door,
    client_of,
    gateway_settings,
)

PLATFORM_PATH, CONNECT_PATH = "/webhooks/stripe", "/webhooks/stripe/connect"


def event(event_id: str = "evt_1", **changed: Any) -> bytes:
    document = {
        "id": event_id,
        "object": "event",
        "type": "charge.succeeded",
        "created": int(time.time()),
        "livemode": False,
        "pending_webhooks": 1,
        "data": {"object": {"id": "ch_1", "object": "charge", "failure_message": "Überlandflug"}},
    }
    return json.dumps(document | changed, ensure_ascii=False).encode()


def kept(body: bytes) -> dict[str, Any]:
    """What of that event is published: Stripe's count of deliveries means nothing to anybody."""
    return {name: value for name, value in json.loads(body).items() if name != "pending_webhooks"}


async def deliver(
    client: httpx.AsyncClient,
    body: bytes,
    secret: str = PLATFORM_NEW,
    *,
    path: str = PLATFORM_PATH,
    ago_s: int = 0,
    header: str | None = None,
) -> httpx.Response:
    signed_at = int(time.time()) - ago_s
    signature = header if header is not None else f"t={signed_at},v1={sign(body, secret, signed_at)}"
    return await client.post(path, content=body, headers={"Stripe-Signature": signature})


async def published(settings: GatewaySettings) -> list[Any]:
    """Every record of the topic, from its beginning to its present end."""
    topic = f"{settings.topic_prefix}stripe.webhook"
    async with AIOKafkaConsumer(bootstrap_servers=settings.kafka_bootstrap) as consumer:
        places = [TopicPartition(topic, number) for number in range(3)]
        consumer.assign(places)
        await consumer.seek_to_beginning(*places)
        ends = await consumer.end_offsets(places)
        records: list[Any] = []
        for place in places:
            while await consumer.position(place) < ends[place]:
                records += (await consumer.getmany(place, timeout_ms=1000)).get(place, [])
        return records


def problem(response: httpx.Response) -> tuple[int, str]:
    assert response.headers.get("content-type") == "application/problem+json", response.status_code
    document = response.json()
    assert document["status"] == response.status_code
    return response.status_code, document.get("reason", document["type"].removeprefix("/docs#"))


async def test_a_closing_slash_is_served_and_a_byte_order_mark_is_left_out(door: Door) -> None:
    body = event("evt_marked")
    marked = await deliver(door.client, codecs.BOM_UTF8 + body, path=f"{PLATFORM_PATH}/")
    connect = event("evt_slash", account="acct_1")
    there = await deliver(door.client, connect, CONNECT, path=f"{CONNECT_PATH}/")
    assert (marked.status_code, there.status_code) == (200, 200)
    (record,) = [r for r in await published(door.settings) if b"evt_marked" in r.value]
    assert json.loads(StripeWebhook.model_validate_json(record.value).body) == kept(body)


async def test_a_valid_webhook_is_in_kafka_before_the_answer(door: Door) -> None:
    body = event("evt_valid")
    answer = await deliver(door.client, body)
    assert answer.status_code == 200
    (record,) = [r for r in await published(door.settings) if b"evt_valid" in r.value]
    assert record.key == b"ch_1"
    webhook = StripeWebhook.model_validate_json(record.value)
    assert json.loads(webhook.body) == kept(body)
    assert (webhook.endpoint, webhook.account, webhook.attested) == ("platform", None, True)


async def test_the_largest_webhook_fits_a_record_whatever_it_is_made_of(door: Door) -> None:
    frame = len(event("evt_large", url=""))
    room = door.settings.webhook_bytes_max - frame
    body = event("evt_large", url='"' * (room // 2))  # every character is escaped, twice over
    assert len(body) > door.settings.webhook_bytes_max - 2
    assert (await deliver(door.client, body)).status_code == 200
    (record,) = [r for r in await published(door.settings) if b"evt_large" in r.value]
    assert len(record.value) < VALUE_BYTES_MAX


async def test_both_secrets_of_a_rotation_are_believed(door: Door) -> None:
    for secret in (PLATFORM_NEW, PLATFORM_OLD):
        assert (await deliver(door.client, event(), secret)).status_code == 200


async def test_a_connected_accounts_event_is_taken_at_its_own_endpoint(door: Door) -> None:
    body = event("evt_connect", account="acct_1")
    assert (await deliver(door.client, body, CONNECT, path=CONNECT_PATH)).status_code == 200


async def test_a_repeated_delivery_is_the_same_event(door: Door) -> None:
    for pending in (2, 1):
        assert (await deliver(door.client, event("evt_twice", pending_webhooks=pending))).status_code == 200
    first, again = [dict(r.headers) for r in await published(door.settings) if b"evt_twice" in r.value]
    assert first["ce_id"] == again["ce_id"]
    assert first[CONTENT_HEADER] == again[CONTENT_HEADER]


OTHER = "whsec_somebody_else"
REFUSED: list[tuple[str, dict[str, Any], tuple[int, str]]] = [
    ("wrong secret", {"secret": OTHER}, (400, "bad_signature")),
    ("the other endpoint's secret", {"secret": CONNECT}, (400, "bad_signature")),
    ("no signature", {"header": ""}, (400, "missing_signature")),
    ("garbage signature", {"header": "t=1,t=2"}, (400, "malformed_signature")),
    ("stale", {"ago_s": 301}, (400, "stale")),
    ("replayed a day later", {"ago_s": 86_400}, (400, "stale")),
    ("future", {"ago_s": -302}, (400, "future")),
    ("not UTF-8", {"body": b'{"id": "evt_forged\xff"}'}, (400, "malformed_body")),
    ("truncated", {"body": event("evt_forged")[:-9]}, (400, "malformed_body")),
    ("empty", {"body": b""}, (400, "malformed_body")),
    ("not an object", {"body": b"[]"}, (400, "malformed_body")),
    ("1 MiB", {"body": event("evt_forged", url="x" * 2**20)}, (413, "too_large")),
    ("live mode in test", {"body": event("evt_forged", livemode=True)}, (400, "wrong_mode")),
    ("wrong account", {"body": event("evt_forged", account="acct_1")}, (400, "wrong_endpoint")),
    (
        "no account at connect",
        {"body": event("evt_forged"), "secret": CONNECT, "path": CONNECT_PATH},
        (400, "wrong_endpoint"),
    ),
    ("not an event", {"body": event("evt_forged", object="charge")}, (400, "event_refused")),
]


@pytest.mark.parametrize(("sent", "expected"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
async def test_what_is_not_believed_is_refused(
    door: Door, sent: dict[str, Any], expected: tuple[int, str]
) -> None:
    assert problem(await attempt(door, sent)) == expected


async def test_nothing_refused_was_published(door: Door) -> None:
    for _, sent, _ in REFUSED:
        await attempt(door, sent)
    assert [r for r in await published(door.settings) if b"evt_forged" in r.value] == []


async def attempt(door: Door, sent: dict[str, Any]) -> httpx.Response:
    options = {name: value for name, value in sent.items() if name != "body"}
    return await deliver(door.client, sent.get("body", event("evt_forged")), **options)


async def test_a_body_altered_after_signing_is_refused(door: Door) -> None:
    body, now = event("evt_forged"), int(time.time())
    header = f"t={now},v1={sign(body, PLATFORM_NEW, now)}"
    altered = body.replace(b"ch_1", b"ch_2")
    assert problem(await deliver(door.client, altered, header=header)) == (400, "bad_signature")


async def test_a_body_sent_in_pieces_is_capped_too(door: Door) -> None:
    async def pieces() -> Any:
        for _ in range(400):
            yield b"x" * 1024

    answer = await door.client.post(PLATFORM_PATH, content=pieces(), headers={"Stripe-Signature": "t=1"})
    assert problem(answer) == (413, "too_large")


async def test_an_endpoint_without_a_secret_believes_nobody(door: Door) -> None:
    settings = gateway_settings(door.settings.kafka_bootstrap, stripe_webhook_secrets="")
    answer = await answered(settings, never_published, event(), "")
    assert problem(answer) == (400, "bad_signature")


async def test_stripe_is_told_to_come_back_when_kafka_does_not_answer() -> None:
    settings = gateway_settings("127.0.0.1:1", publish_timeout_s=0.5)
    worker = Worker("gateway", settings)
    started = time.perf_counter()
    async with client_of(settings, worker.database, worker) as client:
        answer = await deliver(client, event())
    await worker.database.close()
    assert problem(answer) == (503, "try_again")
    assert int(answer.headers["Retry-After"]) > 0
    assert time.perf_counter() - started < 3


async def never_published(message: object) -> None:
    raise AssertionError("published")


async def answered(settings: GatewaySettings, publish: Publish, body: bytes, secret: str) -> httpx.Response:
    database = Database(NOWHERE, schema="gateway", pool_size=5)
    transport = httpx.ASGITransport(build_web(settings, database, publish))
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as client:
        return await deliver(client, body, secret)


async def test_a_hundred_deliveries_at_once_are_all_published(door: Door) -> None:
    answers = await asyncio.gather(
        *(deliver(door.client, event(f"evt_many_{number}")) for number in range(100))
    )
    assert {answer.status_code for answer in answers} == {200}
    found = {r.value for r in await published(door.settings) if b"evt_many_" in r.value}
    assert len(found) == 100
