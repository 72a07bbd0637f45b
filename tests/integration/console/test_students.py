"""What students owe and how they are asked for it: seen by finance and each student, and acted on."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from console import asking
from console.pages import dunning
from console.roles import Person
from fleet.database import Database
from services.receivables import handlers
from services.receivables.desk.decisions import ACTIONS
from tests.conftest import OpenDatabase
from tests.integration.billing.given import given_school
from tests.integration.console.conftest import Desk
from tests.integration.receivables.credits import a_school
from tests.integration.receivables.stories import webhook
from tests.integration.receivables.test_auto_charges import CARD, SETUP
from tests.integration.receivables.test_dunning import ALWAYS, STEPS, age, on_day
from tests.integration.receivables.test_open_items import bill, pay, posts, taken
from tests.support.decisions import answered, decision

STAFF_PAGES = (
    "/dunning",
    "/dunning/today",
    "/students/anna",
    "/students/ben",
    "/credit",
    "/credit?after=a",
    "/credit/crossings",
    "/allowances",
    "/credit/changes",
    "/notes",
    "/cards",
    "/charges",
    "/accounts",
    "/payments/by-hand",
    "/payments/deposits",
)
OWN_PAGES = ("/own", "/own/card", "/own/charges", "/own/requests", "/own/items")


@pytest.fixture
async def overdue(open_db: OpenDatabase, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Database:
    """Anna owes 150.00 for four days and was asked once; ben owes 20.00 that is not overdue."""
    monkeypatch.setattr(asking, "LOOK_TIMES", 1)  # no service answers here
    await given_school(
        open_db("billing"),
        {"kind": "student", "key": "anna", "new": {}},
        {"kind": "student", "key": "ben", "new": {}},
    )
    db, ledger = open_db("receivables"), open_db("ledger")
    await handlers.follow_book(db, [a_school(dunning_steps=STEPS, limit=200_00, **ALWAYS)])
    await taken(db, await posts(ledger, bill("F1", 100_00), bill("F2", 50_00)))
    await age(database_url, 4)
    await on_day(db, 0)
    await taken(db, await posts(ledger, bill("F3", 20_00, student="ben"), pay("1", 1_00, student="ben")))
    return db


async def test_every_page_about_students_opens_for_the_office_and_says_what_is_owed(
    desk: Desk, overdue: Database
) -> None:
    ann = await desk.browser("ann")
    pages = {path: await ann.get(path) for path in STAFF_PAGES}
    assert {path: one.status_code for path, one in pages.items() if one.status_code != 200} == {}
    listed = pages["/dunning"].text
    assert "/students/anna" in listed
    assert "/students/ben" not in listed, "nothing of ben is overdue"
    for said in ("150.00", "first", "block", "2"):
        assert said in listed
    whole = pages["/students/anna"].text
    for said in ('value="promise_payment"', 'value="pause_dunning"', 'value="link_card"', "75 % used"):
        assert said in whole
    assert 'value="resume_dunning"' not in whole
    assert "Nothing is overdue" in pages["/students/ben"].text
    assert (await ann.get("/students/nobody-at-all")).status_code == 404
    file = (await ann.get("/dunning?as=csv")).text.splitlines()
    assert file[1].startswith('"anna",150.00,4,"first"')
    assert (await ann.get("/dunning?as=csv&f.student=NNA")).text.splitlines() == file
    assert "/students/" not in (await ann.get("/dunning?f.student=ben")).text, "nothing of ben is overdue"
    both = {name: (await ann.get(f"/credit?f.student={name}")).text for name in ("ann", "Berta")}
    assert ["/students/anna" in text for text in both.values()] == [True, False]
    desk.console._school = replace(await desk.console.school(), people={"student:ben": "Berta Brown"})
    for path in ("/credit", "/accounts"):
        assert "/students/ben" in (await ann.get(f"{path}?f.student=berta")).text, "a person by name"


async def test_dunning_and_credit_are_sorted_by_any_column_on_the_page_and_in_the_file(
    desk: Desk, overdue: Database
) -> None:
    ann = await desk.browser("ann")

    async def names(path: str) -> list[str]:
        rows = (await ann.get(f"{path}&as=csv")).text.splitlines()[1:]
        page = (await ann.get(path)).text
        on_page = list(dict.fromkeys(re.findall(r"/students/(\w+)", page)))
        assert on_page == [row.split(",")[0].strip('"') for row in rows], "what is shown is what is exported"
        return on_page

    assert await names("/credit?sort=student") == ["anna", "ben"]
    assert await names("/credit?sort=-posted") == ["ben", "anna"]
    assert await names("/credit?sort=-used_percent") == ["anna", "ben"]
    assert await names("/credit?sort=-posted&f.student=ann") == ["anna"]
    assert await names("/dunning?sort=-total") == ["anna"]
    page = (await ann.get("/credit?sort=-posted")).text
    assert 'aria-sort="descending"' in page
    assert 'href="/credit?sort=posted"' in page, "and back again"
    assert "As of" in page
    assert "cannot be sorted" in (await ann.get("/credit?sort=nonsense")).text


async def test_a_sorted_list_goes_on_to_its_next_page(
    desk: Desk, overdue: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dunning, "PAGE", 1)
    ann = await desk.browser("ann")
    first = (await ann.get("/credit?sort=-posted")).text
    assert "/students/anna" not in first
    [address] = re.findall(r'rel="next" href="([^"]+)"', first)
    second = (await ann.get(address.replace("&amp;", "&"))).text
    assert "/students/anna" in second
    assert "/students/ben" not in second
    assert 'rel="next"' not in second
    for odd in ("x", "-1", "9" * 12, "1e3"):
        assert (await ann.get("/credit", params={"sort": "-posted", "after": odd})).status_code == 200


async def test_who_only_looks_is_offered_nothing(desk: Desk, overdue: Database) -> None:
    page = (await (await desk.browser("vera")).get("/students/anna")).text
    assert 'name="act"' not in page


@pytest.mark.parametrize(
    ("act", "fields", "action", "about", "told"),
    [
        ("pause_dunning", {"object": "anna"}, "pause_dunning", "anna", {}),
        (
            "promise_payment",
            {"object": "anna", "p.until": "2026-12-31"},
            "promise_payment",
            "anna",
            {"until": "2026-12-31"},
        ),
        (
            "allow_flight",
            {"object": "F9", "p.student": "anna", "p.amount": "1,200.50", "p.until": "4"},
            "allow_flight",
            "F9",
            {"student": "anna", "amount": 120_050},
        ),
        (
            "link_payment",
            {"object": "student:anna", "p.amount": "10"},
            "student_link",
            "student:anna",
            {"amount": 10_00, "currency": "USD"},
        ),
        (
            "record_payment",
            {
                "object": "anna",
                "p.method": "cheque",
                "p.number": "1044",
                "p.paid_on": "2026-05-22",
                "p.amount": "80.00",
            },
            "record_payment",
            "anna",
            {"method": "cheque", "number": "1044", "paid_on": "2026-05-22", "amount": 80_00},
        ),
        (
            "deposit_payments",
            {"object": "slip 7", "p.deposited_on": "2026-05-22"},
            "deposit_payments",
            "slip 7",
            {"deposited_on": "2026-05-22"},
        ),
        (
            "charge_threshold",
            {"object": "anna", "p.threshold": "50", "p.most": "80"},
            "choose_charges",
            "anna",
            {"occasion": "threshold", "threshold": 50_00, "most": 80_00},
        ),
    ],
)
async def test_an_act_asks_its_service_as_the_command_line_does(
    desk: Desk,
    overdue: Database,
    act: str,
    fields: dict[str, str],
    action: str,
    about: str,
    told: dict[str, Any],
) -> None:
    ann = await desk.browser("ann")
    sent = {"form_token": await ann.token(), "act": act, "why": "asked by telephone", **fields}
    assert (await ann.post("/acts", data=sent)).status_code == 303
    [asked] = await staged(desk)
    assert (asked["action"], asked["object"], asked["dry_run"]) == (action, about, True)
    assert told.items() <= asked["parameters"].items()
    assert (asked["who"]["name"], asked["who"]["roles"]) == ("ann", ["finance"])


async def test_a_student_decides_about_their_own_card_whatever_the_form_names(
    desk: Desk, overdue: Database
) -> None:
    anna = await desk.browser("anna")
    token = await anna.token("/own")
    for act, more in (
        ("own_card", {}),
        ("own_payment", {"p.amount": "150.00"}),
        ("own_each_flight", {"p.most": "99"}),
        ("own_off", {}),
    ):
        sent = {"form_token": token, "act": act, "object": "ben", "p.student": "ben", **more}
        assert (await anna.post("/acts", data=sent)).status_code == 303, act
    asked = await staged(desk)
    assert {(one["action"], one["object"]) for one in asked} == {
        ("student_link", "student:anna"),
        ("choose_charges", "anna"),
    }
    assert {tuple(one["who"]["roles"]) for one in asked} == {("student:anna",)}
    assert "ben" not in json.dumps([one["parameters"] for one in asked])
    for act in ("charge_off", "link_card", "pause_dunning"):
        sent = {"form_token": token, "act": act, "object": "anna", "why": "x"}
        assert (await anna.post("/acts", data=sent)).status_code == 403, act


async def test_the_owner_takes_a_student_s_choice_about_themselves_only(overdue: Database) -> None:
    said = {"occasion": "each_flight", "most": 99_00}
    cases: list[tuple[tuple[str, ...], str]] = [
        (("student:anna",), "done"),
        (("student:ben",), "refused"),
        ((), "refused"),
    ]
    for roles, outcome in cases:
        asked = decision("receivables", "choose_charges", "anna", said, roles=roles)
        assert (await answered(overdue, ACTIONS, asked)).outcome == outcome


async def test_a_student_sees_their_own_and_nothing_of_another(desk: Desk, overdue: Database) -> None:
    card = CARD | {"card": {"exp_month": 12, "exp_year": 2090}}
    await handlers.take_stripe_events(overdue, [webhook("payment_method.attached", card)])
    await handlers.take_stripe_events(overdue, [webhook("setup_intent.succeeded", SETUP)])
    said = {"occasion": "day", "day": 5, "most": 99_00, "most_a_day": 99_00}
    await answered(overdue, ACTIONS, decision("receivables", "choose_charges", "anna", said))
    anna, ben = await desk.browser("anna"), await desk.browser("ben")
    mine = (await anna.get("/own/card")).text
    for words in (
        "150.00 USD is overdue",
        "2091-01-01",
        "on day 5 of each month",
        "50.00",
        'value="own_off"',
    ):
        assert words in mine
    assert "2 bills are overdue" in (await anna.get("/own/requests")).text
    theirs = {path: await ben.get(path) for path in OWN_PAGES}
    assert {path: one.status_code for path, one in theirs.items() if one.status_code != 200} == {}
    for path, page in theirs.items():
        assert not re.search(r"anna|150\.00|2091-|day 5|overdue since", page.text), path
    assert "19.00" in theirs["/own/card"].text
    instructor = Person(name="i", shown_name="i", roles=frozenset({"instructor"}), wallet="instructor:anna")
    async with desk.console.holders.transaction() as tx:
        await tx.execute("SELECT set_config('app.actor', :wallet, true)", wallet=instructor.wallet)
        for name in ("own_methods()", "own_choice()", "own_charges()", "own_requests()"):
            assert await tx.all(f"SELECT * FROM console_public.{name}") == []  # noqa: S608 - of this test
        today = datetime.now(UTC).date()
        assert await tx.all("SELECT * FROM console_public.own_standing(:day)", day=today) == []


async def test_a_receipt_shows_the_page_at_stripe_to_whoever_asked_for_it_and_to_nobody_else(
    desk: Desk, overdue: Database, open_db: OpenDatabase
) -> None:
    anna = await desk.browser("anna")
    sent = {"form_token": await anna.token("/own"), "act": "own_card"}
    address = (await anna.post("/acts", data=sent)).headers["location"]
    async with desk.console.db.transaction() as tx:
        await tx.execute(_ANSWER)
    decision_id = await decided(desk)
    async with open_db("payouts").transaction() as tx:
        await tx.execute(_PAGE, id=decision_id)
    page = await anna.get(address)
    assert 'href="https://checkout.stripe.example/p"' in page.text
    for name in ("ben", "ann"):
        assert (await (await desk.browser(name)).get(address)).status_code == 404


_ANSWER = """
    WITH done AS (UPDATE act SET decided_at = now() RETURNING *)
    INSERT INTO decision (decision_id, service, action, object, dry_run, requested_at, outcome, sentence,
                          effects, answer_hash, taken_at)
    SELECT one.id, service, action, object, one.dry, now(), one.outcome, 'a page is made', '[]', :hash, now()
    FROM done CROSS JOIN LATERAL (VALUES (preview_id, true, 'previewed'), (decision_id, false, 'done'))
         AS one (id, dry, outcome)
""".replace(":hash", f"'{'a' * 64}'")
_PAGE = """
    INSERT INTO student_link (id, wallet, currency, requested_at, answered_at, url, expires_at)
    VALUES (:id, 'student:anna', 'USD', now(), now(), 'https://checkout.stripe.example/p',
            now() + interval '1 day')
"""


async def decided(desk: Desk) -> Any:
    async with desk.console.db.transaction() as tx:
        return (await tx.one("SELECT decision_id FROM act")).decision_id


async def staged(desk: Desk) -> list[dict[str, Any]]:
    """What was asked for, previews too."""
    async with desk.console.db.transaction() as tx:
        rows = await tx.all("SELECT value FROM outbox ORDER BY id")
    return [json.loads(bytes(row.value)) for row in rows]


async def test_a_payment_by_hand_is_followed_to_the_bank(desk: Desk, overdue: Database) -> None:
    day = datetime.now(UTC).date() - timedelta(days=2)
    told = {"method": "cheque", "number": "1044", "paid_on": day.isoformat(), "amount": 80_00}
    await answered(overdue, ACTIONS, decision("receivables", "record_payment", "anna", told))
    ann = await desk.browser("ann")
    listed = (await ann.get("/payments/by-hand")).text
    [address] = set(re.findall("/payments/by-hand/[-0-9a-f]{36}", listed))
    page = (await ann.get(address)).text
    assert 'value="revert_payment"' in page
    assert 'value="clear_cheque"' not in page, "it is in no deposit"
    slip = decision("receivables", "deposit_payments", "7", {"deposited_on": day.isoformat()})
    await answered(overdue, ACTIONS, slip)
    assert 'value="clear_cheque"' in (await ann.get(address)).text
    [slip_page] = set(
        re.findall("/payments/deposits/[-0-9a-f]{36}", (await ann.get("/payments/deposits")).text)
    )
    whole = (await ann.get(slip_page)).text
    assert "1044" in whole
    assert 'value="revert_deposit"' in whole
    assert "1044" in (await ann.get("/students/anna")).text


_PROPOSED = """
    INSERT INTO limit_change (id, student, number, cause, currency, from_limit, to_limit, book_limit,
        policy_from, policy_version, evidence, sentence, state, needs_second, proposed_at)
    VALUES (:id, 'anna', 1, 'rise:2026-01-01', 'USD', 20000, 40000, 20000, '2026-01-01', 1, '{}',
            '6 months without a late payment', 'proposed', false, now())
"""


async def test_what_waits_for_a_person_is_seen_and_decided_where_it_is_shown(
    desk: Desk, overdue: Database
) -> None:
    """A limit that would rise, and a credit note that one person alone may not give."""
    change = uuid4()
    async with overdue.transaction() as tx:
        await tx.execute(_PROPOSED, id=change)
    asked = decision("receivables", "credit_bill", "F1", {"amount": 30_00}, why="the radio")
    said = await answered(overdue, ACTIONS, asked)
    assert said.outcome == "done", said.sentence
    async with overdue.transaction() as tx:
        [given] = await tx.all("SELECT id FROM account_note")

    approver = await desk.browser("bea")
    assert "change of a limit waits for a person" in (await approver.get("/")).text
    listed = (await approver.get("/credit/changes?f.state=waiting")).text
    assert f"/credit/changes/{change}" in listed
    page = (await approver.get(f"/credit/changes/{change}")).text
    for part in ("rises", "200.00", "400.00", "6 months", 'value="accept_limit"', 'value="refuse_limit"'):
        assert part in page
    note = (await approver.get(f"/notes/{given.id}")).text
    for part in ("Credit note", "30.00", "F1", "the radio"):
        assert part in note
    whole = (await approver.get("/students/anna")).text
    for part in ("6 months", "credit note", 'value="credit_bill"', 'value="refund_credit"'):
        assert part in whole
    viewers = await (await desk.browser("vera")).get(f"/credit/changes/{change}")
    assert (viewers.status_code, 'value="accept_limit"' in viewers.text) == (200, False)
    assert (await approver.get(f"/notes/{change}")).status_code == 404
