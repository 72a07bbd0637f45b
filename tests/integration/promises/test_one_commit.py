"""An event and its effect are one commit: whichever commit fails, the batch read again has its effect."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial
from uuid import UUID

import pytest

from fleet import faults
from fleet.database import Database
from fleet.envelope import Record
from schemas.journals import JournalPosted, PostedEntry
from schemas.school import SchoolAccepted, SchoolChange
from services.billing.handlers import bill_flights, cancel_flights, configure_school, correct_flights
from services.ledger.handlers import change_limits, post_journals
from services.payouts.app import effect_policy_of
from services.payouts.handlers import configure_payees, record_payables
from services.payouts.stripe.webhooks import handle_webhooks
from services.receivables.handlers import take_settled_charges, take_stripe_events
from tests.conftest import OpenDatabase
from tests.integration.billing.given import (
    CHANGES,
    cancelled,
    completed,
    configured,
    corrected,
    given_school,
)
from tests.integration.ledger.books import requested
from tests.integration.ledger.test_holds import limit
from tests.integration.receivables.stories import charge, settled, webhook
from tests.support.books import keep_books
from tests.support.payouts import SETTINGS
from tests.support.records import record

COMMITS_MAX = 5
NOW = datetime.now(UTC)


def taught(number: int) -> Record:
    """A payee's card in the school's book."""
    change = SchoolChange(
        kind="instructor",
        key=f"i{number}",
        effective_from=date(2020, 1, 1),
        new={"flight_per_hour": 4500, "ground_per_hour": 4000},
    )
    event = SchoolAccepted(
        version=number, base_version=number - 1, who="finance", why="test", at=NOW, changes=[change]
    )
    return record("school.accepted", event)


def owed(number: int) -> Record:
    """A journal that owes an instructor; the same one for the same number."""
    entries = [("student:s", -700), ("instructor:i", 700)]
    event = JournalPosted(
        journal_id=UUID(int=number),
        source=f"flight:F{number}:1",
        event_type="flight",
        currency="USD",
        occurred_at=NOW,
        recorded_at=NOW,
        entries=[PostedEntry(wallet=w, amount=amount, balance_after=0, version=1) for w, amount in entries],
    )
    return record("journal.posted", event)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A handler, an event of its topic, and the query that counts the events that had their effect."""

    service: str
    handle: Callable[[Database, Sequence[Record]], Awaitable[None]]
    event: Callable[[int], Record]
    effects: str


CASES = [
    Case(
        service="billing",
        handle=bill_flights,
        event=lambda n: completed(flight_id=f"F{n}"),
        effects="SELECT count(*) AS n FROM bill",
    ),
    Case(
        service="billing",
        handle=correct_flights,
        event=lambda n: corrected(2, flight_id=f"F{n}"),
        effects="SELECT count(*) AS n FROM waiting_revision",
    ),
    Case(
        service="billing",
        handle=cancel_flights,
        event=lambda n: cancelled(2, flight_id=f"F{n}"),
        effects="SELECT count(*) AS n FROM waiting_revision",
    ),
    Case(
        service="billing",
        handle=configure_school,
        event=lambda n: configured(n + 1, [CHANGES[1]]),
        effects="SELECT version - 1 AS n FROM book",
    ),
    Case(
        service="ledger",
        handle=post_journals,
        event=lambda n: requested(f"flight:F{n}:1"),
        effects="SELECT count(*) AS n FROM journal",
    ),
    Case(
        service="ledger",
        handle=change_limits,
        event=lambda n: limit(0, wallet=f"student:s-{n}"),
        effects="SELECT count(*) AS n FROM balance WHERE floor IS NOT NULL",
    ),
    Case(
        service="payouts",
        handle=record_payables,
        event=owed,
        effects="SELECT count(*) AS n FROM payable",
    ),
    Case(
        service="payouts",
        handle=partial(configure_payees, accounts=SETTINGS.accounts),
        event=taught,
        effects="SELECT count(*) AS n FROM payee_card",
    ),
    Case(
        service="payouts",
        handle=partial(handle_webhooks, effect_policy=effect_policy_of(SETTINGS), look_now=lambda: None),
        event=lambda n: webhook("account.updated", {"id": f"acct_{n}", "object": "account"}),
        effects="SELECT count(*) AS n FROM inquiry",
    ),
    Case(
        service="receivables",
        handle=take_stripe_events,
        event=lambda n: webhook("charge.succeeded", charge(f"ch_{n}")),
        effects="SELECT count(*) AS n FROM posting",
    ),
    Case(
        service="receivables",
        handle=take_settled_charges,
        event=lambda n: settled(f"ch_{n}"),
        effects="SELECT count(*) AS n FROM charge WHERE fee IS NOT NULL",
    ),
]


def named(case: Case) -> str:
    handle = case.handle.func if isinstance(case.handle, partial) else case.handle
    return handle.__name__


@pytest.mark.parametrize("case", CASES, ids=[named(c) for c in CASES])
async def test_whichever_commit_fails_the_batch_read_again_has_its_effect(
    case: Case, open_db: OpenDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    db = open_db(case.service)
    if case.service == "billing":
        await given_school(db)
    for nth in range(1, COMMITS_MAX):
        batch = [case.event(nth)]
        if case.handle is record_payables:
            await keep_books(open_db("ledger"), *batch)
        failed = await fails_at_commit(nth, case, db, batch, monkeypatch)
        if failed:
            await case.handle(db, batch)
        assert await count(db, case.effects) == nth
        if not failed:
            assert nth > 1, "no commit failed"
            return
    raise AssertionError(f"{named(case)} commits more than {COMMITS_MAX} times")


async def fails_at_commit(
    nth: int, case: Case, db: Database, batch: Sequence[Record], monkeypatch: pytest.MonkeyPatch
) -> bool:
    """Handle a batch whose nth commit fails; False when there was no such commit."""
    plan = faults.Plan(faults.parse_plan(f"transaction.before_commit=raise@{nth}"), None)
    with monkeypatch.context() as patched:
        patched.setattr(faults, "_plan", plan)
        try:
            await case.handle(db, batch)
        except faults.InjectedFault:
            return True
    return False


async def count(db: Database, sql: str) -> int:
    async with db.transaction() as tx:
        return int((await tx.one(sql)).n)
