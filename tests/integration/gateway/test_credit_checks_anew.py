"""What a gateway keeps between credit checks says what to ask, never what is answered."""

import asyncio
from typing import Any

import httpx
import pytest
from sqlalchemy import make_url

from fleet.database import Database
from fleet.worker import Worker
from services.billing.handlers import configure_school
from services.gateway import store
from services.gateway.domain import cards as known_cards
from services.gateway.domain.api_keys import CREDIT_READ, FLIGHTS_WRITE
from services.gateway.http.credit import CreditChecks
from services.receivables import handlers
from tests.conftest import OpenDatabase
from tests.integration.billing.given import configured, given_school, rows
from tests.integration.gateway.conftest import NOWHERE, client_of, gateway_settings, new_key
from tests.integration.gateway.test_credit_checks import CHECKS, HOUR, SOLO
from tests.integration.gateway.test_flights_over_http import problem
from tests.integration.receivables.credits import a_school

AIRCRAFT = {"model": "owned", "meter": "hobbs", "rate_per_hour": 20_000}


@pytest.fixture
async def billing(open_db: OpenDatabase) -> Database:
    """A school that knows anna; receivables has its policy."""
    database = open_db("billing")
    await given_school(database, {"kind": "student", "key": "anna", "new": {}})
    await handlers.follow_book(open_db("receivables"), [a_school(limit=50_000, margin_percent=10)])
    return database


async def charge(scheduler: httpx.AsyncClient, **changed: Any) -> int:
    answer = await scheduler.post(CHECKS, json=SOLO | changed)
    assert answer.status_code == 200, answer.text
    return int(answer.json()["charge"])


async def test_a_rate_that_changed_prices_the_next_check(
    scheduler: httpx.AsyncClient, billing: Database
) -> None:
    assert [await charge(scheduler) for _ in range(2)] == [HOUR, HOUR]
    await configure_school(billing, [configured(2, [{"kind": "aircraft", "key": "N364MA", "new": AIRCRAFT}])])
    assert [await charge(scheduler) for _ in range(2)] == [21_120, 21_120]
    rate = {"kind": "student_rate", "key": "student:anna", "new": {"flight_per_hour": 100}}
    flown = {"instructor": "instructor-01", "dual_hours": "1.0"}
    assert await charge(scheduler, **flown) == 21_120 + 7_000
    await configure_school(billing, [configured(3, [rate])])
    assert await charge(scheduler, **flown) == 21_120 + 100


async def test_each_flight_is_priced_by_its_own_cards(
    scheduler: httpx.AsyncClient, billing: Database
) -> None:
    """Asked in turns, so that each is priced by cards that were read for others."""
    more = [
        {"kind": "student", "key": "bo", "new": {"also_instructor": "instructor-01"}},
        {"kind": "student_rate", "key": "student:bo", "new": {"flight_per_hour": 3_000}},
        {"kind": "student_rate", "key": "instructor:i-2", "new": {"flight_per_hour": 5_000}},
        {"kind": "instructor", "key": "i-2", "new": {"flight_per_hour": 1, "ground_per_hour": 1}},
        {"kind": "aircraft", "key": "N2", "new": AIRCRAFT},
        {"kind": "aircraft", "key": "anna", "new": AIRCRAFT | {"rate_per_hour": 100}},
    ]
    await configure_school(billing, [configured(2, more)])
    dual = {"instructor": "i-2", "dual_hours": "1.0"}
    asked = {
        21_120: {"aircraft": "N2"},
        HOUR + 5_000: dual,
        21_120 + 3_000: dual | {"aircraft": "N2", "student": "bo"},
        HOUR + 7_000: dual | {"instructor": "instructor-01"},
        106: {"aircraft": "anna"},
    }
    for _ in range(3):
        assert [await charge(scheduler, **changed) for changed in asked.values()] == list(asked)
    itself = await scheduler.post(CHECKS, json=SOLO | dual | {"student": "bo", "instructor": "instructor-01"})
    assert (itself.status_code, itself.json()["reason"]) == (422, "self_instruction")


async def test_who_was_not_in_the_book_is_looked_for_again(
    scheduler: httpx.AsyncClient, billing: Database
) -> None:
    assert problem(await scheduler.post(CHECKS, json=SOLO | {"aircraft": "N2"})) == (422, "not_priced")
    await configure_school(billing, [configured(2, [{"kind": "aircraft", "key": "N2", "new": AIRCRAFT}])])
    assert await charge(scheduler, aircraft="N2") == 21_120
    await configure_school(billing, [configured(3, [{"kind": "aircraft", "key": "N2", "new": None}])])
    assert problem(await scheduler.post(CHECKS, json=SOLO | {"aircraft": "N2"})) == (422, "not_priced")


async def test_names_that_are_not_there_take_no_more_room(
    scheduler: httpx.AsyncClient, billing: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(known_cards, "NAMES_MAX", 3)
    for name in ("anna", "student-01", "anna"):
        assert await charge(scheduler, student=name) == HOUR
    kept = known_cards.KnownCards()
    for number in range(10):
        kept.keep(f"s-{number}", None, None, 1, [(("tax", "rental"), "tax")])
        assert kept.of(f"s-{number}", None, None) == (1, ["tax"])
    assert (kept.of("s-0", None, None), len(kept._cards)) == (None, 3)


@pytest.mark.parametrize(
    "body", [{"student": "anna", "charge": 1}, {"student": "anna"}, SOLO, SOLO | {"aircraft": "N1"}]
)
async def test_a_key_that_was_revoked_hears_only_that(
    scheduler: httpx.AsyncClient, billing: Database, gateway_db: Database, body: dict[str, Any]
) -> None:
    key = await new_key(gateway_db, "planner", (CREDIT_READ,))
    headers = {"Authorization": f"Bearer {key}"}
    assert (await scheduler.post(CHECKS, json=SOLO, headers=headers)).status_code == 200
    async with gateway_db.transaction() as tx:
        await store.api_keys.revoke(tx, name="planner", revoked_by="test")
    for _ in range(2):
        after = await scheduler.post(CHECKS, json=body, headers=headers)
        assert problem(after) == (401, "key_refused")
    too_long = await scheduler.post(CHECKS, content=b"x" * 5_000, headers=headers)
    assert problem(too_long) == (401, "key_refused")


async def test_a_key_without_the_scope_is_refused_before_its_quota_and_body(
    billing: Database, gateway_db: Database
) -> None:
    settings = gateway_settings("127.0.0.1:1", credit_checks_per_minute=1)
    good = await new_key(gateway_db, "good", (CREDIT_READ,))
    other = await new_key(gateway_db, "other", (FLIGHTS_WRITE,))
    worker = Worker("gateway", settings)
    async with client_of(settings, gateway_db, worker) as client:
        told = [
            await client.post(CHECKS, content=b"{", headers={"Authorization": f"Bearer {key}"})
            for key in (good, good, other)
        ]
    await worker.database.close()
    refusals = [(400, "malformed_body"), (429, "too_many"), (403, "scope_missing")]
    assert [problem(answer) for answer in told] == refusals


async def test_the_use_of_a_key_is_noted_once_a_minute(
    scheduler: httpx.AsyncClient, billing: Database, gateway_db: Database
) -> None:
    used = "SELECT last_used_at FROM api_key WHERE name = 'scheduler'"
    await charge(scheduler)
    [first] = await rows(gateway_db, used)
    await charge(scheduler)
    assert await rows(gateway_db, used) == [first]
    async with gateway_db.transaction() as tx:
        await tx.execute("UPDATE api_key SET last_used_at = now() - interval '2 minutes'")
    await charge(scheduler)
    [later] = await rows(gateway_db, used)
    assert later["last_used_at"] >= first["last_used_at"]


async def test_a_session_that_the_server_ended_costs_no_answer(
    scheduler: httpx.AsyncClient, billing: Database, gateway_db: Database
) -> None:
    assert await charge(scheduler) == HOUR
    ended = await rows(
        gateway_db,
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
        " AND datname = current_database() AND query LIKE '%credit_check%'",
    )
    assert len(ended) == 1
    await asyncio.sleep(0.1)  # until the driver has heard of it
    assert await charge(scheduler) == HOUR


async def test_a_database_that_does_not_answer_is_a_503(
    scheduler: httpx.AsyncClient, billing: Database, gateway_db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await charge(scheduler) == HOUR
    monkeypatch.setattr(gateway_db, "_questions", None)
    monkeypatch.setattr(gateway_db, "url", make_url(NOWHERE))
    assert problem(await scheduler.post(CHECKS, json=SOLO)) == (503, "try_again")
    monkeypatch.undo()
    assert await charge(scheduler) == HOUR


async def test_a_bug_is_answered_without_a_word_of_it(
    scheduler: httpx.AsyncClient, billing: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def breaks(*_: object) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr(CreditChecks, "_judge", breaks)
    answer = await scheduler.post(CHECKS, json=SOLO)
    assert problem(answer) == (500, "internal")
    assert "secret" not in answer.text
