"""A payment that names nobody waits in a queue; a person, or Stripe's metadata later on, says whose it is."""

import asyncio
import json
from datetime import UTC, datetime

import pytest

from fleet.database import Database
from services.receivables.domain.charges import Contradiction
from services.receivables.handlers import allocate_payment, take_stripe_events
from tests.conftest import OpenDatabase
from tests.integration.billing.given import given_school
from tests.integration.ops.conftest import Hobbs
from tests.integration.receivables.stories import charge, refund, sources, staged, wallets, webhook

NOW = datetime(2026, 5, 23, tzinfo=UTC)
UNALLOCATED = {"liability:unallocated": 40_000, "external:stripe": -40_000}
ALLOCATED = {"student:student-01": 40_000, "external:stripe": -40_000}


@pytest.fixture
async def unallocated(db: Database) -> Database:
    await take_stripe_events(db, [webhook("charge.succeeded", charge(student=None))])
    return db


async def queue(db: Database) -> list[tuple[str, str | None, str | None]]:
    async with db.transaction() as tx:
        rows = await tx.all("SELECT charge_id, student, allocated_by FROM unallocated_payment ORDER BY 1")
    return [(row.charge_id, row.student, row.allocated_by) for row in rows]


async def test_a_payment_for_nobody_is_queued_and_finance_is_told(unallocated: Database) -> None:
    assert await wallets(unallocated) == UNALLOCATED
    assert await queue(unallocated) == [("ch_1", None, None)]
    (told,) = await staged(unallocated, "notification.requested")
    assert (told["recipient_kind"], told["kind"], told["about"]) == ("finance", "payment_unallocated", "ch_1")
    assert "400.00 USD" in told["sentence"]
    (received,) = await staged(unallocated, "payment.received")
    assert received["student"] is None


@pytest.mark.parametrize("name", ["", " ", "a\nb", "x" * 101, " anna"])
async def test_a_name_no_wallet_can_have_is_nobody(db: Database, name: str) -> None:
    unreadable = charge(metadata={"hobbs_student": name})
    await take_stripe_events(db, [webhook("charge.succeeded", unreadable)])
    assert await wallets(db) == UNALLOCATED


async def test_metadata_that_names_the_student_later_allocates(unallocated: Database) -> None:
    await take_stripe_events(unallocated, [webhook("charge.updated", charge(student="student-01"))])
    assert await wallets(unallocated) == ALLOCATED
    assert await queue(unallocated) == [("ch_1", "student-01", "stripe metadata")]
    received = [event["student"] for event in await staged(unallocated, "payment.received")]
    assert received == [None, "student-01"]


async def test_a_person_allocates_once(unallocated: Database, hobbs: Hobbs, open_db: OpenDatabase) -> None:
    await given_school(open_db("billing"))
    listed = await hobbs("payments", "unallocated", "-o", "json")
    assert listed.exit_code == 1
    assert [(row["charge_id"], row["balance"]) for row in json.loads(listed.stdout)] == [("ch_1", 40_000)]
    allocate = ("payments", "allocate", "ch_1", "student-01")
    assert (await hobbs(*allocate, "--dry-run")).exit_code == 0
    assert (await hobbs(*allocate, answer="n\n")).exit_code == 1
    assert await wallets(unallocated) == UNALLOCATED
    done = await hobbs(*allocate, "--who", "finance", "-o", "json", answer="y\n")
    assert done.exit_code == 0
    assert await wallets(unallocated) == ALLOCATED
    assert await queue(unallocated) == [("ch_1", "student-01", "finance")]
    again = await hobbs(*allocate, "--yes")
    assert (again.exit_code, "already belongs" in again.stderr) == (1, True)
    assert (await hobbs("payments", "unallocated")).exit_code == 0
    assert len(await sources(unallocated)) == 2


@pytest.mark.usefixtures("unallocated")
async def test_a_misspelt_student_or_an_unknown_charge_is_refused(hobbs: Hobbs) -> None:
    misspelt = await hobbs("payments", "allocate", "ch_1", "student-1o", "--yes")
    assert (misspelt.exit_code, "student-1o" in misspelt.stderr) == (2, True)
    unknown = await hobbs("payments", "allocate", "ch_x", "anna", "--new-student", "--yes")
    assert (unknown.exit_code, "no charge ch_x" in unknown.stderr) == (1, True)
    assert (await hobbs("payments", "allocate", "ch_1", " ", "--yes")).exit_code == 2


async def test_only_what_is_left_after_a_refund_is_allocated(unallocated: Database) -> None:
    await take_stripe_events(unallocated, [webhook("refund.created", refund())])
    async with unallocated.transaction() as tx:
        await allocate_payment(tx, "ch_1", "student-01", who="finance", now=NOW)
    assert await wallets(unallocated) == {"student:student-01": 30_000, "external:stripe": -30_000}
    await take_stripe_events(unallocated, [webhook("refund.failed", refund(status="failed"))])
    assert await wallets(unallocated) == ALLOCATED


async def test_two_people_allocating_at_once_post_one(unallocated: Database) -> None:
    async def give(student: str) -> object:
        async with unallocated.transaction() as tx:
            return await allocate_payment(tx, "ch_1", student, who=student, now=NOW)

    outcomes = await asyncio.gather(give("anna"), give("ben"))
    assert sum(isinstance(outcome, Contradiction) for outcome in outcomes) == 1
    assert (await wallets(unallocated))["external:stripe"] == -40_000
    assert len(await sources(unallocated)) == 2


@pytest.mark.usefixtures("unallocated")
async def test_payments_are_listed_with_what_went_back(db: Database, hobbs: Hobbs) -> None:
    await take_stripe_events(
        db, [webhook("charge.succeeded", charge("ch_2")), webhook("refund.created", refund("ch_2"))]
    )
    rows = json.loads((await hobbs("payments", "list", "-o", "json")).stdout)
    assert {(row["charge_id"], row["student"], row["refunded"]) for row in rows} == {
        ("ch_1", None, 0),
        ("ch_2", "anna", 10_000),
    }
    assert "300.00" not in (await hobbs("payments", "list", "--student", "anna")).stdout
    assert "100.00" in (await hobbs("payments", "list", "--student", "anna")).stdout
    assert (await hobbs("payments", "list", "--state", "waiting")).exit_code == 0
    assert (await hobbs("payments", "list", "--state", "failed")).exit_code == 0
