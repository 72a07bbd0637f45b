"""Answers are counted by the routes and statuses that there are."""

from pydantic import SecretStr

from fleet.database import Database
from fleet.envelope import Message
from services.gateway.http.credit import CreditChecks, credit_routes
from services.gateway.http.flights import flight_routes
from services.gateway.http.sightings import Sightings
from services.gateway.http.webhooks import webhook_routes
from services.gateway.metrics import ROUTES
from services.gateway.settings import GatewaySettings


async def publish_nothing(_: Message) -> None:
    return


async def test_every_route_is_counted_from_0() -> None:
    url = "postgresql://nobody@127.0.0.1:1/hobbs"
    settings = GatewaySettings(
        database_url=SecretStr(url),
        kafka_bootstrap="127.0.0.1:1",
        stripe_webhook_secrets=SecretStr("whsec_platform"),
        stripe_connect_webhook_secrets=SecretStr("whsec_connect"),
    )
    doors = webhook_routes(settings, publish_nothing, Sightings()).routes
    database = Database(url, schema="gateway", pool_size=1)
    addresses = flight_routes(database, settings.flights_bytes_max, settings.flights_per_minute).routes
    checks = credit_routes(CreditChecks(database, settings.credit_checks_per_minute)).routes
    served = {route.path for route in (*doors, *addresses, *checks)}  # type: ignore[attr-defined]
    assert served | {"/docs", "/openapi.json", "none"} == set(ROUTES)
