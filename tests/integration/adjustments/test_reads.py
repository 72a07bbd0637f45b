"""What people are shown of adjustments, and the commands that show it."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from prometheus_client import REGISTRY

from fleet.database import Database
from services.adjustments.desk import reads
from services.adjustments.desk.decisions import ACTIONS
from services.adjustments.handlers import measure
from tests.conftest import OpenDatabase
from tests.integration.adjustments.settle_stories import given_posted
from tests.integration.adjustments.stories import (
    LESS,
    MORE,
    NOW,
    SLIGHTLY_LESS,
    answer_ledger,
    decide,
    given_policy,
    propose,
    refuse_journal,
    revised,
    states,
)
from tests.integration.ops.conftest import Hobbs
from tests.support.databases import service_url
from tests.support.deciders import deciding

A_THIRD_LESS = {"student:anna": -14_000, "instructor:ines": 6_125, "platform:school": 7_875}
WALLET, PAID_BY = "instructor:ines", uuid4()
_TRANSFER = """
    INSERT INTO transfer (id, wallet, currency, amount, cause, state, trace, stripe_transfer_id,
                          stripe_account, sent_at, clawback_until, created_at, changed_at)
    VALUES (:id, :wallet, 'USD', 8750, 'flight', 'sent', '{}', 'tr_1', 'acct_1',
            CAST(:until AS timestamptz) - interval '72 hours', :until, now(), now())
"""
_PAYABLE = """
    INSERT INTO payable (journal_id, wallet, currency, amount, source, event_type, occurred_at, accrued_at,
                         transfer_id, trace)
    VALUES (gen_random_uuid(), :wallet, 'USD', 8750, :source, 'flight', now(), now(), :id, '{}')
"""


@pytest.fixture
async def desk(database_url: str) -> AsyncIterator[Database]:
    """What the command line reads with: the operator, who may read the published views."""
    database = Database(
        service_url(database_url, "operator"), schema="adjustments", pool_size=1, role="hobbs_reader"
    )
    yield database
    await database.close()


@pytest.fixture
async def prefix(
    kafka: str,
    database_url: str,
    hobbs: Hobbs,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[str]:
    """Adjustments takes decisions; the command line is told the same world."""
    monkeypatch.setenv("HOBBS_KAFKA_BOOTSTRAP", kafka)
    async with deciding(kafka, database_url, {"adjustments": ACTIONS}) as prefix:
        monkeypatch.setenv("HOBBS_TOPIC_PREFIX", prefix)
        yield prefix


async def page(desk: Database, **asked: Any) -> list[dict[str, Any]]:
    async with desk.transaction() as tx:
        return await reads.queue(tx, **asked)


async def test_the_queue_shows_the_oldest_first_and_goes_on_where_a_page_ended(
    db: Database, desk: Database
) -> None:
    for day in range(4):
        await propose(db, revised(flight=f"F{day}", entries=MORE), now=NOW - timedelta(days=4 - day))
    first = await page(desk, most=3)
    assert [row["adjustment"] for row in first] == ["F0:2", "F1:2", "F2:2"]
    last = first[-1]
    rest = await page(desk, most=3, after=(last["waiting_since"], last["id"]))
    assert [row["adjustment"] for row in rest] == ["F3:2"]
    assert first[0]["expires_at"] - first[0]["waiting_since"] == timedelta(days=14)


async def test_the_queue_counts_approvals_of_this_content_only(db: Database, desk: Database) -> None:
    await propose(db, revised(entries=MORE))
    await decide(db, "approve", "F1:2", "ann")
    [row] = await page(desk)
    assert (row["approvals"], row["approvals_needed"], row["needs"]) == (1, 2, ["large_amount"])


async def test_the_queue_says_which_clawback_window_closes(
    db: Database, desk: Database, open_db: OpenDatabase
) -> None:
    """What ines was paid for the flight can be taken back for two days more."""
    until = NOW + timedelta(days=2)
    await given_payment(open_db("payouts"), until)
    await propose(db, revised(entries=A_THIRD_LESS), revised(flight="F2", entries=A_THIRD_LESS))
    by_name = {row["adjustment"]: row for row in await page(desk)}
    assert by_name["F1:2"]["clawback_until"] == until
    assert by_name["F1:2"]["could_be_taken_back"] == 2_625
    assert by_name["F2:2"]["clawback_until"] is None  # of that flight nothing was sent


async def given_payment(payouts: Database, until: datetime) -> None:
    """A sent transfer that paid the flight's first bill, written as payouts keeps it."""
    async with payouts.transaction() as tx:
        await tx.execute(
            "INSERT INTO payee (wallet, kind, key) VALUES (:wallet, 'instructor', 'ines')", wallet=WALLET
        )
        await tx.execute(_TRANSFER, wallet=WALLET, until=until, id=PAID_BY)
        await tx.execute(_PAYABLE, wallet=WALLET, source="flight:F1:1", id=PAID_BY)


async def test_the_queue_estimates_when_a_debt_would_be_recovered(
    db: Database, desk: Database, open_db: OpenDatabase
) -> None:
    """87.50 in 90 days, at a fifth of each payment: 26.25 take 135 days. Nobody else was paid anything."""
    await given_policy(db, offset_share_percent=20)
    await propose(db, revised(entries=A_THIRD_LESS))
    assert [row["recovered_about"] for row in await page(desk)] == [None]
    await given_payment(open_db("payouts"), NOW + timedelta(days=2))
    today = datetime.now(UTC).date()
    assert [row["recovered_about"] for row in await page(desk)] == [today + timedelta(days=135)]


async def test_what_is_owed_before_is_recovered_before(
    db: Database, desk: Database, open_db: OpenDatabase
) -> None:
    await given_payment(open_db("payouts"), NOW + timedelta(days=2))
    await given_policy(db, approve_above=100_000)
    await given_posted(db, revised(entries=A_THIRD_LESS))
    async with desk.transaction() as tx:
        rows = await reads.open_settlements(tx)
        shown = await reads.whole(tx, "F1:2")
    today = datetime.now(UTC).date()
    assert [row["recovered_about"] for row in rows] == [today + timedelta(days=27)]
    assert shown is not None
    [offset] = [one for one in shown["settlements"] if one["wallet"] == WALLET]
    assert (offset["left"], offset["recovered_about"]) == (2_625, today + timedelta(days=27))
    await given_policy(db, version=2)
    await propose(db, revised(flight="F2", entries=A_THIRD_LESS))
    assert [row["recovered_about"] for row in await page(desk)] == [today + timedelta(days=54)]


@pytest.mark.parametrize(("hours", "closing"), [(11, 1), (13, 0), (-1, 0)])
async def test_a_window_that_closes_soon_is_counted(
    db: Database, open_db: OpenDatabase, hours: int, closing: int
) -> None:
    await given_payment(open_db("payouts"), NOW + timedelta(hours=hours))
    await propose(db, revised(entries=A_THIRD_LESS), revised(flight="F2", entries=A_THIRD_LESS))
    await measure(db, clock=lambda: NOW)
    assert REGISTRY.get_sample_value("adjustments_clawback_closing") == closing


async def test_a_makers_month_is_shown_by_payee(db: Database, desk: Database) -> None:
    """Split into amounts that nobody has to approve, it is one sum."""
    for flight in ("F1", "F2", "F3"):
        await propose(db, revised(flight=flight, entries=LESS, made_by="eve"))
    await answer_ledger(db)
    await propose(db, revised(flight="F4", entries=MORE, made_by="eve"))
    [waiting] = await page(desk)
    assert waiting["moved_in_month"] == 3 * 1_750
    async with desk.transaction() as tx:
        [row] = await reads.makers(tx)
    assert (row["made_by"], row["wallet"], row["moved"], row["adjustments"]) == (
        "eve",
        "instructor:ines",
        5_250,
        3,
    )


async def test_adjustments_just_under_the_limit_are_listed(db: Database, desk: Database) -> None:
    await propose(
        db,
        revised(
            flight="F1",
            entries={"student:anna": -24_900, "instructor:ines": 13_650, "platform:school": 11_250},
        ),
        revised(flight="F2", entries=SLIGHTLY_LESS),
        revised(flight="F3", entries=A_THIRD_LESS),
    )
    async with desk.transaction() as tx:
        assert [row["adjustment"] for row in await reads.just_under(tx)] == ["F1:2"]


async def test_gauges_show_what_goes_on_and_since_when(db: Database) -> None:
    await propose(db, revised(entries=MORE), now=NOW - timedelta(hours=2))
    await propose(db, revised(flight="F2", entries=LESS))
    await refuse_journal(db, "adjustment:F2:2")
    await measure(db, clock=lambda: NOW)
    assert REGISTRY.get_sample_value("adjustments_open", {"state": "waiting"}) == 1
    assert REGISTRY.get_sample_value("adjustments_open", {"state": "failed"}) == 1
    assert REGISTRY.get_sample_value("adjustments_oldest_seconds", {"state": "waiting"}) == pytest.approx(
        7_200
    )


async def test_the_command_lists_and_shows(db: Database, hobbs: Hobbs) -> None:
    await propose(db, revised(entries=MORE), revised(flight="F2", entries=LESS))
    listed = await hobbs("adjustments", "list", "--state", "waiting", "-o", "json")
    assert [row["adjustment"] for row in json.loads(listed.stdout)] == ["F1:2"]
    by_wallet = await hobbs("adjustments", "list", "--wallet", "instructor:ines", "-o", "json")
    assert len(json.loads(by_wallet.stdout)) == 2
    queue = await hobbs("adjustments", "list", "--needs-approval")
    assert "1,000.00" in queue.stdout or "1000.00" in queue.stdout
    assert "0 of 2" in queue.stdout
    shown = json.loads((await hobbs("adjustments", "show", "F1:2", "-o", "json")).stdout)
    assert [party["difference"] for party in shown["parties"]] == [43_750, 56_250, -100_000]
    assert (await hobbs("adjustments", "show", "F1:2")).exit_code == 0
    assert (await hobbs("adjustments", "show", "F9:2")).exit_code == 1


async def test_the_command_approves_several_after_a_table(
    db: Database,
    hobbs: Hobbs,
    prefix: str,
) -> None:
    await propose(db, *(revised(flight=f"F{n}", entries=A_THIRD_LESS) for n in (1, 2, 3)))
    tried = await hobbs("adjustments", "approve", "F1:2", "F2:2", "--who", "ann", "--dry-run")
    assert "who gets and owes what" in tried.stdout
    assert "-26.25" in tried.stdout
    assert set((await states(db)).values()) == {"waiting"}
    own = await hobbs("adjustments", "approve", "F1:2", "--who", "dispatch", "--yes")
    assert (own.exit_code, "another person" in own.stderr) == (1, True)
    done = await hobbs("adjustments", "approve", "F1:2", "F2:2", "F9:2", "--who", "ann", "--yes")
    assert done.exit_code == 1  # there is no F9:2; the others are decided
    assert await states(db) == {"F1:2": "approved", "F2:2": "approved", "F3:2": "waiting"}
    refused = await hobbs(
        "adjustments", "reject", "F3:2", "--why", "it was right", "--who", "ann", answer="n"
    )
    assert (refused.exit_code, (await states(db))["F3:2"]) == (1, "waiting")
    await hobbs("adjustments", "reject", "F3:2", "--why", "it was right", "--who", "ann", answer="y")
    assert (await states(db))["F3:2"] == "rejected"
