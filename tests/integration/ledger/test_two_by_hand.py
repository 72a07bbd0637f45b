"""Journals by hand above an amount are two people's, whichever way they post them."""

import json
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest
from sqlalchemy.exc import DBAPIError
from typer.testing import Result

from fleet.database import Database
from fleet.logins import add_login, remove_login
from tests.integration.ledger.books import (
    FLIGHT,
    Hobbs,
    ask,
    balances,
    journals,
    requested,
)
from tests.integration.ledger.test_cli_post import body, write
from tests.support.invariants import broken_invariants

UP_TO = 1_000
As = Callable[..., Awaitable[Result]]
POST = """
    SELECT ledger.post_journal_with_locks(uuidv7(), 'manual', $1, 'USD', jsonb_build_array(
        jsonb_build_object('wallet', 'student:s-1', 'amount', -$2::bigint),
        jsonb_build_object('wallet', 'platform:school', 'amount', $2::bigint)))
"""


@pytest.fixture
async def people(database_url: str) -> AsyncIterator[dict[str, str]]:
    """Two people who may act as any service: the URL of each, by name. Roles are the server's."""
    urls = {}
    for name in ("ann", "bob"):
        own = f"{name}_{secrets.token_hex(4)}"
        parts = urlsplit(database_url)
        password = await add_login(database_url, own, "repairs")
        urls[own] = urlunsplit(
            parts._replace(netloc=f"person_{own}:{password}@{parts.hostname}:{parts.port}")
        )
    yield urls
    for own in urls:
        await remove_login(database_url, own)


@pytest.fixture
async def limited(hobbs: Hobbs, database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOBBS_DATABASE_URL", database_url)
    assert (await hobbs("logins", "by-hand-up-to", str(UP_TO))).exit_code == 0


@pytest.fixture
def by(hobbs: Hobbs, people: dict[str, str], limited: None, monkeypatch: pytest.MonkeyPatch) -> As:
    """Run a command as the first or the second person."""

    async def run(number: int, *arguments: str) -> Result:
        monkeypatch.setenv("HOBBS_DATABASE_URL", list(people.values())[number])
        return await hobbs(*arguments)

    return run


def outcomes(result: Result) -> list[str]:
    return [one["outcome"] for one in json.loads(result.stdout)["journals"]]


async def test_above_the_amount_a_journal_is_posted_when_another_person_does_the_same(
    ledger: Database, by: As, people: dict[str, str], tmp_path: Path
) -> None:
    large = str(write(tmp_path / "large.json", body("manual:1", UP_TO + 1)))
    post = ("post", large, "--yes", "-o", "json")
    assert (
        "needs two people: one alone may post 10.00 USD" in (await by(0, "post", large, "--dry-run")).output
    )
    first = await by(0, *post)
    assert (first.exit_code, outcomes(first)) == (1, ["waits"])
    assert outcomes(await by(0, *post)) == ["waits"], "the same person is no second one"
    assert await journals(ledger) == []
    other = write(tmp_path / "other.json", body("manual:1", UP_TO + 2))
    assert outcomes(await by(1, "post", str(other), "--yes", "-o", "json")) == ["waits"], "another content"
    second = await by(1, *post)
    assert (second.exit_code, outcomes(second)) == (0, ["posted"])
    assert outcomes(await by(0, *post)) == ["repeated"]
    ann, bob = (f"person_{name}" for name in people)
    told = [
        (one["asked_by"], one["agreed_by"])
        for one in json.loads((await by(0, "by-hand", "-o", "json")).stdout)
    ]
    assert told == [(bob, None), (ann, bob)]


async def test_small_journals_add_up_within_a_day_and_each_has_its_login(
    ledger: Database, by: As, people: dict[str, str], tmp_path: Path
) -> None:
    for number, outcome in ((1, "posted"), (2, "waits")):
        file = write(tmp_path / f"{number}.json", body(f"manual:{number}", 600))
        assert outcomes(await by(0, "post", str(file), "--yes", "-o", "json")) == [outcome]
    both = write(tmp_path / "both.json", body("manual:3", 600), body("manual:4", 600))
    assert outcomes(await by(1, "post", str(both), "--yes", "-o", "json")) == ["waits", "waits"]
    async with ledger.transaction() as tx:
        noted = await tx.all("SELECT source, amount, login FROM ledger_public.by_hand_journals")
    assert [tuple(row) for row in noted] == [("manual:1", 600, f"person_{next(iter(people))}")]


async def test_a_revert_is_two_peoples_too_and_what_services_ask_for_is_nobodys(
    ledger: Database, by: As
) -> None:
    await ask(ledger, requested("flight:F1:1", tuple((wallet, amount * 100) for wallet, amount in FLIGHT)))
    revert = ("revert", "flight:F1:1", "--why", "wrong student", "--yes", "-o", "json")
    assert outcomes(await by(0, *revert)) == ["waits"]
    assert (await balances(ledger))["instructor:i-1"] == 6_000
    assert outcomes(await by(1, *revert)) == ["posted"]
    assert await balances(ledger) == {}


async def test_sql_as_the_ledgers_role_is_bound_as_well(
    ledger: Database, people: dict[str, str], limited: None
) -> None:
    connection = await asyncpg.connect(next(iter(people.values())))
    try:
        await connection.execute("SET ROLE hobbs_ledger")
        await connection.fetchval(POST, "1", UP_TO)
        with pytest.raises(asyncpg.CheckViolationError, match="another login has to do the same"):
            await connection.fetchval(POST, "2", 1)
        for statement in FORGERIES:
            with pytest.raises((asyncpg.InsufficientPrivilegeError, asyncpg.CheckViolationError)):
                await connection.execute(statement)
    finally:
        await connection.close()
    assert await journals(ledger) == ["manual:1"]


async def test_who_may_act_as_the_ledger_posts_no_flight_that_pays_much_alone(
    ledger: Database, people: dict[str, str], limited: None
) -> None:
    """As the worker does it, with a service's type and source."""
    acting = Database(next(iter(people.values())), schema="ledger", role="hobbs_ledger", pool_size=1)
    try:
        with pytest.raises(DBAPIError, match="another login has to do the same"):
            await ask(acting, requested("flight:F1:1", tuple((w, amount * 100) for w, amount in FLIGHT)))
    finally:
        await acting.close()
    assert await journals(ledger) == []


FORGERIES: Any = (
    "INSERT INTO ledger.by_hand_limit (by_one_up_to) VALUES (NULL)",
    "INSERT INTO ledger.by_hand_word (source, content_hash, currency, amount, why, asked_by, asked_at,"
    " agreed_by, agreed_at) VALUES ('manual:2', '', 'USD', 1, '', 'person_x', now(), session_user, now())",
    "UPDATE ledger.by_hand_word SET agreed_by = 'person_x'",
    "DELETE FROM ledger.by_hand_journal",
    "ALTER TABLE ledger.journal DISABLE TRIGGER journal_by_hand_is_noted",
    "SET SESSION AUTHORIZATION hobbs_ledger",
)


async def test_what_was_not_agreed_is_found_whoever_wrote_it(
    ledger: Database, by: As, owner: asyncpg.Connection, tmp_path: Path
) -> None:
    file = write(tmp_path / "small.json", body("manual:1", 600))
    assert outcomes(await by(0, "post", str(file), "--yes", "-o", "json")) == ["posted"]
    guards = "ALTER TABLE by_hand_journal {} TRIGGER by_hand_journal_is_append_only"
    await owner.execute(guards.format("DISABLE"))
    await owner.execute("ALTER TABLE by_hand_journal DROP CONSTRAINT more_than_one_may_was_agreed")
    await owner.execute("UPDATE by_hand_journal SET alone = 2000")
    assert "journals_by_hand_above_the_limit_were_agreed" in await broken_invariants(ledger)
    await owner.execute("UPDATE by_hand_journal SET alone = 600")
    await owner.execute(guards.format("ENABLE ALWAYS"))


async def test_without_a_limit_one_person_posts_any_amount(
    ledger: Database, by: As, hobbs: Hobbs, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOBBS_DATABASE_URL", database_url)
    assert (await hobbs("logins", "by-hand-up-to", "--any")).exit_code == 0
    file = write(tmp_path / "large.json", body("manual:1", UP_TO * 100))
    assert outcomes(await by(0, "post", str(file), "--yes", "-o", "json")) == ["posted"]
