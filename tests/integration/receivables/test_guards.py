"""Receivables cannot change what it asked for, and whoever does is found by `hobbs check`."""

from collections.abc import AsyncIterator

import asyncpg
import pytest
from sqlalchemy.exc import DBAPIError

from fleet.database import Database
from services.receivables.desk.decisions import ACTIONS
from services.receivables.handlers import take_settled_charges, take_stripe_events
from tests.conftest import OpenDatabase
from tests.integration.billing.given import given_school
from tests.integration.receivables.stories import charge, dispute, refund, settled, webhook
from tests.support.decisions import answered, decision
from tests.support.invariants import broken_invariants


@pytest.fixture
async def tampered(open_db: OpenDatabase) -> Database:
    """A database with one of everything, whose invariants may be broken on purpose."""
    db = open_db("receivables")
    await given_school(open_db("billing"), {"kind": "student", "key": "anna", "new": {}})
    lost = dispute(status="lost", amount=1_000)
    events = [
        webhook("charge.succeeded", charge()),
        webhook("refund.created", refund()),
        webhook("charge.dispute.closed", lost),
        webhook("charge.succeeded", charge("ch_2", student=None)),
        webhook("charge.succeeded", charge("ch_3")),
    ]
    await take_stripe_events(db, events)
    await take_settled_charges(db, [settled()])
    moving = decision("receivables", "move", "ch_3", {"student": "student-01"}, why="a test")
    assert (await answered(db, ACTIONS, moving)).outcome == "done"
    assert await broken_invariants(db) == {}
    return db


@pytest.fixture
async def owner(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database_url, server_settings={"search_path": "receivables"})
    yield connection
    await connection.close()


FORBIDDEN = (
    "UPDATE posting SET entries = '[]'",
    "DELETE FROM posting",
    "TRUNCATE posting",
    "DELETE FROM charge",
    "DELETE FROM refund",
    "UPDATE payment_failure SET code = ''",
    "SELECT * FROM ledger.entry",
    "SELECT * FROM gateway.api_key",
    "UPDATE receivables_public.payments SET amount = 1",
)


async def test_the_service_may_change_no_posting_and_see_no_other_service(tampered: Database) -> None:
    for statement in FORBIDDEN:
        with pytest.raises(DBAPIError, match=r"permission denied|cannot update view"):
            async with tampered.transaction() as tx:
                await tx.execute(statement)


@pytest.mark.parametrize(
    ("statement", "found_by"),
    [
        (
            "UPDATE posting SET entries = jsonb_set(entries, '{0,amount}', '1')",
            "requested_journals_sum_to_zero",
        ),
        ("UPDATE charge SET amount = amount - 1", "payment_is_posted_gross"),
        (
            "UPDATE charge SET amount = NULL, currency = NULL, received_at = NULL",
            "nothing_is_posted_before_the_payment",
        ),
        ("DELETE FROM posting WHERE event_type = 'stripe_fee'", "fee_is_posted"),
        ("DELETE FROM posting WHERE event_type = 'refund'", "refund_is_posted"),
        ("UPDATE refund SET failed = true", "refund_is_posted"),
        ("DELETE FROM posting WHERE event_type = 'dispute_lost'", "dispute_is_posted"),
        ("DELETE FROM posting WHERE event_type = 'dispute'", "dispute_is_posted"),
        ("DELETE FROM unallocated_payment", "unallocated_is_queued"),
        ("UPDATE charge SET student = 'eve' WHERE student IS NULL", "unallocated_is_queued"),
        ("UPDATE charge SET student = 'anna' WHERE charge_id = 'ch_3'", "moved_payments_left_their_student"),
        ("UPDATE payment_move SET amount = amount - 1", "moves_are_posted_as_decided"),
        ("DELETE FROM payment_move", "moves_are_posted_as_decided"),
        (
            "UPDATE charge SET settled_gross = 1 WHERE settled_gross IS NOT NULL",
            "stripe_settles_what_was_paid",
        ),
    ],
)
async def test_each_invariant_finds_what_it_is_for(
    tampered: Database, owner: asyncpg.Connection, statement: str, found_by: str
) -> None:
    await owner.execute(statement)
    assert found_by in await broken_invariants(tampered)
