"""What people may ask of the books is asked of the published views: a reader's rights are enough for it."""

import inspect
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from uuid import UUID

import asyncpg
import pytest

from fleet.database import Database
from services.ledger.desk import chain, reads
from services.ledger.domain.chain import START, Head
from services.ledger.handlers import extend_chain
from tests.integration.ledger.books import ask, requested
from tests.integration.ledger.test_chain import soon
from tests.support.databases import service_url

STUDENT = "student:s-1"


@pytest.fixture
async def reader(ledger: Database, database_url: str) -> AsyncIterator[Database]:
    """The ledger's database with nothing but a reader's rights."""
    database = Database(
        service_url(database_url, "operator"), schema="ledger_public", pool_size=1, role="hobbs_reader"
    )
    yield database
    await database.close()


async def test_a_reader_may_ask_every_question(
    ledger: Database, owner: asyncpg.Connection, reader: Database
) -> None:
    [posted] = await ask(ledger, requested())
    await owner.execute(f"SELECT place_hold('h', '{STUDENT}', 1, 'USD', now() + interval '1 day')")
    await owner.execute(f"SELECT set_monitor('low', '{STUDENT}', 'USD', 'below', 5)")
    await owner.execute("SELECT close_period('2020-01-01Z')")
    now = datetime.now(UTC)
    async with reader.transaction() as tx:
        await reads.recompute.begin_snapshot(tx)
        details = await reads.journals.find_journal(tx, "flight:F1:1")
        assert details is not None
        asked = {
            "list_balances": await reads.balances.list_balances(tx),
            "balances_at": await reads.balances.balances_at(
                tx, wallet=STUDENT, kind=None, occurred_by=now, known_by=now
            ),
            "statement": (await reads.statements.statement(tx, STUDENT, "USD")).lines,
            "currencies": await reads.balances.currencies(tx),
            "currencies_of": await reads.balances.currencies_of(tx, [STUDENT]),
            "list_closed": await reads.periods.list_closed(tx),
            "list_holds": await reads.holds.list_holds(tx),
            "find_journal": details,
            "root_event_type": await reads.journals.root_event_type(tx, details),
            "list_monitors": await reads.monitors.list_monitors(tx),
            "list_crossings": await reads.monitors.list_crossings(tx, most=9),
            "sums_by_event_type": await reads.recompute.sums_by_event_type(tx, STUDENT, "USD"),
            "sum_of_open_holds": await reads.recompute.sum_of_open_holds(tx, STUDENT, "USD"),
            "count_waiting": await reads.chain.count_waiting(tx),
        }
        nothing_wrong = {
            "breaks_in_journal": await reads.recompute.breaks_in_journal(tx, UUID(posted.body["journal_id"])),
            "first_break": await reads.recompute.first_break(tx, STUDENT, "USD"),
            "unchained": await reads.chain.unchained(tx),
        }
        of_no_opening = {
            "lines": await reads.openings.lines(tx, None),
            "trial_balance": await reads.openings.trial_balance(tx, None),
            "signatures": await reads.openings.signatures(tx, None),
            "payees": await reads.openings.payees(tx),
        }
        by_hand_of_nobody = {"words": await reads.by_hand.words(tx, waiting=False)}
        chain_of_none = {
            "head": await reads.chain.head(tx),
            "verify_onwards": await reads.chain.verify_onwards(tx, START),
        }
    assert all(asked.values()), asked
    assert not any(nothing_wrong.values()), nothing_wrong
    assert not any(of_no_opening.values()), of_no_opening
    assert not any(by_hand_of_nobody.values()), by_hand_of_nobody
    assert set(chain_of_none.values()) == {START}
    every = {
        name
        for module in vars(reads).values()
        if inspect.ismodule(module)
        for name, function in vars(module).items()
        if inspect.iscoroutinefunction(function) and function.__module__ == module.__name__ and name[0] != "_"
    }
    assert (
        every - {"begin_snapshot", "noted_fault"}
        == asked.keys()
        | nothing_wrong.keys()
        | of_no_opening.keys()
        | by_hand_of_nobody.keys()
        | chain_of_none.keys()
    )


async def test_a_reader_may_verify_the_chain(ledger: Database, reader: Database) -> None:
    await ask(ledger, requested())
    assert await chain.waiting(reader) == 1
    assert await extend_chain(ledger, soon()) == 1
    head = await chain.verify(reader)
    assert isinstance(head, Head)
    assert head.position == 1
    assert await chain.verify(reader, head) == head
    assert await chain.waiting(reader) == 0


async def test_a_reader_may_call_no_other_function_of_the_ledger(
    ledger: Database, owner: asyncpg.Connection
) -> None:
    rows = await owner.fetch(
        "SELECT oid::regprocedure::text AS function FROM pg_proc"
        " WHERE pronamespace IN ('ledger'::regnamespace, 'ledger_public'::regnamespace)"
        " AND has_schema_privilege('hobbs_reader', pronamespace, 'USAGE')"
        " AND has_function_privilege('hobbs_reader', oid, 'EXECUTE')"
    )
    assert {row["function"].partition("(")[0] for row in rows} == {
        "ledger_public.balance_at",
        "ledger_public.verify_links",
    }
