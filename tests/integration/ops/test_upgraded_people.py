"""A database of a release that kept names in cards, payees and frozen requests: they move to one place."""

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import orjson
import pytest

from fleet.database import Database
from fleet.envelope import Record
from fleet.inbox import payload_hash
from fleet.migrate import migrate
from services.payouts import handlers
from tests.integration.billing.given import rows
from tests.support.databases import PASSWORDS, Cluster, empty, run_statement, service_url
from tests.support.leaks import tables_with
from tests.support.payouts import SETTINGS
from tests.support.records import record

RELEASED = {"billing": "0009"} | {"payouts": "0027"}
BEFORE = """
    INSERT INTO billing.school_version (version, base_version, who, why, at, event_key) VALUES
        (1, 0, 'finance', 'first', '2026-05-01', '01890a5d-ac96-774b-bcce-b302099a8057'),
        (2, 1, 'finance', 'later', '2026-05-02', '01890a5d-ac96-774b-bcce-b302099a8058');
    INSERT INTO billing.card_version (kind, key, effective_from, version, old, new) VALUES
        ('school', 'school', '1900-01-01', 1, NULL,
         '{"name": "S", "time_zone": "America/New_York", "currency": "USD"}'),
        ('instructor', 'ann', '1900-01-01', 1, NULL,
         '{"name": "Ann Planted", "email": "ann@planted.example",
           "flight_per_hour": 1, "ground_per_hour": 1}'),
        ('instructor', 'ann', '1900-01-01', 2,
         '{"name": "Ann Planted", "email": "ann@planted.example",
           "flight_per_hour": 1, "ground_per_hour": 1}',
         '{"name": "Ann N. Planted", "email": "new@planted.example",
           "flight_per_hour": 2, "ground_per_hour": 1}'),
        ('student', 'sö', '1900-01-01', 1, NULL, '{"name": "Söfie Planted"}'),
        ('owner', 'bob', '1900-01-01', 1, NULL, '{"payout_schedule": "weekly"}');
    UPDATE billing.book SET version = 2;
    INSERT INTO billing.outbox (topic, key, value, raw_headers) VALUES
        ('school.accepted', 'school',
         convert_to('{"version": 2, "changes": [{"kind": "instructor", "key": "ann", "effective_from":
                      "1900-01-01", "new": {"name": "Ann N. Planted", "flight_per_hour": 2}}]}', 'UTF8'),
         '{"ce_source": "hobbs/billing", "ce_hobbscontent": "school.accepted x"}');
    INSERT INTO payouts.payee (wallet, kind, key, email, configured_at) VALUES
        ('instructor:ann', 'instructor', 'ann', 'new@planted.example', '2026-05-01'),
        ('aircraft_owner:bob', 'aircraft_owner', 'bob', NULL, '2026-05-01');
    INSERT INTO payouts.payee_card (wallet, effective_from, version, email, country, schedule, minimum_amount,
                                    hold_hours, instant)
    VALUES ('instructor:ann', '1900-01-01', 2, 'new@planted.example', 'US', 'per_flight', 0, 0, false);
    INSERT INTO payouts.operation (id, kind, wallet, cause, params, state, due_at, trace, created_at)
    SELECT id, 'account', 'instructor:ann', 'instructor:ann',
           jsonb_build_object('api', 'v2', 'contact_email', 'new@planted.example',
                              'metadata', jsonb_build_object('hobbs_operation_id', id)),
           'due', '2026-05-01', '{}', '2026-05-01'
    FROM (VALUES (gen_random_uuid())) AS before (id);
"""


@pytest.fixture
async def older_url(cluster: Cluster) -> AsyncIterator[str]:
    """The owner's URL of a deployment of the release before."""
    async with empty(cluster) as url:
        for service, released in RELEASED.items():
            await migrate(url, PASSWORDS, [service], released)
        await run_statement(url, BEFORE)
        yield url


def opened(url: str, service: str) -> Database:
    return Database(service_url(url, service), schema=service, pool_size=1)


async def told(billing: Database) -> list[Record]:
    """What billing's outbox has for `contact.changed`, as payouts will read it."""
    found = await rows(
        billing, "SELECT value, raw_headers FROM outbox WHERE topic = 'contact.changed' ORDER BY id"
    )
    return [record("contact.changed", bytes(row["value"]), headers=row["raw_headers"]) for row in found]


@pytest.mark.parametrize("turned", [False, True])
async def test_what_was_kept_of_people_moves_to_one_place_and_is_nowhere_else(
    older_url: str, turned: bool
) -> None:
    for service in sorted(RELEASED, reverse=turned):
        await migrate(older_url, PASSWORDS, [service])
    billing, payouts = opened(older_url, "billing"), opened(older_url, "payouts")
    try:
        assert await kept(payouts) == [("instructor:ann", None, "new@planted.example")]
        await handlers.know_people(payouts, await told(billing), accounts=SETTINGS.accounts)
        assert await kept(payouts) == [
            ("instructor:ann", "Ann N. Planted", "new@planted.example"),
            ("student:sö", "Söfie Planted", None),
        ]
        [accepted] = await rows(billing, "SELECT value FROM outbox WHERE topic = 'school.accepted'")
        assert orjson.loads(bytes(accepted["value"]))["changes"][0]["new"] == {"flight_per_hour": 2}
        cards = await rows(billing, "SELECT old, new FROM card_version WHERE key = 'ann' AND version = 2")
        assert cards == [
            {
                "old": {"flight_per_hour": 1, "ground_per_hour": 1},
                "new": {"flight_per_hour": 2, "ground_per_hour": 1},
            }
        ]
        await rows(billing, "DELETE FROM outbox RETURNING id")  # Kafka has it
        assert await tables_with(older_url, "planted") == [
            "payouts.contact.email",
            "payouts.contact.full_name",
        ]
    finally:
        for database in (billing, payouts):
            await database.close()


async def kept(payouts: Database) -> list[tuple[Any, ...]]:
    found = await rows(payouts, "SELECT wallet, full_name, email FROM contact ORDER BY wallet")
    return [tuple(row.values()) for row in found]


async def test_an_upgrade_that_is_made_again_tells_of_the_same_events(cluster: Cluster) -> None:
    """A backup is restored and migrated again: payouts knows the events already."""
    hashes = []
    for _ in range(2):
        async with empty(cluster) as url:
            await migrate(url, PASSWORDS, ["billing"], RELEASED["billing"])
            await run_statement(url, BEFORE.partition("INSERT INTO payouts.")[0])
            await migrate(url, PASSWORDS, ["billing"])
            billing = opened(url, "billing")
            hashes.append([(one.headers["ce_id"], payload_hash(one)) for one in await told(billing)])
            await billing.close()
    assert hashes[0] == hashes[1]
    assert len(hashes[0]) == 2


@pytest.mark.parametrize(
    "attack",
    [
        "UPDATE billing.card_version SET new = new || '{\"name\": \"Jo\"}' WHERE kind = 'student'",
        'UPDATE payouts.operation SET params = params || \'{"email": "jo@example.org"}\'',
    ],
)
async def test_the_database_takes_no_name_elsewhere(older_url: str, attack: str) -> None:
    for service in RELEASED:
        await migrate(older_url, PASSWORDS, [service])
    connection = await asyncpg.connect(older_url)
    try:
        with pytest.raises((asyncpg.CheckViolationError, asyncpg.RaiseError)):
            await connection.execute(attack)
    finally:
        await connection.close()
