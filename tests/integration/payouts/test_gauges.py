"""The gauges show what is in the tables, in any process."""

from prometheus_client import REGISTRY

from services.payouts.steps import gauges
from tests.integration.payouts.world import World


def shown(name: str, **labels: str) -> float:
    value = REGISTRY.get_sample_value(name, labels)
    assert value is not None
    return value


async def test_gauges_count_transfers_and_operations_and_say_how_long_the_oldest_waits(world: World) -> None:
    world.control.fund(100_000)
    await world.payee("i1")
    await world.payee("i2", payout_hold_hours=24)
    await world.earned("i1", 8750, 100)
    await world.earned("i2", 500)
    await world.rows("UPDATE operation SET due_at = now() - interval '90 s' WHERE state = 'due' RETURNING id")
    await world.rows("UPDATE event_listing SET completed_at = now() - interval '600 s' RETURNING only_row")
    await gauges.measure(world.db)
    assert shown("payouts_transfers", state="pending") == 2
    assert shown("payouts_transfers_held", reason="hold_period") == 1
    assert shown("payouts_operations", kind="transfer", state="due") == 2
    assert shown("payouts_operations", kind="reversal", state="due") == 0
    assert 90 <= shown("payouts_oldest_due_operation_age_seconds") < 120
    assert 600 <= shown("payouts_event_listing_age_seconds") < 630
    await world.work()
    await gauges.measure(world.db)
    assert shown("payouts_oldest_due_operation_age_seconds") == 0
    assert shown("payouts_transfers", state="sent") == 2
