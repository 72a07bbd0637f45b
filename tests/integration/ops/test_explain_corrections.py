"""`hobbs explain flight` of a corrected flight: every revision, who decided it, what the ledger has of it."""

from collections.abc import Awaitable, Callable, Sequence
from functools import cached_property

import pytest

from fleet.database import Database
from fleet.envelope import Record
from fleet.settings import Settings
from hobbs.check.recompute import ExplainedFlight, explain_flight
from hobbs.check.revisions import FIRST_BILL
from services.adjustments.desk.decisions import ACTIONS
from services.adjustments.desk.reads import explanations
from services.adjustments.handlers import propose_revisions, take_posted
from services.ledger.handlers import post_journals
from tests.conftest import OpenDatabase
from tests.integration.billing.given import (
    cancelled,
    completed,
    corrected,
    given_billed,
    given_cancelled,
    given_corrected,
    given_school,
)
from tests.support.decisions import answered, decision
from tests.support.records import record

Explain = Callable[..., Awaitable[ExplainedFlight]]


class Books:
    """Billing, the ledger and adjustments with one database, and what Kafka would carry between them."""

    def __init__(self, open_db: OpenDatabase) -> None:
        self._open_db = open_db

    @cached_property
    def billing(self) -> Database:
        return self._open_db("billing")

    @cached_property
    def ledger(self) -> Database:
        return self._open_db("ledger")

    @cached_property
    def adjustments(self) -> Database:
        return self._open_db("adjustments")

    async def carry(self) -> None:
        """Give each service what the others published."""
        await post_journals(self.ledger, await published(self.billing, "journal.requested"))
        await propose_revisions(self.adjustments, await published(self.billing, "flight.revised"))
        await post_journals(self.ledger, await published(self.adjustments, "journal.requested"))
        await take_posted(self.adjustments, await published(self.ledger, "journal.posted"))

    async def approve(self, name: str, who: str) -> None:
        answer = await answered(
            self.adjustments,
            ACTIONS,
            decision("adjustments", "approve", name, who=who, why="meters compared"),
        )
        assert answer.outcome == "done", answer.sentence
        await self.carry()


async def published(db: Database, topic: str) -> Sequence[Record]:
    async with db.transaction() as tx:
        rows = await tx.all(
            "SELECT key, value, event_id FROM outbox WHERE topic = :topic ORDER BY id", topic=topic
        )
    return [
        record(
            topic,
            bytes(row.value),
            key=bytes(row.key).decode(),
            ce_id=row.event_id,
            ce_source=f"hobbs/{db.schema}",
        )
        for row in rows
    ]


@pytest.fixture
async def books(open_db: OpenDatabase) -> Books:
    """The worked flight is billed and posted."""
    books = Books(open_db)
    await given_school(books.billing)
    await given_billed(books.billing, completed())
    await books.carry()
    return books


@pytest.fixture
def explain(database_url: str) -> Explain:
    async def explained(revision: int | None = None) -> ExplainedFlight:
        settings = Settings(database_url=database_url, kafka_bootstrap="none:1")
        found = await explain_flight(settings, "F123", revision)
        assert found is not None
        return found

    return explained


def unforeseen(flight: ExplainedFlight) -> list[str]:
    """What is found, but for payouts, which is not here."""
    return [finding for finding in flight.findings if "payouts" not in finding]


async def test_a_correction_that_waits_is_explained_by_its_bill_alone(books: Books, explain: Explain) -> None:
    await given_corrected(books.billing, corrected(hobbs_in="1254.4", dual_hours="0.8"))
    await books.carry()
    flight = await explain()
    assert unforeseen(flight) == []
    assert (flight.source, flight.in_ledger) == ("adjustment:F123:2", False)
    assert [side.posted for side in flight.wallets] == [None] * len(flight.wallets)
    assert [(one.revision, one.state) for one in flight.revisions] == [(1, FIRST_BILL), (2, "waiting")]
    assert {row["fact"] for row in flight.revisions[1].facts} == {"hobbs_in", "dual"}
    assert (await explain(1)).in_ledger


async def test_an_approved_correction_shows_who_decided_and_adds_up_in_the_ledger(
    books: Books, explain: Explain
) -> None:
    await given_corrected(books.billing, corrected(hobbs_in="1254.4", dual_hours="0.8"))
    await books.carry()
    await books.approve("F123:2", "ann")
    flight = await explain()
    assert unforeseen(flight) == []
    assert flight.in_ledger
    assert all(side.agrees for side in flight.wallets)
    assert not (await explain(1)).in_ledger
    second = flight.revisions[1]
    assert [row["approver"] for row in second.approvals] == ["ann"]
    assert {row["wallet"]: row["amount"] for row in second.settlements} == {
        row["wallet"]: row["difference"] for row in second.differences
    }


async def test_a_corrected_line_of_a_statement_is_marked_with_its_correction(
    books: Books, open_db: OpenDatabase
) -> None:
    await given_corrected(books.billing, corrected(hobbs_in="1254.4", dual_hours="0.8"))
    await books.carry()
    sources = ["flight:F123:1", "adjustment:F123:2", "charge:ch_1"]

    async def marks() -> dict[str, str]:
        async with open_db("operator").transaction() as tx:
            return await explanations.corrected_by(tx, sources)

    assert await marks() == {}, "it waits for approval"
    await books.approve("F123:2", "ann")
    assert await marks() == {"flight:F123:1": "adjustment:F123:2"}


async def test_a_cancelled_flight_leaves_nothing(books: Books, explain: Explain) -> None:
    await given_cancelled(books.billing, cancelled())
    await books.carry()
    await books.approve("F123:2", "ann")
    flight = await explain()
    assert unforeseen(flight) == []
    assert (flight.in_ledger, flight.charge) == (True, 0)
    assert {(side.recomputed, side.billed, side.posted) for side in flight.wallets} <= {(None, None, None)}


async def test_a_cent_too_much_in_an_adjustments_journal_is_found(
    books: Books, explain: Explain, owner: Database
) -> None:
    await given_corrected(books.billing, corrected(hobbs_in="1254.4", dual_hours="0.8"))
    await books.carry()
    await books.approve("F123:2", "ann")
    async with owner.transaction() as tx:
        await tx.execute("ALTER TABLE ledger.entry DISABLE TRIGGER USER")
        await tx.execute(
            "UPDATE ledger.entry SET amount = amount + 1 WHERE journal_id ="
            " (SELECT id FROM ledger.journal WHERE source = 'adjustment:F123:2') AND position = 1"
        )
        await tx.execute("ALTER TABLE ledger.entry ENABLE TRIGGER USER")
    assert any("in the ledger" in finding for finding in (await explain()).findings)
