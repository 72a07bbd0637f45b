"""A fleet of real processes on the session's servers, with its own database, topics and simulator state."""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from aiokafka.admin import AIOKafkaAdminClient

from hobbs.demo.figures import Figures, Progress, Row
from hobbs.local.child import Child
from hobbs.local.fleet_processes import (
    Fleet,
    ensure_webhook_endpoints,
    fleet_ports,
    publisher_keys,
    start_services,
    stop_services,
    wait_until_ready,
)
from hobbs.local.running_fleet import RunningFleet, create_topics
from schemas.services import TOGETHER
from tests.support.databases import PASSWORDS
from tests.support.stripe import StripeSim

# Money moves at once, and webhooks come doubled, out of order, forged and stale.
ROUGH_STRIPE = {
    "charge_available_after_s": 0.0,
    "automatic_payout_after_s": 0.3,
    "payout_arrives_after_s": 0.3,
    "instant_payout_arrives_after_s": 0.3,
    "webhook_duplicate": 0.2,
    "webhook_reorder": 0.2,
    "webhook_reorder_wait_s": 0.5,
    "webhook_forged": 0.1,
    "webhook_stale": 0.1,
}


# Stripe decides when it pays a balance out, so the sums vary; an instant payout may find nothing left after
# an automatic one. Neither is compared, nor the instant fee that depends on them.
STRIPES_OWN = ("automatic_payout", "payout")


PARTITIONS = 3  # of each topic: enough to share work and to mix up an order


class Silent:
    """A watcher of the demo that shows nothing."""

    def say(self, sentence: str) -> None:
        return

    def show(self, figures: Progress, expected: int) -> None:
        return


@asynccontextmanager
async def fleet_on(
    folder: Path,
    *,
    owner_url: str,
    kafka: str,
    stripe_sim: StripeSim,
    log_level: str = "INFO",
    together: tuple[str, ...] = TOGETHER,
    topics_stay: bool = False,
) -> AsyncIterator[RunningFleet]:
    """Start every service on these servers and wait until it is ready; stop them after the block.

    together: the services that share a process; none where a test ends services one by one.
    topics_stay: what was published can be read after the block.
    """
    (folder / "logs").mkdir()
    stripe_sim.admin.post("settings", json=ROUGH_STRIPE).raise_for_status()
    prefix = f"t{secrets.token_hex(4)}."
    await create_topics(kafka, prefix, partitions_most=PARTITIONS)
    ports = fleet_ports(folder)
    endpoints = ensure_webhook_endpoints(folder, stripe_sim, ports["gateway"])
    fleet = Fleet(
        folder=folder,
        owner_url=owner_url,
        kafka_bootstrap=kafka,
        stripe_api_base=stripe_sim.api_base,
        stripe_secret_key=stripe_sim.secret_key,
        passwords=PASSWORDS,
        ports=ports,
        webhook_secrets=endpoints,
        publisher_keys=publisher_keys(folder),
        topic_prefix=prefix,
        log_level=log_level,
        together=together,
        stripe_limits="live",  # four times as many reads as of a test key, and the simulator counts none
    )
    services: dict[str, Child] = {}
    try:
        start_services(fleet, services)
        wait_until_ready(fleet, services)
        yield RunningFleet(fleet=fleet, services=services)
    finally:
        stop_services(services.values())
        if not topics_stay:
            await delete_topics(kafka, prefix)


async def delete_topics(bootstrap: str, prefix: str) -> None:
    """Take a fleet's topics from the broker: each client reads about all of them when it connects."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.delete_topics([name for name in await admin.list_topics() if name.startswith(prefix)])
    finally:
        await admin.close()


async def outcome(figures: Figures) -> dict[str, list[Row]]:
    """The tables at a run's end, without identifiers and instants, which differ between runs."""
    return {
        "bills": await figures.rows(_BILLS),
        "refused": await figures.rows(_REFUSED),
        "balances": await figures.rows(_BALANCES),
        "journals": await figures.rows(_JOURNALS),
        "transfers": await figures.rows(_TRANSFERS),
        "effects": sorted(
            (
                {"kind": effect["kind"], "amount": effect["amount"]}
                for effect in await figures.effects()
                if effect["kind"] not in STRIPES_OWN
            ),
            key=lambda effect: (effect["kind"], effect["amount"]),
        ),
    }


_BILLS = """
    SELECT flight_id, revision, charge, legs_total, margin, hours_from, billed_on
    FROM billing.bill ORDER BY flight_id, revision
"""
_REFUSED = "SELECT subject, reason FROM billing.dead_letter ORDER BY subject, reason"
_BALANCES = """
    SELECT address, currency, sum(amount)::bigint AS balance, count(*) AS entries
    FROM ledger_public.entries WHERE event_type <> 'instant_fee'
    GROUP BY address, currency ORDER BY address, currency
"""
_JOURNALS = """
    SELECT event_type, count(*) AS journals FROM ledger_public.journals WHERE event_type <> 'instant_fee'
    GROUP BY event_type ORDER BY event_type
"""
_TRANSFERS = """
    SELECT wallet, amount, state, count(*) AS transfers FROM payouts.transfer
    GROUP BY wallet, amount, state ORDER BY wallet, amount, state
"""
