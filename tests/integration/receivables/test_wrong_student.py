"""A payment for a student whom nobody knows waits for one; a payment at the wrong student is moved."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from fleet.database import Database
from fleet.decisions import take_decisions
from fleet.envelope import Record
from schemas.journals import EntryRequest, JournalRequested
from services.billing.handlers import configure_school
from services.ledger.handlers import post_journals
from services.receivables.desk.decisions import ACTIONS
from services.receivables.handlers import allocate_named, follow_book, take_stripe_events
from tests.conftest import OpenDatabase
from tests.integration.billing.given import configured
from tests.integration.ledger.books import balances, letters
from tests.integration.ops.conftest import Hobbs
from tests.integration.receivables.credits import a_school
from tests.integration.receivables.stories import (
    charge,
    dispute,
    intent,
    refund,
    sources,
    staged,
    wallets,
    webhook,
)
from tests.support.deciders import deciding
from tests.support.decisions import answered, decision
from tests.support.records import RECEIVED_AT, record

UNALLOCATED = {"liability:unallocated": 40_000, "external:stripe": -40_000}
ANNAS = {"student:anna": 40_000, "external:stripe": -40_000}
MOVED = {"student:student-01": 40_000, "external:stripe": -40_000}


def moving(student: str = "student-01", **told: Any) -> Record:
    return decision("receivables", "move", "ch_1", {"student": student}, **{"why": "wrong metadata", **told})


async def paid(db: Database, student: str | None = "anna") -> None:
    await take_stripe_events(db, [webhook("charge.succeeded", charge(student=student))])


@pytest.mark.parametrize(
    ("name", "closest"),
    [("anan", "anna"), ("Anna", "anna"), ("student-1", "student-01"), ("studnet-01", "student-01")],
)
async def test_a_misspelt_student_is_nobody_and_finance_hears_who_is_closest(
    db: Database, hobbs: Hobbs, name: str, closest: str
) -> None:
    paying = webhook("payment_intent.succeeded", intent(student=name))
    await take_stripe_events(db, [webhook("charge.succeeded", charge(student=name)), paying])
    assert await wallets(db) == UNALLOCATED
    (told,) = await staged(db, "notification.requested")
    assert repr(name) in told["sentence"]
    assert f"the closest is {closest!r}" in told["sentence"]
    (row,) = json.loads((await hobbs("payments", "unallocated", "-o", "json")).stdout)
    assert (row["named"], row["closest"], row["balance"]) == (name, closest, 40_000)


async def test_a_name_that_is_like_nobodys_says_so(db: Database) -> None:
    await paid(db, "zebulon")
    (told,) = await staged(db, "notification.requested")
    assert "no name is close to it" in told["sentence"]
    assert "allocate ch_1 STUDENT" in told["sentence"]


async def test_a_payment_that_the_ledger_has_at_its_student_is_not_allocated_again(
    db: Database, open_db: OpenDatabase
) -> None:
    """As after a restore: receivables reads the payment before billing knows the student again."""
    ledger = open_db("ledger")
    before = {"student:ben": 40_000, "external:stripe": -40_000}
    entries = [EntryRequest(wallet=wallet, amount=amount) for wallet, amount in before.items()]
    old = JournalRequested(
        source="charge:ch_1", event_type="payment", currency="USD", occurred_at=RECEIVED_AT, entries=entries
    )
    await post_journals(ledger, [record("journal.requested", old)])
    await paid(db, "ben")
    await configure_school(
        open_db("billing"), [configured(2, [{"kind": "student", "key": "ben", "new": {}}])]
    )
    await allocate_named(db)
    asked = [event for event in await staged(db, "journal.requested") if event["event_type"] != "stripe_fee"]
    assert [(event["source"], event.get("moves")) for event in asked] == [
        ("charge:ch_1", None),
        ("allocation:ch_1", "charge:ch_1"),
    ]
    await post_journals(ledger, [record("journal.requested", json.dumps(one).encode()) for one in asked])
    assert await balances(ledger) == before
    assert sorted(await letters(ledger)) == [
        ("nothing_to_move", "allocation:ch_1"),
        ("source_reused", "charge:ch_1"),
    ]


async def test_a_student_who_is_added_after_paying_gets_the_payment(
    db: Database, open_db: OpenDatabase
) -> None:
    await paid(db, "ben")
    await allocate_named(db)
    assert await wallets(db) == UNALLOCATED
    ben = {"kind": "student", "key": "ben", "new": {}}
    await configure_school(open_db("billing"), [configured(2, [ben])])
    await allocate_named(db)
    await allocate_named(db)
    assert await wallets(db) == {"student:ben": 40_000, "external:stripe": -40_000}
    assert [event["student"] for event in await staged(db, "payment.received")] == [None, "ben"]


async def test_whom_a_person_named_is_known_from_then_on(db: Database) -> None:
    await paid(db, "ben")
    named = decision("receivables", "allocate", "ch_1", {"student": "ben", "new_student": True})
    assert (await answered(db, ACTIONS, named)).outcome == "done"
    await take_stripe_events(db, [webhook("charge.succeeded", charge("ch_2", student="ben"))])
    assert await wallets(db) == {"student:ben": 80_000, "external:stripe": -80_000}


async def test_metadata_put_right_at_stripe_allocates(db: Database) -> None:
    await paid(db, "anan")
    await take_stripe_events(db, [webhook("charge.updated", charge())])
    assert await wallets(db) == ANNAS


async def test_a_payment_is_moved_once_and_listed(db: Database) -> None:
    await paid(db)
    preview = await answered(db, ACTIONS, moving(dry_run=True))
    assert [(e["wallet"], e["amount"]) for e in preview.effects] == [
        ("student:anna", -40_000),
        ("student:student-01", 40_000),
    ]
    assert await wallets(db) == ANNAS
    asked = moving(preview_hash=preview.preview_hash)
    await take_decisions(db, ACTIONS, [asked, asked])
    again = await answered(db, ACTIONS, moving())
    assert (again.outcome, "already belongs" in again.sentence) == ("refused", True)
    assert await wallets(db) == MOVED
    assert (await answered(db, ACTIONS, moving("anna"))).outcome == "done"  # and back
    assert await wallets(db) == ANNAS
    assert await sources(db) == ["charge:ch_1", "payment-moved:ch_1:1", "payment-moved:ch_1:2"]


async def test_everything_later_follows_the_payment_to_its_student(db: Database) -> None:
    await paid(db)
    await take_stripe_events(db, [webhook("refund.created", refund())])
    assert (await answered(db, ACTIONS, moving())).outcome == "done"
    assert (await wallets(db)) == {"student:student-01": 30_000, "external:stripe": -30_000}
    await take_stripe_events(db, [webhook("refund.failed", refund(status="failed"))])
    assert await wallets(db) == MOVED
    await take_stripe_events(db, [webhook("charge.succeeded", charge())])  # Stripe's metadata moves nothing
    assert await wallets(db) == MOVED


async def test_an_open_dispute_goes_with_the_payment(db: Database) -> None:
    await paid(db)
    opened = dispute(balance_transactions=[])
    await take_stripe_events(db, [webhook("charge.dispute.created", opened)])
    assert "dispute of it is open" in (await answered(db, ACTIONS, moving())).sentence
    await take_stripe_events(db, [webhook("charge.dispute.closed", opened | {"status": "lost"})])
    assert await wallets(db) == {}  # the student's debt and payment cancel each other, at the right student


@pytest.mark.parametrize(
    ("before", "asked", "sentence"),
    [
        ([], {}, "no charge ch_1"),
        ([webhook("refund.created", refund())], {}, "has no student yet"),
        ([webhook("charge.succeeded", charge(student=None))], {}, "allocate ch_1"),
        ([webhook("charge.succeeded", charge())], {"student": "anna"}, "already belongs"),
        ([webhook("charge.succeeded", charge())], {"student": "studnet-01"}, "did you mean 'student-01'?"),
        ([webhook("charge.succeeded", charge())], {"why": " "}, "needs a reason"),
        ([webhook("charge.succeeded", charge())], {"roles": ("student",)}, "needs one of the roles"),
        (
            [webhook("charge.succeeded", charge()), webhook("refund.created", refund(amount=40_000))],
            {},
            "nothing of charge ch_1 is left",
        ),
        (
            [
                webhook("charge.succeeded", charge()),
                webhook("charge.dispute.closed", dispute(status="lost")),
            ],
            {},
            "lost in a dispute",
        ),
    ],
)
async def test_what_cannot_be_moved_is_refused_and_posts_nothing(
    db: Database, before: list[Record], asked: dict[str, Any], sentence: str
) -> None:
    await take_stripe_events(db, before)
    held = await wallets(db)
    answer = await answered(db, ACTIONS, moving(**asked))
    assert (answer.outcome, sentence in answer.sentence) == ("refused", True), answer.sentence
    assert await wallets(db) == held


async def test_two_people_at_once_move_it_once(db: Database) -> None:
    await paid(db)
    preview = await answered(db, ACTIONS, moving(dry_run=True))
    answers = await asyncio.gather(
        *(answered(db, ACTIONS, moving(preview_hash=preview.preview_hash)) for _ in range(2))
    )
    assert sorted(answer.outcome for answer in answers) == ["done", "refused"]
    assert await wallets(db) == MOVED


@pytest.fixture
async def prefix(
    kafka: str, database_url: str, hobbs: Hobbs, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[None]:
    monkeypatch.setenv("HOBBS_KAFKA_BOOTSTRAP", kafka)
    async with deciding(kafka, database_url, {"receivables": ACTIONS}) as prefix:
        monkeypatch.setenv("HOBBS_TOPIC_PREFIX", prefix)
        yield


@pytest.mark.usefixtures("prefix")
async def test_a_person_moves_a_payment_from_the_command_line(db: Database, hobbs: Hobbs) -> None:
    await paid(db)
    command = ("payments", "move", "ch_1", "--to", "student-01")
    assert (await hobbs(*command, "--yes")).exit_code == 2  # no reason
    done = await hobbs(*command, "--why", "typing error", "--who", "finance", "--yes")
    assert (done.exit_code, "ch_1 belongs to student-01" in done.stderr) == (0, True)
    shown = json.loads((await hobbs("payments", "show", "ch_1", "-o", "json")).stdout)
    assert (shown["student"], shown["amount"]) == ("student-01", 40_000)
    [move] = shown["moves"]
    assert (move["from_student"], move["to_student"], move["moved_by"], move["why"]) == (
        "anna",
        "student-01",
        "finance",
        "typing error",
    )
    assert "400.00" in (await hobbs("payments", "show", "ch_1")).stdout
    listed = json.loads((await hobbs("payments", "list", "--state", "moved", "-o", "json")).stdout)
    assert [row["to_student"] for row in listed] == ["student-01"]
    assert (await hobbs("payments", "show", "ch_x")).exit_code == 1


@pytest.mark.usefixtures("prefix")
async def test_a_person_records_a_payment_from_the_command_line(db: Database, hobbs: Hobbs) -> None:
    await follow_book(db, [a_school()])
    command = ("payments", "record", "anna", "--method", "cheque", "--number", "1044")
    assert (await hobbs(*command, "--amount", "12.345", "--yes")).exit_code == 2
    shown = await hobbs(*command, "--amount", "120.00", "--dry-run")
    assert (shown.exit_code, "liability:cheques" in shown.stdout, "120.00" in shown.stdout) == (0, True, True)
    done = await hobbs(*command, "--amount", "120.00", "--who", "finance", "--yes")
    assert (done.exit_code, "once the bank cleared it" in done.stderr) == (0, True)
    again = await hobbs(*command, "--amount", "120.00", "--yes")
    assert (again.exit_code, "recorded already" in again.stderr) == (1, True)
    [row] = json.loads((await hobbs("payments", "recorded", "--state", "kept", "-o", "json")).stdout)
    assert (row["student"], row["amount"], row["state"]) == ("anna", 12_000, "held")
    assert (await hobbs("payments", "deposit", "2026-048", row["id"], "--yes")).exit_code == 0
    [slip] = json.loads((await hobbs("payments", "deposits", "-o", "json")).stdout)
    assert (slip["number"], slip["total"], slip["payments"]) == ("2026-048", 12_000, 1)
    assert "1044" in (await hobbs("payments", "deposits", slip["id"])).stdout
    assert (await hobbs("payments", "bounce", row["id"], "--why", "no funds", "--yes")).exit_code == 0
    history = json.loads((await hobbs("payments", "history", row["id"], "-o", "json")).stdout)
    assert [one["what"] for one in history] == ["recorded", "deposited", "bounced"]
