"""POST /webhooks/stripe and /webhooks/stripe/connect: verify, attest, publish, and only then answer 2xx.

Promises: what is answered 200 stands in Kafka, but for test-mode events at a live deployment, which are
counted and dropped; what is refused was never published. No database is needed here, so an outage of Postgres
costs Stripe no retry. Duplicates are published again under the same event identity, and the consumers' inbox
drops them.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from aiokafka.errors import KafkaError
from fastapi import APIRouter, Request
from fastapi.responses import Response

from fleet.attestation_keys import keys_of
from fleet.envelope import Message, first_cause
from fleet.faults import fault_point
from schemas.attestation import attest
from services.gateway.domain.problems import ProblemRaised
from services.gateway.domain.sightings import Verdict, other_mode
from services.gateway.domain.signatures import check_signature
from services.gateway.http.edge import read_body
from services.gateway.http.sightings import Sightings
from services.gateway.metrics import (
    WEBHOOK_AGE_SECONDS,
    WEBHOOK_OTHER_MODE,
    WEBHOOK_READINGS,
    WEBHOOK_SECONDS,
)
from services.gateway.settings import GatewaySettings, secrets_of
from services.gateway.wire import WEBHOOK_TOPIC, Endpoint, ReadWebhook, read_webhook

Publish = Callable[[Message], Awaitable[None]]

_log = logging.getLogger(__name__)

UNSIGNED: Final = {"missing_signature", "malformed_signature", "bad_signature", "too_large", "too_slow"}
_ANSWERS: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "Kafka acknowledged it; or it is of test mode, the deployment live: dropped."},
    400: {"description": "The signature or the event is refused; nothing was published."},
    413: {"description": "The body is larger than the limit."},
    503: {"description": "Kafka did not acknowledge in time; Stripe sends it again."},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookEndpoint:
    """One endpoint: which events it takes, the secrets of its signatures, and how it publishes.

    clock: Unix seconds.
    """

    endpoint: Endpoint
    secrets: tuple[str, ...]
    settings: GatewaySettings
    publish: Publish
    sightings: Sightings
    clock: Callable[[], float] = time.time


def webhook_routes(settings: GatewaySettings, publish: Publish, sightings: Sightings) -> APIRouter:
    """The two endpoints that Stripe calls; each has secrets of its own, as it has at Stripe."""
    routes = APIRouter(tags=["webhooks"])
    platform, connect = settings.stripe_webhook_secrets, settings.stripe_connect_webhook_secrets
    _add_endpoint(routes, "/webhooks/stripe", "platform", platform, settings, publish, sightings)
    _add_endpoint(routes, "/webhooks/stripe/connect", "connect", connect, settings, publish, sightings)
    return routes


def _add_endpoint(
    routes: APIRouter,
    path: str,
    endpoint: Endpoint,
    secrets: Any,
    settings: GatewaySettings,
    publish: Publish,
    sightings: Sightings,
) -> None:
    served = WebhookEndpoint(
        endpoint=endpoint,
        secrets=secrets_of(secrets),
        settings=settings,
        publish=publish,
        sightings=sightings,
    )

    async def receive(request: Request) -> Response:
        return await answer_webhook(served, request)

    routes.add_api_route(
        path,
        receive,
        methods=["POST"],
        name=f"stripe_{endpoint}",
        summary=f"Take one Stripe event of the {endpoint} endpoint",
        description="For Stripe. The raw body is verified against the Stripe-Signature header.",
        responses=_ANSWERS,
        response_class=Response,
        openapi_extra={"requestBody": {"required": True, "content": {"application/json": {"schema": {}}}}},
    )


async def answer_webhook(served: WebhookEndpoint, request: Request) -> Response:
    """Answer one delivery and measure how long it took."""
    begun, outcome = time.perf_counter(), "error"
    try:
        webhook = await _verified(served, request)
        await fault_point("gateway.verified")
        outcome = await _deal_with(served, webhook)
    except ProblemRaised as refused:
        outcome = str(refused.problem.members.get("reason", refused.problem.kind))
        # Anybody can send an unsigned body, so it is logged at debug only; a signed one is worth a line.
        level = logging.DEBUG if outcome in UNSIGNED else logging.WARNING
        _log.log(level, "webhook refused", extra={"endpoint": served.endpoint, "outcome": outcome})
        raise
    finally:
        WEBHOOK_SECONDS.labels(served.endpoint, outcome).observe(time.perf_counter() - begun)
    return Response(status_code=200)


async def _verified(served: WebhookEndpoint, request: Request) -> ReadWebhook:
    body = await read_body(request, served.settings.webhook_bytes_max)
    await fault_point("gateway.received")
    now = served.clock()
    header = request.headers.get("stripe-signature")
    tolerance = served.settings.webhook_tolerance_s
    refused = check_signature(body, header, served.secrets, now=int(now), tolerance_s=tolerance)
    if refused:
        raise ProblemRaised("signature_refused", refused.sentence, reason=refused.reason)
    return read_webhook(
        body,
        endpoint=served.endpoint,
        livemode=served.settings.stripe_livemode,
        received_at=datetime.fromtimestamp(now, UTC),
    )


async def _deal_with(served: WebhookEndpoint, webhook: ReadWebhook) -> str:
    """Publish an event of our mode, drop a test-mode one, refuse a live one; the outcome's name."""
    served.sightings.note(webhook.sighting())
    event = webhook.event
    if other := other_mode(webhook.verdict, served.endpoint):
        WEBHOOK_OTHER_MODE.labels(other).inc()
    if webhook.verdict is Verdict.REFUSED:
        raise ProblemRaised(
            "event_refused",
            f"event {event.event_id} is of live mode, this deployment is of test mode: correct the "
            "endpoint's address at Stripe, or HOBBS_STRIPE_LIVEMODE here",
            reason="wrong_mode",
        )
    if webhook.verdict is Verdict.DROPPED:
        return "test_mode"
    await _publish(served, webhook)
    await fault_point("gateway.published")
    WEBHOOK_READINGS.labels(served.endpoint, webhook.reading).inc()
    return "published"


async def _publish(served: WebhookEndpoint, webhook: ReadWebhook) -> None:
    """Publish and wait for Kafka's acknowledgement, for less time than Stripe waits for the answer."""
    message = Message(
        topic=WEBHOOK_TOPIC,
        key=webhook.key,
        event=attest(webhook.event, keys_of(served.settings.attestation_keys)),
        cause=first_cause(),
        event_id=webhook.event_id,
        content=webhook.content,
    )
    try:
        async with asyncio.timeout(served.settings.publish_timeout_s):
            await served.publish(message)
    except (TimeoutError, KafkaError, OSError) as error:
        _log.error("webhook not published", extra={"event_id": str(webhook.event_id), "error": repr(error)})
        raise ProblemRaised("try_again", "the event could not be published; send it again") from error
    age = (webhook.event.received_at - webhook.event.created_at).total_seconds()
    WEBHOOK_AGE_SECONDS.labels(served.endpoint).observe(max(age, 0.0))
