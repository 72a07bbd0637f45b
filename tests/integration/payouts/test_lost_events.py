"""Events that were delivered to Kafka, and lost with it before receivables had taken them in."""

from fleet.database import Database
from services.receivables.handlers import take_stripe_events
from tests.integration.payouts.test_missed_events import (
    OF_A_PAYMENT,
    delivered,
    journals,
    made,
    pay,
    published,
    recover,
    types_published,
)
from tests.integration.payouts.world import World
from tests.support.databases import service_url


async def test_what_receivables_lost_with_kafka_is_published_again(world: World, owner_url: str) -> None:
    """Both had the first payment's events; of the second only payouts had taken them in."""
    receivables = Database(service_url(owner_url, "receivables"), schema="receivables", pool_size=2)
    first, lost = pay(world), pay(world)
    events = made(world)
    assert len(events) == 6
    await world.handle(*[delivered(event) for event in events])
    await take_stripe_events(receivables, [delivered(event) for event in events[:3]])
    await recover(world)
    assert await published(world) == []
    await world.rows("UPDATE event_listing SET lost_before = :now RETURNING only_row", now=world.clock())
    await recover(world)
    assert await types_published(world) == OF_A_PAYMENT
    await take_stripe_events(receivables, await published(world))
    assert [len(await journals(receivables, charge)) for charge in (first, lost)] == [1, 1]
    await recover(world)
    assert await types_published(world) == OF_A_PAYMENT
    await receivables.close()
