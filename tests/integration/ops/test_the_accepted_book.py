"""Payouts follows the school's book as billing accepted it, also in a database older than that rule."""

from collections.abc import AsyncIterator
from datetime import date
from typing import Any

import orjson
import pytest
from sqlalchemy.exc import DBAPIError

from fleet.database import Database
from fleet.envelope import Record
from fleet.invariants import ask_all
from fleet.migrate import migrate
from hobbs.check.invariants import across_services
from services.billing.handlers import configure_school
from services.payouts.handlers import configure_payees
from tests.conftest import OpenDatabase
from tests.integration.billing.given import CHANGES, configured, rows
from tests.integration.ops.test_across import spoil
from tests.support.databases import PASSWORDS, Cluster, empty, run_statement, service_url
from tests.support.payouts import SETTINGS
from tests.support.records import record

INSTRUCTOR = {"flight_per_hour": 4500, "ground_per_hour": 4000}
SPOILT = {"model": "owned", "meter": "hobbs"}  # an aircraft without a price
RELEASED = {"billing": "0002"} | {"payouts": "0003"}
RULE = "payouts_follows_the_accepted_book"


def pays(key: str, **terms: Any) -> dict[str, Any]:
    return {"kind": "instructor", "key": key, "new": INSTRUCTOR | terms}


async def accepted(billing: Database) -> list[Record]:
    """What billing has told of its book, as payouts will read it."""
    found = await rows(
        billing, "SELECT value, raw_headers FROM outbox WHERE topic = 'school.accepted' ORDER BY id"
    )
    return [record("school.accepted", bytes(row["value"]), headers=row["raw_headers"]) for row in found]


async def follow(billing: Database, payouts: Database) -> None:
    await configure_payees(payouts, await accepted(billing), accounts=SETTINGS.accounts)


async def terms(payouts: Database) -> dict[str, int]:
    """Hold hours by payee, of those who are in the book."""
    found = await rows(
        payouts,
        "SELECT key, hold_hours FROM payee WHERE configured_at IS NOT NULL AND removed_at IS NULL",
    )
    return {row["key"]: row["hold_hours"] for row in found}


async def broken(reader: Database) -> list[dict[str, Any]]:
    outcomes = {outcome.invariant.name: outcome for outcome in await ask_all(reader, across_services())}
    assert outcomes[RULE].failure is None
    return outcomes[RULE].examples


async def test_a_refused_change_set_is_in_force_nowhere(open_db: OpenDatabase) -> None:
    billing, payouts = open_db("billing"), open_db("payouts")
    await configure_school(billing, [configured(1, CHANGES)])
    await configure_school(billing, [configured(2, [pays("instructor-01", payout_hold_hours=24)])])
    # Two people applied at once, one card cannot be priced by, and one counts versions wrongly.
    await configure_school(billing, [configured(2, [pays("instructor-01", payout_hold_hours=48)])])
    await configure_school(
        billing,
        [
            configured(
                3,
                [
                    pays("instructor-01", payout_hold_hours=72),
                    {"kind": "aircraft", "key": "N1", "new": SPOILT},
                    {
                        "kind": "school",
                        "key": "school",
                        "new": CHANGES[0]["new"] | {"time_zone": "Asia/Tokyo"},
                    },
                ],
            )
        ],
    )
    await configure_school(billing, [configured(900_000, [pays("instructor-02", payout_hold_hours=96)])])
    await follow(billing, payouts)
    assert await terms(payouts) == {"instructor-01": 24, "owner-01": 0}
    assert (await rows(payouts, "SELECT time_zone FROM school"))[0]["time_zone"] == "America/New_York"
    await configure_school(billing, [configured(3, [pays("instructor-01", payout_hold_hours=12)])])
    await follow(billing, payouts)
    assert await terms(payouts) == {"instructor-01": 12, "owner-01": 0}
    assert await broken(open_db("operator")) == []


async def test_versions_that_are_read_in_another_order_leave_the_same_book(open_db: OpenDatabase) -> None:
    billing, payouts = open_db("billing"), open_db("payouts")
    await configure_school(
        billing,
        [
            configured(1, [*CHANGES, pays("x"), pays("y", payout_hold_hours=1)]),
            configured(2, [{"kind": "instructor", "key": "x", "new": None}]),
            configured(3, [pays("y", payout_hold_hours=3)]),
        ],
    )
    for one in reversed(await accepted(billing)):
        await configure_payees(payouts, [one], accounts=SETTINGS.accounts)
    assert await terms(payouts) == {"instructor-01": 0, "owner-01": 0, "y": 3}
    assert await broken(open_db("operator")) == []


async def test_a_set_that_is_decided_again_is_the_same_event(open_db: OpenDatabase) -> None:
    """A backup is restored and billing reads the set again: who follows the book knows the event already."""
    billing, payouts = open_db("billing"), open_db("payouts")
    sent = configured(1, CHANGES)
    await configure_school(billing, [sent])
    await follow(billing, payouts)
    (told,) = await accepted(billing)
    await rows(billing, "DELETE FROM inbox RETURNING event_key")
    await configure_school(billing, [sent])
    (again,) = await accepted(billing)
    assert again == told._replace(offset=again.offset)


async def test_a_copy_that_differs_is_found(open_db: OpenDatabase, owner: Database) -> None:
    billing, payouts = open_db("billing"), open_db("payouts")
    await configure_school(billing, [configured(1, CHANGES)])
    assert await broken(open_db("operator")) == []  # on its way
    await spoil(
        owner,
        "billing.school_version",
        "UPDATE billing.school_version SET applied_at = now() - interval '1 h'",
    )
    assert len(await broken(open_db("operator"))) == 3  # a payee of each kind, and the time zone
    await follow(billing, payouts)
    assert await broken(open_db("operator")) == []
    await rows(payouts, "UPDATE payee_card SET hold_hours = 5 RETURNING wallet")
    assert [row["wallet"] for row in await broken(open_db("operator"))]
    await rows(payouts, "UPDATE payee_card SET hold_hours = 0 RETURNING wallet")
    await rows(payouts, "UPDATE school SET time_zone = 'Asia/Tokyo' RETURNING time_zone")
    assert [row["wallet"] for row in await broken(open_db("operator"))] == ["the school's time zone"]


@pytest.fixture
async def older_url(cluster: Cluster) -> AsyncIterator[str]:
    """The owner's URL of a deployment of the release before: payouts took a set that billing refused."""
    async with empty(cluster) as url:
        for service, released in RELEASED.items():
            await migrate(url, PASSWORDS, [service], released)
        yield url


BEFORE_BILLING = """
    INSERT INTO billing.school_version (version, base_version, who, why, at, event_key) VALUES
        (1, 0, 'finance', 'a "test"', '2026-05-01', gen_random_uuid()),
        (2, 1, 'finance', 'é', '2026-05-02', gen_random_uuid());
    INSERT INTO billing.card_version (kind, key, effective_from, version, old, new) VALUES
        ('school', 'school', '1900-01-01', 1, NULL,
         '{"name": "S", "time_zone": "America/New_York", "currency": "USD"}'),
        ('instructor', 'ann', '1900-01-01', 1, NULL, '{"flight_per_hour": 1, "ground_per_hour": 1}'),
        ('owner', 'bob', '1900-01-01', 1, NULL, '{"payout_schedule": "weekly"}'),
        ('owner', 'gone', '1900-01-01', 1, NULL, '{}'),
        ('owner', 'gone', '1900-01-01', 2, '{}', NULL);
    UPDATE billing.book SET version = 2;
"""
# Version 3 was refused by billing: it named eve, another hold for ann, and another time zone.
BEFORE_PAYOUTS = """
    INSERT INTO payouts.payee (wallet, kind, key, schedule, hold_hours, configured_at, removed_at) VALUES
        ('instructor:ann', 'instructor', 'ann', 'per_flight', 72, '2026-05-01', NULL),
        ('instructor:eve', 'instructor', 'eve', 'daily', 9, '2026-05-03', NULL),
        ('aircraft_owner:bob', 'aircraft_owner', 'bob', 'weekly', 0, '2026-05-01', NULL),
        ('aircraft_owner:gone', 'aircraft_owner', 'gone', 'per_flight', 0, '2026-05-01', '2026-05-02');
    INSERT INTO payouts.payee_card (wallet, effective_from, version, country, schedule, minimum_amount,
                                    hold_hours, instant) VALUES
        ('instructor:ann', '1900-01-01', 3, 'US', 'per_flight', 0, 72, false),
        ('instructor:eve', '1900-01-01', 3, 'US', 'daily', 0, 9, false),
        ('aircraft_owner:bob', '1900-01-01', 1, 'US', 'weekly', 0, 0, false);
    UPDATE payouts.school SET version = 3, time_zone = 'Asia/Tokyo';
"""


def opened(url: str, service: str) -> Database:
    return Database(service_url(url, service), schema=service, pool_size=1)


@pytest.mark.parametrize("turned", [False, True])
async def test_an_upgrade_heals_what_a_refused_set_left(older_url: str, turned: bool) -> None:
    await run_statement(older_url, BEFORE_BILLING + BEFORE_PAYOUTS)
    for service in sorted(RELEASED, reverse=turned):
        await migrate(older_url, PASSWORDS, [service])
    judge, follower = opened(older_url, "billing"), opened(older_url, "payouts")
    try:
        assert await terms(follower) == {"ann": 0, "bob": 0}
        assert (await rows(follower, "SELECT time_zone FROM school"))[0]["time_zone"] == "America/New_York"
        known = await rows(
            follower, "SELECT key, configured_at IS NULL AS new, removed_at FROM payee ORDER BY key"
        )
        assert [(row["key"], row["new"], row["removed_at"] is None) for row in known] == [
            ("ann", False, True),
            ("bob", False, True),
            ("eve", True, True),
            ("gone", False, False),
        ]
        # Nothing that is still to be read, refused sets of before included, changes what was healed.
        told = await accepted(judge)
        assert [orjson.loads(one.value or b"")["version"] for one in told] == [1, 2]
        await configure_payees(follower, told, accounts=SETTINGS.accounts)
        assert await terms(follower) == {"ann": 0, "bob": 0}
        await rows(follower, "DELETE FROM payee_card RETURNING wallet")
        await rows(follower, "DELETE FROM inbox RETURNING event_key")
        await configure_payees(
            follower, told, accounts=SETTINGS.accounts
        )  # who begins with nothing gets the whole book from the topic
        cards = await rows(follower, "SELECT wallet, effective_from, version, withdrawn FROM payee_card")
        assert {(row["wallet"], row["version"], row["withdrawn"]) for row in cards} == {
            ("instructor:ann", 1, False),
            ("aircraft_owner:bob", 1, False),
            ("aircraft_owner:gone", 2, True),
        }
        assert {row["effective_from"] for row in cards} == {date(1900, 1, 1)}
    finally:
        for database in (judge, follower):
            await database.close()


async def test_a_process_of_the_release_before_writes_no_card(open_db: OpenDatabase) -> None:
    with pytest.raises(DBAPIError, match="version"):
        await rows(open_db("payouts"), "UPDATE school SET version = greatest(version, 9) RETURNING time_zone")
