"""What was written stands: neither a service's role nor the owner rewrites attempts, transfers, letters."""

import json
from base64 import b64decode
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from fleet import dead_letters, letters_telling
from fleet.invariants import ask_all, named_invariant, service_invariants
from schemas.services import SERVICES
from tests.conftest import OpenDatabase
from tests.integration.ledger.books import ask, requested
from tests.integration.ops.conftest import bury_unreadable
from tests.support.databases import service_url
from tests.support.records import record

PAID = """
    INSERT INTO payee (wallet, kind, key, stripe_account)
    VALUES ('instructor:i1', 'instructor', 'i1', 'acct_1');
    INSERT INTO transfer (id, wallet, currency, amount, cause, state, stripe_transfer_id, stripe_account,
                          sent_at, clawback_until, trace, created_at, changed_at)
    VALUES ('00000000-0000-0000-0000-000000000001', 'instructor:i1', 'USD', 700, 'test', 'sent', 'tr_1',
            'acct_1', now(), now() + interval '72:00:00', '{}', now(), now());
    INSERT INTO transfer_history (transfer_id, at, from_state, to_state, actor)
    VALUES ('00000000-0000-0000-0000-000000000001', now(), 'sending', 'sent', 'payouts');
    INSERT INTO payable (journal_id, wallet, currency, amount, source, event_type, occurred_at, accrued_at,
                         transfer_id, trace)
    VALUES (gen_random_uuid(), 'instructor:i1', 'USD', 700, 'test', 'flight', now(), now(),
            '00000000-0000-0000-0000-000000000001', '{}');
    INSERT INTO operation (id, kind, wallet, transfer_id, cause, params, amount, currency, state, due_at,
                           trace, created_at, finished_at, stripe_id)
    VALUES ('00000000-0000-0000-0000-000000000002', 'transfer', 'instructor:i1',
            '00000000-0000-0000-0000-000000000001', 'test',
            '{"amount": 700, "metadata": {"hobbs_operation_id": "00000000-0000-0000-0000-000000000002"}}',
            700, 'USD', 'succeeded', now(), '{}', now(), now(), 'tr_1');
    INSERT INTO operation_history (operation_id, at, what, sentence, actor)
    VALUES ('00000000-0000-0000-0000-000000000002', now(), 'closed', 'x', 'x');
    INSERT INTO attempt (lease_token, operation_id, generation, phase, idempotency_key, started_at,
                         finished_at, verdict)
    VALUES (gen_random_uuid(), '00000000-0000-0000-0000-000000000002', 1, 'send', 'op:2:1', now(),
            now(), 'sent');
    INSERT INTO contact (wallet, erased_at) VALUES ('student:s1', now());
    INSERT INTO erasure (decision_id, wallet, erased_at, who, why)
    VALUES (gen_random_uuid(), 'student:s1', now(), 'ann', 'by letter');
"""
ATTACKS = [
    ("attempt", "UPDATE attempt SET verdict = 'refused'"),
    ("attempt", "UPDATE attempt SET idempotency_key = 'other'"),
    ("attempt", "DELETE FROM attempt"),
    ("transfer", "UPDATE transfer SET amount = 7"),
    ("transfer", "UPDATE transfer SET stripe_account = 'acct_2'"),
    ("transfer", "UPDATE transfer SET stripe_transfer_id = 'tr_2'"),
    ("transfer", "UPDATE transfer SET wallet = 'instructor:i2'"),
    ("transfer", "UPDATE transfer SET cause = 'other'"),
    ("transfer", "DELETE FROM transfer"),
    ("payable", "UPDATE payable SET amount = 1"),
    ("payable", "UPDATE payable SET wallet = 'instructor:i2'"),
    ("payable", "UPDATE payable SET source = 'other'"),
    ("payable", "DELETE FROM payable"),
    ("payee", "UPDATE payee SET stripe_account = 'acct_thief'"),
    ("payee", "UPDATE payee SET stripe_account = NULL"),
    ("payee", "UPDATE payee SET wallet = 'instructor:i2', key = 'i2'"),
    ("payee", "DELETE FROM payee"),
    ("transfer_history", "UPDATE transfer_history SET actor = 'somebody else'"),
    ("transfer_history", "DELETE FROM transfer_history"),
    ("operation_history", "UPDATE operation_history SET sentence = 'nothing'"),
    ("operation_history", "DELETE FROM operation_history"),
    ("erasure", "UPDATE erasure SET why = 'nobody asked'"),
    ("erasure", "DELETE FROM erasure"),
    *(
        (table, f"TRUNCATE {table} CASCADE")
        for table in (
            "attempt",
            "transfer",
            "payable",
            "payee",
            "transfer_history",
            "operation_history",
            "erasure",
        )
    ),
]
LETTER_ATTACKS = [
    "UPDATE dead_letter SET history = '[]'",
    "UPDATE dead_letter SET history = jsonb_set(history, '{0,reason}', '\"none\"')",
    "UPDATE dead_letter SET history = jsonb_set(history, '{0,reason}', '\"none\"') || history",
    "UPDATE dead_letter SET state = 'discarded'",
    "UPDATE dead_letter SET value = '\\x00'",
    "UPDATE dead_letter SET topic = 'other', history = history || '[{}]'",
    "UPDATE dead_letter SET first_seen_at = now(), history = history || '[{}]'",
    "DELETE FROM dead_letter",
    "TRUNCATE dead_letter",
]


async def connected(url: str, schema: str) -> asyncpg.Connection:
    return await asyncpg.connect(url, server_settings={"search_path": schema})


@pytest.fixture
async def owner(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await connected(database_url, "payouts")
    await connection.execute(PAID)
    yield connection
    await connection.close()


@pytest.fixture
async def worker(owner: asyncpg.Connection, database_url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await connected(service_url(database_url, "payouts"), "payouts")
    yield connection
    await connection.close()


REFUSALS = (asyncpg.CheckViolationError, asyncpg.InsufficientPrivilegeError)


async def test_what_payouts_did_is_rewritten_neither_by_its_role_nor_by_the_owner(
    owner: asyncpg.Connection, worker: asyncpg.Connection
) -> None:
    for table, attack in ATTACKS:
        with pytest.raises(REFUSALS):
            await worker.execute(attack)
        with pytest.raises(
            asyncpg.CheckViolationError, match="is refused" if "CASCADE" in attack else f"of {table}"
        ):
            await owner.execute(attack)
    await owner.execute("SET session_replication_role = replica")  # as a restore or a replica would have it
    with pytest.raises(asyncpg.CheckViolationError):
        await owner.execute("UPDATE transfer SET amount = 7")


async def test_what_may_change_still_changes(worker: asyncpg.Connection) -> None:
    await worker.execute("UPDATE transfer SET state = 'in_bank', in_bank_at = now(), changed_at = now()")
    await worker.execute("UPDATE payee SET ready = true, checked_at = NULL")
    await worker.execute("UPDATE payable SET transfer_id = NULL")
    await worker.execute("SELECT * FROM payee FOR UPDATE")


@pytest.mark.parametrize("service", SERVICES)
async def test_a_dead_letters_history_is_only_added_to(
    service: str, open_db: OpenDatabase, database_url: str
) -> None:
    database = open_db(service)
    await bury_unreadable(database, [record("flight.completed", b"no flight")])
    login = await connected(service_url(database_url, service), service)
    owner = await connected(database_url, service)
    try:
        for attack in LETTER_ATTACKS:
            with pytest.raises(REFUSALS):
                await login.execute(attack)
            with pytest.raises(asyncpg.CheckViolationError):
                await owner.execute(attack)
        await login.execute(
            "UPDATE dead_letter SET state = 'discarded', history = history || '[{\"who\": \"me\"}]'"
        )
    finally:
        await login.close()
        await owner.close()


async def test_each_content_that_a_letter_had_is_kept_until_it_is_forgotten(
    open_db: OpenDatabase, database_url: str
) -> None:
    """Another content under the same identity takes the first one's place, and not its trace."""
    ledger = open_db("ledger")
    first, second, third = (
        requested("flight:F1:1", (("student:s-1", -100), ("platform:school", left)), memo=memo)
        for left, memo in ((99, "the true one"), (98, "made up"), (97, "made up again"))
    )
    for one in (first, second, third):
        await ask(ledger, one)
    login = await connected(service_url(database_url, "ledger"), "ledger")
    try:
        [letter] = await login.fetch("SELECT id, value, history FROM dead_letter")
        assert letter["value"] == third.value
        kept = [step["was"] for step in json.loads(letter["history"]) if "was" in step]
        assert [b64decode(was["value"]) for was in kept] == [first.value, second.value]
        assert [was["headers"]["ce_id"] for was in kept] == [one.headers["ce_id"] for one in (first, second)]
        with pytest.raises(asyncpg.CheckViolationError):
            await login.execute(
                "UPDATE dead_letter SET history ="
                " without_former_contents(history) || jsonb_build_array('{}'::jsonb)"
            )
        async with ledger.transaction() as tx:
            assert await letters_telling.telling_of(tx, ["the true"]) == [letter["id"]]
            assert await dead_letters.forget(tx, [letter["id"]], who="ann", why="erased") == [letter["id"]]
            assert await letters_telling.telling_of(tx, ["the true"]) == []
            assert await dead_letters.forget(tx, [letter["id"]], who="ann", why="again") == []
        [left] = await login.fetch("SELECT history::text FROM dead_letter")
        assert '"value"' not in left["history"]
    finally:
        await login.close()


async def test_a_letter_keeps_places_and_hashes_when_contents_grow_too_large(
    open_db: OpenDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dead_letters, "WAS_BYTES", 1_000)
    ledger = open_db("ledger")
    for left in range(1, 6):
        await ask(ledger, requested("flight:F1:1", (("student:s-1", -100), ("platform:school", left))))
    async with ledger.transaction() as tx:
        [letter] = await tx.all("SELECT attempts, history FROM dead_letter")
    was = [step["was"] for step in letter.history if "was" in step]
    assert letter.attempts == 5
    assert ["value" in one for one in was] == [True, False, False, False]
    assert all(len(one["payload_hash"]) == 64 and "offset" in one for one in was)


@pytest.mark.parametrize(
    "ddl",
    [
        "ALTER TABLE transfer DISABLE TRIGGER transfer_keeps_what_was_sent",
        "ALTER TABLE transfer ENABLE REPLICA TRIGGER transfer_keeps_what_was_sent",
        "ALTER TABLE attempt ENABLE TRIGGER attempt_is_written_once",
        "DROP TRIGGER payee_keeps_the_account ON payee",
        "DROP TRIGGER table_is_not_emptied ON payable",
        "DROP TRIGGER history_is_only_added_to ON transfer_history; CREATE TRIGGER history_is_only_added_to"
        " BEFORE INSERT ON transfer_history EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    ],
)
async def test_an_owner_who_takes_a_guard_away_is_found_by_the_check(
    owner: asyncpg.Connection, open_db: OpenDatabase, ddl: str
) -> None:
    guarded = named_invariant("payouts", "histories_are_guarded")
    database = open_db("payouts")
    assert [outcome.rows for outcome in await ask_all(database, [guarded])] == [0]
    await owner.execute(ddl)
    assert [(outcome.rows, outcome.failure) for outcome in await ask_all(database, [guarded])] == [(1, None)]


@pytest.mark.parametrize("service", SERVICES)
async def test_a_letters_guard_that_is_off_is_found(
    service: str, open_db: OpenDatabase, database_url: str
) -> None:
    guarded = next(one for one in service_invariants(service) if one.name == "letters_are_guarded")
    database = open_db(service)
    owner = await connected(database_url, service)
    try:
        assert [outcome.rows for outcome in await ask_all(database, [guarded])] == [0]
        await owner.execute("ALTER TABLE dead_letter DISABLE TRIGGER ALL")
        assert [outcome.rows for outcome in await ask_all(database, [guarded])] == [2]
    finally:
        await owner.close()


def test_every_attack_is_of_a_guarded_table() -> None:
    said: Any = named_invariant("payouts", "histories_are_guarded").sql
    assert {table for table, _ in ATTACKS} == {
        part.split("'")[1] for part in said.split("VALUES")[1].split("(")[1:19]
    }
