"""Whether a student may be charged, asked over HTTP: receivables' answer, read only."""

import json
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from sqlalchemy.exc import DBAPIError

from fleet.database import Database
from fleet.worker import Worker
from fleet.zones import local_date
from services.gateway.domain.api_keys import CREDIT_READ, FLIGHTS_WRITE
from services.gateway.http.web import build_web
from services.receivables import handlers
from tests.conftest import OpenDatabase
from tests.integration.billing.given import given_school, rows
from tests.integration.gateway.conftest import gateway_settings, new_key
from tests.integration.gateway.test_flights_over_http import problem
from tests.integration.ops.conftest import Hobbs
from tests.integration.receivables.credits import SCHOOL, a_school, book, owes
from tests.integration.receivables.test_dispatches import DEPARTS, School, dispatched

CHECKS = "/v1/credit-checks"


@pytest.fixture
async def receivables(open_db: OpenDatabase) -> Database:
    """A school that knows anna, whose students may owe 500.00; a dispatch holds a tenth more."""
    await given_school(open_db("billing"), {"kind": "student", "key": "anna", "new": {}})
    database = open_db("receivables")
    await handlers.follow_book(database, [a_school(limit=50_000, margin_percent=10)])
    return database


async def asked(scheduler: httpx.AsyncClient, charge: int, student: str = "anna") -> dict[str, Any]:
    answer = await scheduler.post(CHECKS, json={"student": student, "charge": charge})
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document


async def test_a_check_says_what_a_dispatch_would_be_answered(
    scheduler: httpx.AsyncClient, receivables: Database, open_db: OpenDatabase
) -> None:
    may = await asked(scheduler, 45_454)
    assert (may["allowed"], may["held"], may["room"], may["ways"]) == (True, 50_000, 50_000, [])
    beyond = await asked(scheduler, 45_455)
    assert (beyond["allowed"], beyond["reason"], beyond["shortfall"]) == (False, "limit_exceeded", 1)
    assert beyond["ways"] == ["pay", "plan_shorter", "ask_school"]
    assert "0.01 USD" in beyond["detail"]
    await owes(open_db("ledger"), 40_000)
    owing = await asked(scheduler, 10_000)
    assert (owing["posted"], owing["level"], owing["shortfall"]) == (-40_000, "near", 1_000)


SOLO = {"student": "anna", "aircraft": "N364MA", "flight_hours": "1.0"}
HOUR = 165_00 + 924  # of N364MA, and its tax


async def test_a_planned_flight_is_priced_as_it_will_be_billed(
    scheduler: httpx.AsyncClient, receivables: Database, open_db: OpenDatabase
) -> None:
    solo = (await scheduler.post(CHECKS, json=SOLO)).json()
    assert (solo["charge"], solo["held"], solo["allowed"]) == (HOUR, 19_167, True)
    dual = SOLO | {"instructor": "instructor-01", "dual_hours": "1.0", "ground_hours": 0.5}
    with_instructor = (await scheduler.post(CHECKS, json=dual)).json()
    assert with_instructor["charge"] == HOUR + 7_000 + 3_000
    long = (await scheduler.post(CHECKS, json=SOLO | {"flight_hours": "2.7"})).json()
    assert (long["allowed"], long["reason"]) == (False, "limit_exceeded")
    assert long["ways"] == ["pay", "plan_shorter", "ask_school"]


async def test_a_dispatch_is_judged_by_the_same_figures(
    scheduler: httpx.AsyncClient, receivables: Database, open_db: OpenDatabase
) -> None:
    told = (await scheduler.post(CHECKS, json=SOLO | {"departs_at": DEPARTS.isoformat()})).json()
    school = School(open_db, receivables)
    await school.say(dispatched("D1", student="anna"))
    [cleared] = await rows(receivables, "SELECT estimate, held FROM dispatch")
    assert (told["charge"], told["held"]) == (cleared["estimate"], cleared["held"])


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"aircraft": "N1"}, "unknown_aircraft"),
        ({"student": "ana"}, "unknown_student"),
        ({"instructor": "nobody", "dual_hours": "1.0"}, "unknown_instructor"),
        ({"flight_hours": "1.55"}, None),
    ],
)
async def test_a_flight_that_cannot_be_priced_says_why(
    scheduler: httpx.AsyncClient, receivables: Database, changed: dict[str, Any], reason: str | None
) -> None:
    answer = await scheduler.post(CHECKS, json=SOLO | changed)
    assert problem(answer) == (422, "not_priced")
    assert reason is None or answer.json()["reason"] == reason
    assert len(answer.json()["detail"]) > 20


async def test_a_gateway_without_prices_asks_for_the_charge(
    gateway_db: Database, receivables: Database
) -> None:
    settings = gateway_settings("127.0.0.1:1")
    worker = Worker("gateway", settings)
    key = await new_key(gateway_db, "planner", (CREDIT_READ,))
    web = build_web(settings, gateway_db, worker.publish_now)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(web), base_url="http://gateway") as client:
        answer = await client.post(CHECKS, json=SOLO, headers={"Authorization": f"Bearer {key}"})
    await worker.database.close()
    assert problem(answer) == (422, "not_priced")


async def test_the_command_prices_alike(
    hobbs: Hobbs,
    receivables: Database,
) -> None:
    said = ("credit", "check", "anna", "--aircraft", "N364MA", "--hours", "1.0", "-o", "json")
    told = await hobbs(*said)
    assert json.loads(told.stdout)[0]["held"] == 19_167, told.stdout
    named = await hobbs("credit", "check", "anna", "--charge", "174.24", "-o", "json")
    assert json.loads(named.stdout)[0]["held"] == 19_167
    assert (await hobbs("credit", "check", "anna", "--charge", "480.00")).exit_code == 1
    assert (await hobbs("credit", "check", "anna")).exit_code == 2
    assert (await hobbs("credit", "check", "anna", "--charge", "1", "--aircraft", "N1")).exit_code == 2


async def test_a_frozen_and_an_unknown_student_are_told_apart(
    scheduler: httpx.AsyncClient, receivables: Database
) -> None:
    frozen = ("credit_limit", "anna", "2026-01-01", {"frozen": True})
    await handlers.follow_book(receivables, [book(2, frozen)])
    assert (await asked(scheduler, 1))["reason"] == "frozen"
    unknown = await asked(scheduler, 1, "ana")
    assert (unknown["allowed"], unknown["reason"], unknown["ways"]) == (
        False,
        "unknown_student",
        ["ask_school"],
    )


async def test_before_the_book_names_a_currency_nobody_is_judged(scheduler: httpx.AsyncClient) -> None:
    answer = await scheduler.post(CHECKS, json={"student": "anna", "charge": 1})
    assert problem(answer) == (503, "try_again")


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", "malformed_body"),
        (b"{", "malformed_body"),
        (b'{"student": "a\\u0000", "charge": 1}', "malformed_body"),
        (b'{"student": "anna"}', "invalid_check"),
        (b'{"student": "anna", "charge": 0}', "invalid_check"),
        (b'{"student": "anna", "charge": "1"}', "invalid_check"),
        (b'{"student": "anna", "charge": 1.5}', "invalid_check"),
        (b'{"student": "anna", "charge": 1, "more": 1}', "invalid_check"),
        (b'{"student": "anna", "charge": 1, "aircraft": "N1"}', "invalid_check"),
        (b'{"student": " anna", "aircraft": "N1", "flight_hours": "1.0"}', "invalid_check"),
        (b'{"student": "anna", "aircraft": "N1", "flight_hours": "soon"}', "invalid_check"),
        (b'{"student": "anna", "aircraft": "N1", "departs_at": "2026-05-22"}', "invalid_check"),
        (b"[]", "invalid_check"),
        (b'{"student": "' + b"x" * 5_000 + b'", "charge": 1}', "too_large"),
    ],
)
async def test_what_cannot_be_a_check_is_refused_with_a_sentence(
    scheduler: httpx.AsyncClient, body: bytes, kind: str
) -> None:
    headers = {"content-type": "application/json"}
    assert problem(await scheduler.post(CHECKS, content=body, headers=headers))[1] == kind


async def test_a_key_needs_the_scope(scheduler: httpx.AsyncClient, gateway_db: Database) -> None:
    key = await new_key(gateway_db, "flights only", (FLIGHTS_WRITE,))
    answer = await scheduler.post(
        CHECKS, json={"student": "anna", "charge": 1}, headers={"Authorization": f"Bearer {key}"}
    )
    assert problem(answer) == (403, "scope_missing")
    nobody = await scheduler.post(CHECKS, json={}, headers={"Authorization": "Bearer x"})
    assert problem(nobody) == (401, "key_refused")


@pytest.mark.parametrize(
    "table",
    [
        "receivables.charge",
        "receivables_public.items",
        "ledger_public.wallets",
        "billing_public.bills",
        "billing_public.cards",
    ],
)
async def test_the_gateway_may_read_nothing_else(gateway_db: Database, table: str) -> None:
    with pytest.raises(DBAPIError, match="permission denied"):
        async with gateway_db.autocommit() as tx:
            await tx.all(f"SELECT 1 FROM {table}")  # noqa: S608 - names from the list above


async def test_a_check_counts_days_in_the_zone_that_the_book_names_now(
    scheduler: httpx.AsyncClient, receivables: Database
) -> None:
    """A day earlier than everywhere, then a day later: the limit of the later day stands."""
    now, samoa, kiribati = datetime.now(UTC), "Pacific/Pago_Pago", "Pacific/Kiritimati"
    later = local_date(now, kiribati).isoformat()
    samoan, of_kiribati = SCHOOL | {"time_zone": samoa}, SCHOOL | {"time_zone": kiribati}
    lower = ("credit", "credit", later, {"limit": 10_000})
    await handlers.follow_book(receivables, [book(2, ("school", "school", "1900-01-01", samoan), lower)])
    assert (await asked(scheduler, 100))["credit_limit"] == 50_000
    await handlers.follow_book(receivables, [book(3, ("school", "school", "1900-01-01", of_kiribati))])
    assert (await asked(scheduler, 100))["credit_limit"] == 10_000
