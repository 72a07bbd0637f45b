"""The reserve and the comparison with Stripe: what is shown, and who is offered what."""

import re

import asyncpg
import pytest

from console import asking
from tests.integration.console.conftest import Desk

ROWS = (
    """
    INSERT INTO reserves.alert (currency, kind, severity, sentence, raised_at)
    VALUES ('USD', 'short', 'critical', 'less is free <b>than</b> must stay', now() - interval '3 hours')
    """,
    """
    INSERT INTO reserves.opening (id, currency, amount, until, why, asked_by, asked_at, needs_second)
    VALUES ('00000000-0000-7000-8000-000000000001', 'USD', 50000, now() + interval '2 hours', 'payday', 'bea',
            now() - interval '1 hour', true)
    """,
    """
    INSERT INTO reserves.day (business_date, currency, run, stripe_opening, stripe_moved, stripe_closing,
                              books_opening, books_moved, books_closing, explained, breaks_open, movements,
                              completed_at)
    VALUES ('2026-05-22', 'USD', 1, 10000, -250, 9750, 10000, 0, 10000, -250, 1,
            '[{"side": "stripe", "name": "stripe_fee", "number": 1, "amount": -250,
               "fee": 0, "net": -250}]', now())
    """,
    """
    INSERT INTO reserves.mismatch (subject, kind, flight_id, aircraft, wallet, day, tenths, amount, currency,
                                   sentence, found_at)
    VALUES ('gap:N1:F2', 'unbilled', 'F2', 'N1', NULL, '2026-05-22', 3, 4950, 'USD',
            'N1 begins at 10.3, the flight before ended at 10.0', now() - interval '1 day'),
           ('paid:F3', 'not_paid', 'F3', NULL, 'instructor:i1', '2026-05-20', NULL, 9000, 'USD',
            'instructor:i1 is owed it for nine days', now() - interval '1 hour')
    """,
    """
    INSERT INTO reserves.break (subject, class, currency, amount, day, sentence, proposal,
                                accepted_by_one_up_to, content_hash, state, opened_at, classed_at)
    VALUES ('line:txn_1', 'fee', 'USD', -250, '2026-05-22', 'a fee of Stripe''s that the books lack',
            '{"kind": "journal", "source": "stripe:txn_1", "memo": "fee",
              "entries": [["revenue:school", -250], ["external:stripe", 250]]}',
            10000, sha256('x'), 'open', now() - interval '2 days', now())
    """,
)
PAGES = (
    "/reserve",
    "/reconciliation",
    "/reconciliation/2026-05-22",
    "/reconciliation/breaks",
    "/reconciliation/flights",
    "/reconciliation/flights/by-aircraft",
)


@pytest.fixture
async def broken(database_url: str) -> str:
    """An alert, an opening that waits, a day with a difference, and its break, whose address this is."""
    owner = await asyncpg.connect(database_url)
    await owner.execute("SET search_path TO reserves")
    for row in ROWS:
        await owner.execute(row)
    number = await owner.fetchval("SELECT id FROM reserves.break")
    await owner.close()
    return f"/reconciliation/breaks/{number}"


async def test_a_break_is_found_from_the_overview_and_says_what_is_proposed(desk: Desk, broken: str) -> None:
    ann = await desk.browser("ann")
    overview = (await ann.get("/")).text
    assert "break between Stripe and the books is open" in overview
    assert "alert of the reserve nobody acknowledged" in overview
    assert "opening of the gate needs a second person" in overview
    assert broken in (await ann.get("/reconciliation/breaks?f.state=open")).text
    page = (await ann.get(broken)).text
    for said in (
        "A fee of Stripe&#39;s that the books lack.",
        "Post this journal.",
        "external:stripe",
        "2.50",
    ):
        assert said in page
    assert 'value="accept_break"' in page
    day = (await ann.get("/reconciliation/2026-05-22")).text
    assert 'value="sign_day"' in day
    assert "stripe fee" in day
    file = (await ann.get("/reconciliation?as=csv")).text
    assert "2026-05-22,97.50,100.00,-2.50,-2.50,0.00,1" in file


async def test_a_flight_that_does_not_agree_is_found_and_explained(
    desk: Desk, broken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "LOOK_TIMES", 1)  # no service answers here
    paula = await desk.browser("paula")
    assert "flights do not agree with bills, books or payees" in (await paula.get("/")).text
    by_aircraft = (await paula.get("/reconciliation/flights/by-aircraft")).text
    assert "/reconciliation/flights?f.aircraft=N1" in by_aircraft
    assert "49.50" in by_aircraft
    assert "90.00" not in by_aircraft  # of no aircraft
    listed = (await paula.get("/reconciliation/flights?f.aircraft=N1")).text
    assert "F3" not in listed
    [address, *_] = re.findall(r'href="/reconciliation/flights/(\d+)"', listed)
    assert 'value="compare_flights"' in listed
    page = (await paula.get(f"/reconciliation/flights/{address}")).text
    for said in ("N1 begins at 10.3", 'href="/flights/F2"', "49.50 USD", 'value="explain_mismatch"'):
        assert said in page
    assert (
        'value="explain_mismatch"'
        not in (await (await desk.browser("vera")).get(f"/reconciliation/flights/{address}")).text
    )
    sent = {"form_token": await paula.token(), "act": "explain_mismatch", "object": address}
    assert (await paula.post("/acts", data={**sent, "why": ""})).status_code == 422
    assert (await paula.post("/acts", data={**sent, "why": "ferried, log of 12 May"})).status_code == 303
    async with desk.console.db.transaction() as tx:
        [row] = await tx.all("SELECT service, action, object FROM act")
    assert (row.service, row.action, row.object) == ("reserves", "explain", address)


async def test_an_alert_and_an_opening_are_offered_to_those_who_may_decide(desk: Desk, broken: str) -> None:
    offered = {
        "ann": {"acknowledge_alert", "approve_opening", "close_opening"},
        "paula": {"acknowledge_alert", "close_opening"},
        "otto": {"acknowledge_alert", "close_opening"},
        "vera": set[str](),
    }
    every = set().union(*offered.values())
    for name, expected in offered.items():
        page = (await (await desk.browser(name)).get("/reserve")).text
        assert {act for act in every if f'value="{act}"' in page} == expected, name
        assert "less is free &lt;b&gt;than&lt;/b&gt; must stay" in page
        assert "500.00 USD" in page


async def test_each_act_asks_its_service_as_the_command_line_does(
    desk: Desk, broken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "LOOK_TIMES", 1)  # no service answers here
    ann = await desk.browser("ann")
    sent = {"form_token": await ann.token(), "why": "seen"}
    number = broken.rpartition("/")[2]
    for act, about, more in (
        ("open_gate", "USD", {"p.amount": "1,500.00", "p.until": "2.5", "currency": "USD"}),
        ("accept_break", number, {}),
        ("sign_day", "2026-05-22", {}),
    ):
        answer = await ann.post("/acts", data={**sent, "act": act, "object": about, **more})
        assert answer.status_code == 303, answer.text
    async with desk.console.db.transaction() as tx:
        rows = await tx.all("SELECT service, action, object, parameters FROM act ORDER BY asked_at")
    assert [(row.service, row.action, row.object) for row in rows] == [
        ("reserves", "open_gate", "USD"),
        ("reserves", "accept", number),
        ("reserves", "sign", "2026-05-22"),
    ]
    assert rows[0].parameters["amount"] == 150_000
    assert rows[0].parameters["until"].endswith("+00:00")
    for hours in ("0", "-1", "nan", "inf", "169", "soon"):
        odd = {**sent, "act": "open_gate", "object": "USD", "p.amount": "1.00", "p.until": hours}
        assert (await ann.post("/acts", data=odd)).status_code == 422, hours


@pytest.mark.parametrize("path", [*PAGES, "/reconciliation/breaks/1"])
async def test_these_pages_are_for_the_office(desk: Desk, broken: str, path: str) -> None:
    assert (await (await desk.browser("vera")).get(path)).status_code == 200
    assert broken
    assert (await desk.opened().get(path, follow_redirects=False)).status_code == 303


@pytest.mark.parametrize(
    "path",
    [
        "/reconciliation/breaks/0",
        "/reconciliation/breaks/x",
        "/reconciliation/2026-13-01",
        "/reconciliation/flights/0",
        "/reconciliation/flights/x",
    ],
)
async def test_what_is_not_there_is_not_found(desk: Desk, path: str) -> None:
    assert (await (await desk.browser("ann")).get(path)).status_code == 404
