"""A lost dispute proposes, by policy, that payees give back their share; won after all, they get it back."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy.exc import DBAPIError

from fleet.database import Database
from services.adjustments.desk.reads import explanations
from services.adjustments.handlers import follow_book, take_posted
from services.ledger.handlers import post_journals
from services.receivables.handlers import take_stripe_events
from tests.conftest import OpenDatabase
from tests.integration.adjustments.settle_stories import (
    answer_reversals,
    asked_reversals,
    reversal,
    send,
    sent,
    settle,
    settlements,
    told,
    where,
)
from tests.integration.adjustments.stories import (
    NOW,
    decide,
    given_policy,
    policy,
    propose,
    revised,
)
from tests.integration.billing.given import given_school
from tests.integration.ledger.books import balances, requested
from tests.integration.receivables.stories import charge, dispute, intent, webhook
from tests.support.invariants import broken_invariants
from tests.support.records import record

EARLIER = (("student:anna", -10_000), ("instructor:ines", 5_000), ("platform:school", 5_000))
FLIGHT = (
    *(("student:anna", -40_000), ("instructor:ines", 17_500)),
    *(("aircraft_owner:otto", 10_000), ("platform:school", 12_500)),
)
INES, OTTO = "instructor:ines", "aircraft_owner:otto"
NAME = "du_1/F1:2"


@dataclass
class School:
    """Receivables, ledger and adjustments of one school; what one tells the next is handed on."""

    payments: Database
    books: Database
    adjustments: Database
    handed: dict[str, int] = field(default_factory=dict)

    async def flown(self, source: str, legs: tuple[tuple[str, int], ...]) -> None:
        await post_journals(self.books, [requested(source, legs)])
        await self.work()

    async def paid(self, charge_id: str, amount: int) -> None:
        money: dict[str, Any] = {"amount": amount, "amount_captured": amount}
        await self.hears("payment_intent.succeeded", intent(charge_id, amount=amount, amount_received=amount))
        await self.hears("charge.succeeded", charge(charge_id, **money))

    async def disputed(self, status: str, **changed: Any) -> None:
        await self.hears("charge.dispute.closed", dispute(status=status, **changed), event_id=f"evt_{status}")

    async def hears(self, event_type: str, subject: dict[str, Any], event_id: str | None = None) -> None:
        await take_stripe_events(self.payments, [webhook(event_type, subject, event_id)])
        await self.work()

    async def work(self) -> None:
        """Hand on what was asked of the ledger, and what it answered, until nothing is new."""
        while await self._ask(self.payments) + await self._ask(self.adjustments):
            pass

    async def _ask(self, service: Database) -> int:
        asked = await self._new(service, "journal.requested")
        if asked:
            await post_journals(self.books, [record("journal.requested", v, key=k) for k, v in asked])
        posted = await self._new(self.books, "journal.posted")
        if posted:
            records = [record("journal.posted", v, key=k) for k, v in posted]
            await take_posted(self.adjustments, records, clock=lambda: NOW)
        return len(asked) + len(posted)

    async def _new(self, service: Database, topic: str) -> list[tuple[str, bytes]]:
        place = f"{id(service)}:{topic}"
        async with service.transaction() as tx:
            rows = await tx.all(
                "SELECT id, key, value FROM outbox WHERE topic = :topic AND id > :after ORDER BY id",
                topic=topic,
                after=self.handed.get(place, 0),
            )
        if rows:
            self.handed[place] = rows[-1].id
        return [(row.key.decode(), row.value) for row in rows]


async def withdraw_policy(db: Database) -> None:
    await follow_book(db, [policy(version=2)])


@pytest.fixture
async def school(db: Database, open_db: OpenDatabase) -> AsyncIterator[School]:
    """Anna flew twice and paid both, the second flight with the payment that is disputed."""
    await given_school(open_db("billing"), {"kind": "student", "key": "anna", "new": {}})
    found = School(payments=open_db("receivables"), books=open_db("ledger"), adjustments=db)
    await given_policy(db, recover_lost_disputes=True, approve_older_than_days=3_650)
    await found.flown("flight:F0:1", EARLIER)
    await found.flown("flight:F1:1", FLIGHT)
    await found.paid("ch_0", 10_000)
    await found.paid("ch_1", 40_000)
    yield found
    assert await broken_invariants(db) == {}


async def test_a_lost_dispute_waits_for_a_person_and_is_then_taken_from_who_was_paid(school: School) -> None:
    db = school.adjustments
    await school.disputed("lost")
    before = await balances(school.books)
    assert await where(db) == {NAME: "waiting"}
    assert (before[INES], before[OTTO], before["student:anna"]) == (22_500, 10_000, -40_000)
    assert (await decide(db, "approve", NAME, "ann")).outcome == "done"
    await school.work()
    after = await balances(school.books)
    assert (after[INES], OTTO in after, after["student:anna"]) == (5_000, False, -40_000)
    assert after["platform:school"] - before["platform:school"] == 27_500
    assert await settlements(db, INES, NAME) == [("future_payout_offset", "waiting", -17_500)]
    assert (
        "Flight F1 was paid with money about which the student's bank decided"
        in (await told(db, "ines"))[0][1]
    )


async def test_what_was_sent_is_clawed_back_from_the_transfer_that_paid_the_flight(school: School) -> None:
    db = school.adjustments
    await send(db, sent("flight:F1:1", amount=17_500))
    await school.disputed("lost")
    await decide(db, "approve", NAME, "ann")
    await school.work()
    assert (await settle(db, "claw_back", name=NAME, wallet=INES)).outcome == "done"
    [asked] = await asked_reversals(db)
    assert (asked["amount"], asked["paid_by"]) == (17_500, ["flight:F1:1"])
    await answer_reversals(db, reversal(asked["settlement_id"], 17_500, asked=17_500))
    assert (await settlements(db, INES, NAME))[-1] == ("stripe_reversal", "settled", -17_500)


async def test_only_the_share_of_what_was_lost_is_recovered(school: School) -> None:
    await school.disputed("lost", amount=10_000)
    await decide(school.adjustments, "approve", NAME, "ann")
    await school.work()
    after = await balances(school.books)
    assert (after[INES], after[OTTO]) == (22_500 - 4_375, 10_000 - 2_500)


async def test_a_small_recovery_waits_for_a_person_too(school: School) -> None:
    await school.disputed("lost", amount=100)
    assert await where(school.adjustments) == {NAME: "waiting"}


async def test_without_a_card_nothing_is_proposed(school: School) -> None:
    await withdraw_policy(school.adjustments)
    await school.disputed("lost")
    assert await where(school.adjustments) == {}


@pytest.mark.parametrize("approved", [True, False])
async def test_a_dispute_won_after_all_gives_it_back(school: School, approved: bool) -> None:
    db = school.adjustments
    before = await balances(school.books)
    await school.disputed("lost")
    if approved:
        await decide(db, "approve", NAME, "ann")
        await school.work()
    await school.disputed("won")
    if approved:
        assert (await where(db))["du_1/F1:3"] == "waiting"
        await decide(db, "approve", "du_1/F1:3", "ann")
        await school.work()
    else:
        assert await where(db) == {NAME: "superseded", "du_1/F1:3": "settled"}
    after = await balances(school.books)
    fee = {"platform:school": before["platform:school"] - 1_500, "external:stripe": -48_500}
    assert after == before | fee


SLIGHTLY_LESS = {"student:anna": -39_000, INES: 17_100, OTTO: 9_750, "platform:school": 12_150}


@pytest.mark.parametrize(("until", "state"), [
    ("lost", "waiting"), ("approved", "waiting"), ("rejected", "approved"), ("won, not decided", "waiting"),
    ("won", "approved"), ("nothing", "approved"),
])  # fmt: skip
async def test_a_correction_of_a_flight_whose_payees_bear_a_dispute_needs_a_person(
    school: School, until: str, state: str
) -> None:
    """However small: what they gave back was a share of what they had got."""
    db = school.adjustments
    if until != "nothing":
        await school.disputed("lost")
        await decide(
            db, "reject" if until == "rejected" else "approve", NAME, "ann"
        ) if until != "lost" else None
        await school.work()
    if until.startswith("won"):
        await school.disputed("won")
    if until == "won":
        await decide(db, "approve", "du_1/F1:3", "ann")
        await school.work()
    await propose(db, revised(2, SLIGHTLY_LESS, first=dict(FLIGHT)))
    assert (await where(db))["F1:2"] == state
    async with db.transaction() as tx:
        row = await tx.first("SELECT needs FROM adjustment WHERE flight_id = 'F1'")
    assert row is not None
    assert row.needs == (["recovered_flight"] if state == "waiting" else [])


async def test_a_flight_tells_what_its_payees_bear(school: School) -> None:
    await school.disputed("lost")
    async with school.adjustments.transaction() as tx:
        rows = await explanations.recoveries_of(tx, "F1")
        assert await explanations.recoveries_of(tx, "F0") == []
    assert [(row["adjustment"], row["state"], row["wallet"], row["difference"]) for row in rows] == [
        (NAME, "waiting", OTTO, -10_000),
        (NAME, "waiting", INES, -17_500),
        (NAME, "waiting", "platform:school", 27_500),
    ]


async def test_nobody_recovers_without_a_person_even_by_sql(school: School) -> None:
    await school.disputed("lost")
    async with school.adjustments.transaction() as tx:
        with pytest.raises(DBAPIError, match="recovery_needs_approval"):
            await tx.execute(
                "UPDATE adjustment SET approvals_needed = 0, needs = '{}', approve_above = 1000000"
            )
