"""A payment that names nobody waits in a queue; a person, or Stripe's metadata later on, says whose it is."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from fleet.database import Database
from fleet.decisions import take_decisions
from fleet.envelope import Record
from services.receivables.desk.decisions import ACTIONS
from services.receivables.handlers import take_stripe_events
from tests.integration.ops.conftest import Hobbs
from tests.integration.receivables.stories import charge, refund, sources, staged, wallets, webhook
from tests.support.deciders import deciding
from tests.support.decisions import answered, decision

ALLOCATE = ("payments", "allocate", "ch_1", "student-01")
UNALLOCATED = {"liability:unallocated": 40_000, "external:stripe": -40_000}
ALLOCATED = {"student:student-01": 40_000, "external:stripe": -40_000}


@pytest.fixture
async def unallocated(db: Database) -> Database:
    await take_stripe_events(db, [webhook("charge.succeeded", charge(student=None))])
    return db


@pytest.fixture
async def prefix(
    kafka: str, database_url: str, hobbs: Hobbs, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[str]:
    """Receivables takes decisions; the command line is told the same world."""
    monkeypatch.setenv("HOBBS_KAFKA_BOOTSTRAP", kafka)
    async with deciding(kafka, database_url, {"receivables": ACTIONS}) as prefix:
        monkeypatch.setenv("HOBBS_TOPIC_PREFIX", prefix)
        yield prefix


def allocating(student: str = "student-01", *, charge_id: str = "ch_1", **told: Any) -> Record:
    """A decision to give the charge to a student who is in no book yet."""
    parameters = {"student": student, "new_student": True}
    return decision("receivables", "allocate", charge_id, parameters, **told)


async def posted(db: Database) -> dict[str, int]:
    """What the kept postings leave in each wallet: the outbox is empty where a worker relays it."""
    async with db.transaction() as tx:
        rows = await tx.all(
            "SELECT entry.wallet, sum(entry.amount)::bigint AS amount FROM posting"
            " CROSS JOIN LATERAL jsonb_to_recordset(entries) AS entry (wallet text, amount bigint)"
            " GROUP BY 1 HAVING sum(entry.amount) <> 0"
        )
    return {row.wallet: row.amount for row in rows}


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


@pytest.mark.usefixtures("prefix")
async def test_a_person_allocates_once(unallocated: Database, hobbs: Hobbs) -> None:
    listed = await hobbs("payments", "unallocated", "-o", "json")
    assert listed.exit_code == 1
    assert [(row["charge_id"], row["balance"]) for row in json.loads(listed.stdout)] == [("ch_1", 40_000)]
    dry = await hobbs(*ALLOCATE, "--dry-run", "-o", "json")
    assert dry.exit_code == 0
    assert [(row["source"], row["wallet"], row["amount"]) for row in json.loads(dry.stdout)] == [
        ("allocation:ch_1", "liability:unallocated", -40_000),
        ("allocation:ch_1", "student:student-01", 40_000),
    ]
    assert (await hobbs(*ALLOCATE, answer="n\n")).exit_code == 1
    assert await posted(unallocated) == UNALLOCATED
    done = await hobbs(*ALLOCATE, "--who", "finance", answer="y\n")
    assert (done.exit_code, "ch_1 belongs to student-01" in done.stderr) == (0, True)
    assert "400.00" in done.stdout
    assert await posted(unallocated) == ALLOCATED
    assert await queue(unallocated) == [("ch_1", "student-01", "finance")]
    again = await hobbs(*ALLOCATE, "--yes")
    assert (again.exit_code, "already belongs" in again.stderr) == (1, True)
    assert (await hobbs("payments", "unallocated")).exit_code == 0


@pytest.mark.usefixtures("unallocated", "prefix")
async def test_a_misspelt_student_or_an_unknown_charge_is_refused(hobbs: Hobbs) -> None:
    misspelt = await hobbs("payments", "allocate", "ch_1", "student-1o", "--yes")
    assert (misspelt.exit_code, "student-1o" in misspelt.stderr) == (1, True)
    unknown = await hobbs("payments", "allocate", "ch_x", "anna", "--new-student", "--yes")
    assert (unknown.exit_code, "no charge ch_x" in unknown.stderr) == (1, True)
    assert (await hobbs("payments", "allocate", "ch_1", " ", "--yes")).exit_code == 2


async def test_receivables_that_is_away_is_said_and_nothing_is_posted(
    unallocated: Database, kafka: str, database_url: str, hobbs: Hobbs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOBBS_KAFKA_BOOTSTRAP", kafka)
    monkeypatch.setattr("hobbs.shell.decisions.ANSWER_WITHIN_S", 5.0)  # billing is there and does answer
    async with deciding(kafka, database_url, {"billing": {}}) as prefix:
        monkeypatch.setenv("HOBBS_TOPIC_PREFIX", prefix)
        away = await hobbs(*ALLOCATE, "--new-student", "--yes")
    assert (away.exit_code, "the receivables service did not answer" in away.stderr) == (1, True)
    assert await posted(unallocated) == UNALLOCATED


@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        ({}, "None cannot name a student"),
        ({"student": 7, "new_student": True}, "7 cannot name a student"),
        ({"student": "a\nb", "new_student": True}, "cannot name a student"),
        ({"student": "x" * 101, "new_student": True}, "cannot name a student"),
        ({"student": "anan", "new_student": "yes"}, "did you mean 'anna'?"),
    ],
)
async def test_odd_parameters_are_refused_with_a_sentence(
    unallocated: Database, parameters: dict[str, Any], sentence: str
) -> None:
    answer = await answered(unallocated, ACTIONS, decision("receivables", "allocate", "ch_1", parameters))
    assert (answer.outcome, sentence in answer.sentence) == ("refused", True)
    assert await wallets(unallocated) == UNALLOCATED


async def test_an_unknown_charge_is_refused_and_not_begun(db: Database) -> None:
    answer = await answered(db, ACTIONS, allocating(charge_id="ch_x"))
    assert (answer.outcome, answer.sentence) == ("refused", "no charge ch_x is known")
    async with db.transaction() as tx:
        assert (await tx.one("SELECT count(*) AS charges FROM charge")).charges == 0


async def test_a_preview_shows_the_postings_and_posts_nothing(unallocated: Database) -> None:
    preview = await answered(unallocated, ACTIONS, allocating(dry_run=True))
    assert (preview.outcome, [effect["wallet"] for effect in preview.effects]) == (
        "previewed",
        ["liability:unallocated", "student:student-01"],
    )
    assert await wallets(unallocated) == UNALLOCATED
    done = await answered(unallocated, ACTIONS, allocating(preview_hash=preview.preview_hash))
    assert done.outcome == "done"


async def test_what_changed_since_it_was_shown_is_refused(unallocated: Database) -> None:
    preview = await answered(unallocated, ACTIONS, allocating(dry_run=True))
    await take_stripe_events(unallocated, [webhook("refund.created", refund())])
    late = await answered(unallocated, ACTIONS, allocating(preview_hash=preview.preview_hash))
    assert (late.outcome, "no longer do what was shown" in late.sentence) == ("refused", True)
    assert await queue(unallocated) == [("ch_1", None, None)]


async def test_the_same_decision_twice_posts_once(unallocated: Database) -> None:
    asked = allocating()
    await take_decisions(unallocated, ACTIONS, [asked, asked])
    assert (await answered(unallocated, ACTIONS, asked)).outcome == "done"
    assert await wallets(unallocated) == ALLOCATED
    assert len(await sources(unallocated)) == 2


async def test_somebody_without_the_role_allocates_nothing(unallocated: Database) -> None:
    answer = await answered(unallocated, ACTIONS, allocating(roles=("instructor",)))
    assert (answer.outcome, "needs one of the roles" in answer.sentence) == ("refused", True)
    assert await wallets(unallocated) == UNALLOCATED


async def test_only_what_is_left_after_a_refund_is_allocated(unallocated: Database) -> None:
    await take_stripe_events(unallocated, [webhook("refund.created", refund())])
    assert (await answered(unallocated, ACTIONS, allocating())).outcome == "done"
    assert await wallets(unallocated) == {"student:student-01": 30_000, "external:stripe": -30_000}
    await take_stripe_events(unallocated, [webhook("refund.failed", refund(status="failed"))])
    assert await wallets(unallocated) == ALLOCATED


async def test_two_people_allocating_at_once_post_one(unallocated: Database) -> None:
    answers = await asyncio.gather(
        *(answered(unallocated, ACTIONS, allocating(student)) for student in ("anna", "ben"))
    )
    assert sorted(answer.outcome for answer in answers) == ["done", "refused"]
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
    newest = await hobbs("payments", "list", "--most", "1", "-o", "csv")
    assert "only the first 1 payments (received) are shown, the newest first" in newest.stderr
    first = await hobbs("payments", "list", "--most", "1", "--skip", "1", "-o", "json")
    assert {row["charge_id"] for row in json.loads(first.stdout)} == {"ch_1", "ch_2"} - {
        name for name in ("ch_1", "ch_2") if name in newest.stdout
    }
    assert first.stderr == ""
    assert "300.00" not in (await hobbs("payments", "list", "--student", "anna")).stdout
    assert "100.00" in (await hobbs("payments", "list", "--student", "anna")).stdout
    assert (await hobbs("payments", "list", "--state", "waiting")).exit_code == 0
    assert (await hobbs("payments", "list", "--state", "failed")).exit_code == 0
