"""A database in which Stripe refused requests silently: after the upgrade they are shown, and made again."""

from collections.abc import AsyncIterator

import pytest

from fleet.database import Database
from fleet.invariants import ask_all, service_invariants
from fleet.migrate import migrate
from tests.support.databases import PASSWORDS, Cluster, empty, run_statement, service_url

RELEASED = "0007"
BEFORE = """
    INSERT INTO payouts.payee (wallet, kind, key, configured_at) VALUES
        ('instructor:i1', 'instructor', 'i1', '2026-05-01'),
        ('instructor:i2', 'instructor', 'i2', '2026-05-01');
    INSERT INTO payouts.operation (id, kind, wallet, cause, params, state, reason, sentence, due_at, trace,
                                   created_at, finished_at)
    SELECT id, 'account', 'instructor:i1', cause,
           jsonb_build_object('metadata', jsonb_build_object('hobbs_operation_id', id)),
           state, 'invalid_request_error', 'Sign up for Connect.', '2026-05-01', '{}', '2026-05-01',
           finished_at
    FROM (VALUES (gen_random_uuid(), 'instructor:i1', 'refused', timestamptz '2026-05-02'),
                 (gen_random_uuid(), 'instructor:i1#2', 'refused', timestamptz '2026-05-03'))
        AS before (id, cause, state, finished_at);
"""


@pytest.fixture
async def upgraded(cluster: Cluster) -> AsyncIterator[Database]:
    async with empty(cluster) as url:
        await migrate(url, PASSWORDS, ["payouts"], RELEASED)
        await run_statement(url, BEFORE)
        await migrate(url, PASSWORDS, ["payouts"])
        database = Database(service_url(url, "payouts"), schema="payouts", pool_size=1)
        yield database
        await database.close()


async def test_an_upgrade_shows_the_last_refusal_and_has_it_tried_again_at_once(upgraded: Database) -> None:
    async with upgraded.transaction() as tx:
        [standing] = await tx.all(
            "SELECT sentence, stopped_at::date::text AS day, retry_at <= now() AS due"
            " FROM payouts_public.stopped_operations"
        )
        statuses = await tx.all("SELECT status FROM payouts_public.payees ORDER BY wallet")
    assert (standing.sentence, standing.day, standing.due) == ("Sign up for Connect.", "2026-05-03", True)
    assert [row.status for row in statuses] == ["account was refused", "account is being made"]
    outcomes = await ask_all(upgraded, service_invariants("payouts"))
    assert [o.failure for o in outcomes if o.failure] == []
    assert {o.invariant.name for o in outcomes if not o.holds} == {"stopped_operations_are_dealt_with"}
