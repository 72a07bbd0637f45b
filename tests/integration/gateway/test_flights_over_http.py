"""A scheduler without Kafka: what it sends becomes events once, or is refused with a reason."""

import asyncio
import codecs
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import httpx
import orjson
import pytest
from sqlalchemy.exc import DBAPIError

from fleet.database import Database
from fleet.invariants import service_invariants
from services.gateway import store
from services.gateway.domain.api_keys import CORRECTIONS_WRITE, FLIGHTS_WRITE
from services.gateway.http.web import build_web
from services.gateway.wire import FLIGHTS_MAX
from tests.integration.gateway.conftest import NOWHERE, gateway_settings, new_key

JSON = {"content-type": "application/json"}
FLIGHTS = "/v1/flights"
CORRECTIONS, CANCELLATIONS = f"{FLIGHTS}/corrections", f"{FLIGHTS}/cancellations"
FLIGHT: dict[str, Any] = {
    "flight_id": "F1",
    "date": "2026-05-22",
    "aircraft": "N1",
    "student": "student-01",
    "hobbs_out": "1253.6",
    "hobbs_in": 1254.9,
}
CORRECTION = FLIGHT | {"revision": 2, "reason": "digits swapped", "corrected_by": "dispatch"}
CANCELLATION = {"flight_id": "F1", "revision": 3, "reason": "entered twice", "cancelled_by": "dispatch"}


async def staged(db: Database) -> list[tuple[str, str, dict[str, Any]]]:
    """Topic, event id and body of everything in the outbox, in its order."""
    async with db.transaction() as tx:
        rows = await tx.all("SELECT topic, event_id, value FROM outbox ORDER BY id")
    return [(row.topic, str(row.event_id), orjson.loads(row.value)) for row in rows]


def problem(response: httpx.Response) -> tuple[int, str]:
    assert response.headers["content-type"] == "application/problem+json"
    document = response.json()
    assert document["status"] == response.status_code
    assert document["instance"].endswith(response.headers["x-request-id"])
    assert {"type", "title", "detail"} <= document.keys()
    return response.status_code, document["type"].removeprefix("/docs#")


async def test_a_flight_becomes_one_event(scheduler: httpx.AsyncClient, gateway_db: Database) -> None:
    answer = await scheduler.post(FLIGHTS, json=FLIGHT)
    assert answer.status_code == 202
    (accepted,) = answer.json()["flights"]
    ((topic, event_id, body),) = await staged(gateway_db)
    assert (accepted["event_id"], accepted["outcome"]) == (event_id, "accepted")
    assert (topic, body["flight_id"], body["hobbs_in"]) == ("flight.completed", "F1", "1254.9")


@pytest.mark.parametrize("path", [FLIGHTS, f"{FLIGHTS}/", f"{FLIGHTS}//", f"{FLIGHTS}/?from=x"])
async def test_a_closing_slash_or_a_byte_order_mark_changes_nothing(
    scheduler: httpx.AsyncClient, gateway_db: Database, path: str
) -> None:
    body = codecs.BOM_UTF8 + orjson.dumps(FLIGHT)
    assert (await scheduler.post(path, content=body, headers=JSON)).status_code == 202
    again = (await scheduler.post(FLIGHTS, json=FLIGHT)).json()["flights"][0]
    assert again["outcome"] == "repeated"
    assert (await scheduler.get("/docs/")).status_code == 200


async def test_a_repeat_is_the_same_event_and_publishes_nothing(
    scheduler: httpx.AsyncClient, gateway_db: Database
) -> None:
    first = (await scheduler.post(FLIGHTS, json=FLIGHT)).json()["flights"][0]
    again = (await scheduler.post(FLIGHTS, json=[dict(reversed(FLIGHT.items()))])).json()["flights"][0]
    assert (again["event_id"], again["outcome"]) == (first["event_id"], "repeated")
    assert len(await staged(gateway_db)) == 1


async def test_a_repeat_with_other_content_is_refused_whole(
    scheduler: httpx.AsyncClient, gateway_db: Database
) -> None:
    await scheduler.post(FLIGHTS, json=FLIGHT)
    answer = await scheduler.post(FLIGHTS, json=[FLIGHT | {"flight_id": "F2"}, FLIGHT | {"student": "other"}])
    assert problem(answer) == (409, "content_differs")
    assert answer.json()["conflicts"] == [{"place": 1, "flight_id": "F1", "revision": 1}]
    assert len(await staged(gateway_db)) == 1
    assert (await scheduler.post(FLIGHTS, json=FLIGHT | {"flight_id": "F2"})).status_code == 202


async def test_the_same_request_many_times_at_once_is_one_event_each(
    scheduler: httpx.AsyncClient, gateway_db: Database
) -> None:
    flights = [FLIGHT | {"flight_id": f"F{n}"} for n in range(20)]
    answers = await asyncio.gather(
        *(scheduler.post(FLIGHTS, json=flights[::step]) for step in (1, -1, 1, -1, 1))
    )
    assert {answer.status_code for answer in answers} == {202}
    outcomes = [flight["outcome"] for answer in answers for flight in answer.json()["flights"]]
    assert outcomes.count("accepted") == len(await staged(gateway_db)) == 20


async def test_a_flight_its_correction_and_its_cancellation_are_three_events(
    scheduler: httpx.AsyncClient, gateway_db: Database
) -> None:
    for path, sent in ((FLIGHTS, FLIGHT), (CORRECTIONS, CORRECTION), (CANCELLATIONS, CANCELLATION)):
        for outcome in ("accepted", "repeated"):
            answer = await scheduler.post(path, json=sent)
            assert (answer.status_code, answer.json()["flights"][0]["outcome"]) == (202, outcome)
    assert [(topic, body["revision"]) for topic, _, body in await staged(gateway_db)] == [
        ("flight.completed", 1),
        ("flight.corrected", 2),
        ("flight.cancelled", 3),
    ]
    assert len({event_id for _, event_id, _ in await staged(gateway_db)}) == 3


@pytest.mark.parametrize(
    ("path", "name"), [("corrections", "corrected_by"), ("cancellations", "cancelled_by")]
)
async def test_who_and_why_are_needed_to_change_a_flight(
    scheduler: httpx.AsyncClient, gateway_db: Database, path: str, name: str
) -> None:
    answer = await scheduler.post(f"{FLIGHTS}/{path}", json=FLIGHT)
    assert problem(answer) == (422, "invalid_flight")
    assert {fault["pointer"] for fault in answer.json()["errors"]} == {"#/revision", "#/reason", f"#/{name}"}
    assert await staged(gateway_db) == []


async def test_a_cancellation_repeated_with_another_reason_is_refused(
    scheduler: httpx.AsyncClient, gateway_db: Database
) -> None:
    await scheduler.post(CANCELLATIONS, json=CANCELLATION)
    answer = await scheduler.post(CANCELLATIONS, json=[CANCELLATION | {"reason": "rain"}])
    assert problem(answer) == (409, "content_differs")
    assert len(await staged(gateway_db)) == 1


async def test_five_hundred_flights_in_one_request(
    scheduler: httpx.AsyncClient, gateway_db: Database
) -> None:
    flights = [FLIGHT | {"flight_id": f"F{n}"} for n in range(FLIGHTS_MAX)]
    answer = await scheduler.post(FLIGHTS, json=flights)
    assert [flight["flight_id"] for flight in answer.json()["flights"]] == [f["flight_id"] for f in flights]
    assert problem(await scheduler.post(FLIGHTS, json=[*flights, FLIGHT])) == (400, "malformed_body")
    assert len(await staged(gateway_db)) == FLIGHTS_MAX


@pytest.mark.parametrize(
    ("path", "sent", "expected"),
    [
        (FLIGHTS, {"content": b"{", "headers": JSON}, (400, "malformed_body")),
        (FLIGHTS, {"content": b"\xff", "headers": JSON}, (400, "malformed_body")),
        (FLIGHTS, {"content": b"", "headers": JSON}, (400, "malformed_body")),
        (FLIGHTS, {"json": []}, (400, "malformed_body")),
        (FLIGHTS, {"json": FLIGHT | {"student": "a\x00"}}, (400, "malformed_body")),
        (FLIGHTS, {"json": FLIGHT | {"date": "soon"}}, (422, "invalid_flight")),
        (FLIGHTS, {"json": [FLIGHT, 1]}, (422, "invalid_flight")),
        (CORRECTIONS, {"json": FLIGHT}, (422, "invalid_flight")),
        (CANCELLATIONS, {"json": CORRECTION}, (422, "invalid_flight")),
        ("//v1/flights", {"json": FLIGHT}, (404, "not_found")),
        (FLIGHTS, {"content": "{}".encode("utf-16"), "headers": JSON}, (400, "malformed_body")),
        (FLIGHTS, {"content": b"x" * 1_100_000, "headers": JSON}, (413, "too_large")),
        (FLIGHTS, {"content": b"{}", "headers": {"content-type": "text/csv"}}, (415, "not_json")),
        (FLIGHTS, {"content": b"{}", "headers": JSON | {"content-encoding": "gzip"}}, (415, "not_json")),
        ("/v1/nothing", {"json": FLIGHT}, (404, "not_found")),
        ("/docs", {"json": FLIGHT}, (405, "method_not_allowed")),
    ],
)
async def test_every_refusal_is_a_problem_and_stages_nothing(
    scheduler: httpx.AsyncClient,
    gateway_db: Database,
    path: str,
    sent: dict[str, Any],
    expected: tuple[int, str],
) -> None:
    assert problem(await scheduler.post(path, **sent)) == expected
    assert await staged(gateway_db) == []


async def test_only_a_living_key_with_the_scope_gets_in(
    scheduler: httpx.AsyncClient, gateway_db: Database
) -> None:
    async def outcome(authorization: str | None, path: str = FLIGHTS) -> tuple[int, str]:
        headers = {"Authorization": authorization or ""}
        return problem(await scheduler.post(path, json=CORRECTION, headers=headers))

    flights_only = await new_key(gateway_db, "flights only", (FLIGHTS_WRITE,))
    gone = await new_key(gateway_db, "gone", (FLIGHTS_WRITE, CORRECTIONS_WRITE))
    async with gateway_db.transaction() as tx:
        assert await store.api_keys.revoke(tx, name="gone", revoked_by="test")
    assert await outcome(None) == (401, "key_missing")
    assert await outcome("Basic abc") == (401, "key_missing")
    assert await outcome("Bearer hfk_guess") == (401, "key_refused")
    assert await outcome("Bearer " + "x" * 5000) == (401, "key_refused")
    assert await outcome(f"Bearer {gone}") == (401, "key_refused")
    assert await outcome(f"Bearer {flights_only}", CORRECTIONS) == (403, "scope_missing")
    assert await outcome(f"Bearer {flights_only}", CANCELLATIONS) == (403, "scope_missing")
    assert await staged(gateway_db) == []


async def test_a_key_is_kept_only_as_its_hash_and_its_use_is_noted(
    scheduler: httpx.AsyncClient, gateway_db: Database
) -> None:
    key = scheduler.headers["Authorization"].removeprefix("Bearer ")
    await scheduler.post(FLIGHTS, json=FLIGHT)
    async with gateway_db.transaction() as tx:
        row = await tx.one("SELECT api_key::text AS everything, last_used_at FROM api_key")
    assert key not in row.everything
    assert row.last_used_at is not None


async def test_a_key_is_refused_once_it_has_expired_and_another_is_good_meanwhile(
    scheduler: httpx.AsyncClient, gateway_db: Database
) -> None:
    soon = datetime.now(UTC) + timedelta(seconds=3)
    old, new = [
        await new_key(gateway_db, name, (FLIGHTS_WRITE,), expires_at=at)
        for name, at in (("2026", soon), ("2027", None))
    ]
    for n, key in enumerate((old, new)):
        told = FLIGHT | {"flight_id": f"F-{n}"}
        answer = await scheduler.post(FLIGHTS, json=told, headers={"Authorization": f"Bearer {key}"})
        assert answer.status_code == 202, "no gap: both are good"
    await asyncio.sleep((soon - datetime.now(UTC)).total_seconds() + 0.1)
    answer = await scheduler.post(FLIGHTS, json=FLIGHT, headers={"Authorization": f"Bearer {old}"})
    assert problem(answer) == (401, "key_refused")
    told = FLIGHT | {"flight_id": "F-3"}
    answer = await scheduler.post(FLIGHTS, json=told, headers={"Authorization": f"Bearer {new}"})
    assert answer.status_code == 202


async def test_a_key_can_be_rotated_under_its_name(gateway_db: Database) -> None:
    await new_key(gateway_db, "x", (FLIGHTS_WRITE,))
    with pytest.raises(AssertionError):
        await new_key(gateway_db, "x", (FLIGHTS_WRITE,))
    async with gateway_db.transaction() as tx:
        await store.api_keys.revoke(tx, name="x", revoked_by="test")
        assert await store.api_keys.revoke(tx, name="x", revoked_by="test") is None
    await new_key(gateway_db, "x", (FLIGHTS_WRITE,))


FORBIDDEN = (
    "UPDATE accepted_flight SET content_hash = content_hash",
    "DELETE FROM accepted_flight",
    "DELETE FROM api_key",
    "UPDATE api_key SET scopes = scopes",
    "UPDATE api_key SET key_hash = key_hash",
    "SELECT * FROM billing.bill",
    "SELECT * FROM receivables.charge",
)


async def test_the_gateway_may_change_no_key_and_see_no_other_service(gateway_db: Database) -> None:
    for statement in FORBIDDEN:
        with pytest.raises(DBAPIError, match="permission denied"):
            async with gateway_db.transaction() as tx:
                await tx.execute(statement)


async def test_a_revoked_key_that_was_let_in_would_be_found(
    scheduler: httpx.AsyncClient, gateway_db: Database, database_url: str
) -> None:
    invariant = next(i for i in service_invariants("gateway") if i.name == "no_revoked_key_was_let_in")
    assert (await scheduler.post(FLIGHTS, json=FLIGHT)).status_code == 202
    owner = await asyncpg.connect(database_url, server_settings={"search_path": "gateway"})
    assert await owner.fetch(invariant.sql) == []
    await owner.execute("UPDATE api_key SET revoked_by = 'x', revoked_at = now() - interval '1 day'")
    assert len(await owner.fetch(invariant.sql)) == 1
    await owner.close()


async def test_a_scheduler_is_told_to_come_back_when_postgres_is_away() -> None:
    database = Database(NOWHERE, schema="gateway", pool_size=5)
    web = build_web(gateway_settings("127.0.0.1:1"), database, unpublished)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(web), base_url="http://gateway") as client:
        answer = await client.post(FLIGHTS, json=FLIGHT, headers={"Authorization": "Bearer hfk_x"})
    await database.close()
    assert problem(answer) == (503, "try_again")
    assert answer.headers["retry-after"]


async def unpublished(message: object) -> None:
    raise AssertionError(f"published {message}")


async def test_the_documentation_works_without_the_internet(scheduler: httpx.AsyncClient) -> None:
    page = await scheduler.get("/docs")
    assert page.status_code == 200
    assert "http" not in page.text.replace("http-equiv", "").lower().split("</style>")[1]
    assert "<script" not in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    for word in (
        FLIGHTS,
        CORRECTIONS,
        CANCELLATIONS,
        "FlightCancelled",
        "FlightCorrected",
        "content_differs",
        "hobbs_out",
    ):
        assert word in page.text


async def test_the_openapi_document_names_every_address_and_only_schemas_it_has(
    scheduler: httpx.AsyncClient,
) -> None:
    document = (await scheduler.get("/openapi.json")).json()
    doors = {FLIGHTS, CORRECTIONS, CANCELLATIONS, f"{FLIGHTS}/dispatches", "/v1/credit-checks"}
    assert set(document["paths"]) == {*doors, "/webhooks/stripe", "/webhooks/stripe/connect"}
    written = orjson.dumps(document).decode()
    named = {part.split('"')[0] for part in written.split("#/components/schemas/")[1:]}
    assert named <= set(document["components"]["schemas"])


async def test_every_answer_carries_the_security_headers(scheduler: httpx.AsyncClient) -> None:
    for answer in (await scheduler.get("/docs"), await scheduler.get("/x"), await scheduler.post(FLIGHTS)):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(("offered", "kept"), [("abc-123", True), ("a b", False), ("x" * 65, False)])
async def test_a_plain_request_id_is_kept(scheduler: httpx.AsyncClient, offered: str, kept: bool) -> None:
    answer = await scheduler.get("/docs", headers={"X-Request-ID": offered})
    assert (answer.headers["x-request-id"] == offered) is kept
