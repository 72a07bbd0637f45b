"""The hash chain: extended after the fact, and broken by whoever changes what was chained."""

import asyncio
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from fleet.database import Database
from services.ledger.desk import chain, reads
from services.ledger.domain.chain import START, BrokenLink, Head
from services.ledger.handlers import CHAIN_AFTER, extend_chain, post_journals
from tests.integration.ledger.books import Hobbs, ask, requested


def soon() -> datetime:
    """When everything posted by now is old enough to be chained."""
    return datetime.now(UTC) + CHAIN_AFTER + timedelta(seconds=1)


async def intact(ledger: Database, noted: Head | None = None) -> Head:
    found = await chain.verify(ledger, noted)
    assert isinstance(found, Head), found
    return found


async def broken(ledger: Database, noted: Head | None = None) -> BrokenLink:
    found = await chain.verify(ledger, noted)
    assert isinstance(found, BrokenLink), found
    return found


@pytest.fixture
async def chained(ledger: Database) -> Database:
    """Five journals, recorded one after the other, all of them chained."""
    for n in range(1, 6):
        await ask(ledger, requested(f"flight:F{n}:1"))
    assert await extend_chain(ledger, soon()) == 5
    return ledger


@pytest.fixture
async def superuser(owner: asyncpg.Connection) -> asyncpg.Connection:
    for table in ("journal", "entry", "journal_link", "wallet"):
        await owner.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    return owner


async def test_journals_are_chained_once_and_only_when_they_are_old_enough(ledger: Database) -> None:
    assert await intact(ledger) == START
    await ask(ledger, requested("flight:F1:1"))
    assert await extend_chain(ledger, datetime.now(UTC)) == 0
    assert await extend_chain(ledger, soon()) == 1
    assert await extend_chain(ledger, soon()) == 0
    await ask(ledger, requested("flight:F2:1"))
    assert await extend_chain(ledger, soon()) == 1
    assert (await intact(ledger)).position == 2


async def test_a_chain_begins_with_the_first_journal_however_old_it_is(ledger: Database) -> None:
    await ask(ledger, requested("flight:F1:1"))
    assert await extend_chain(ledger, soon() + timedelta(hours=1)) == 1


async def test_two_workers_that_chain_at_once_make_one_chain(ledger: Database) -> None:
    await ask(ledger, *(requested(f"flight:F{n}:1") for n in range(50)))
    done = await asyncio.gather(*(extend_chain(ledger, soon()) for _ in range(4)))
    assert sum(done) == 50
    assert (await intact(ledger)).position == 50


async def test_a_transaction_that_took_long_is_chained_behind_the_others(
    ledger: Database, owner: asyncpg.Connection
) -> None:
    entries = '[{"wallet": "student:s-9", "amount": -1}, {"wallet": "external:bank", "amount": 1}]'
    async with owner.transaction():
        await owner.execute("SELECT post_journal_with_locks(uuidv7(), 'manual', '1', 'USD', $1)", entries)
        await post_journals(ledger, [requested("flight:F1:1")])
        assert await extend_chain(ledger, soon()) == 1
    assert await extend_chain(ledger, soon()) == 1
    assert (await intact(ledger)).position == 2


TAMPERED = "flight:F3:1"


@pytest.mark.parametrize(
    ("tamper", "mend"),
    [
        (
            "UPDATE journal SET memo = 'other' WHERE source = 'flight:F3:1'",
            "UPDATE journal SET memo = '' WHERE source = 'flight:F3:1'",
        ),
        (
            "UPDATE journal SET recorded_by = 'somebody' WHERE source = 'flight:F3:1'",
            "UPDATE journal SET recorded_by = 'hobbs_ledger' WHERE source = 'flight:F3:1'",
        ),
        (
            "UPDATE entry SET balance_after = balance_after + 1 WHERE position = 1 AND version = 3",
            "UPDATE entry SET balance_after = balance_after - 1 WHERE position = 1 AND version = 3",
        ),
        (
            "UPDATE journal_link SET hash = sha256(hash) WHERE position = 3",
            None,
        ),
    ],
)
async def test_the_first_journal_a_superuser_changed_is_named(
    chained: Database, superuser: asyncpg.Connection, tamper: str, mend: str | None
) -> None:
    await superuser.execute(tamper)
    found = await broken(chained)
    assert (found.position, found.source) == (3, TAMPERED)
    assert "is not what was chained" in found.why
    if mend is not None:
        await superuser.execute(mend)
        assert (await intact(chained)).position == 5


@pytest.mark.parametrize(
    "tamper",
    [
        "UPDATE entry SET occurred_at = occurred_at {} interval '1 s' WHERE position = 1 AND version = 3",
        "UPDATE entry SET recorded_at = recorded_at {} interval '1 s' WHERE position = 1 AND version = 3",
    ],
)
async def test_an_entry_that_says_another_instant_is_named_by_its_journal(
    chained: Database, superuser: asyncpg.Connection, tamper: str
) -> None:
    await superuser.execute(tamper.format("-"))
    found = await broken(chained)
    assert (found.position, found.source, found.why) == (3, TAMPERED, "an entry says another instant")
    await superuser.execute(tamper.format("+"))
    assert (await intact(chained)).position == 5


async def test_a_link_that_was_taken_out_is_missed(chained: Database, superuser: asyncpg.Connection) -> None:
    await superuser.execute("DELETE FROM journal_link WHERE position = 2")
    found = await broken(chained)
    assert (found.why, found.journal_id, found.source) == ("link 2 is missing", None, None)


async def test_a_chain_that_was_written_anew_does_not_pass_the_noted_head(
    chained: Database, superuser: asyncpg.Connection
) -> None:
    noted = await intact(chained)
    await superuser.execute("UPDATE journal SET memo = 'other' WHERE source = 'flight:F1:1'")
    await superuser.execute("DELETE FROM journal_link")
    await extend_chain(chained, soon())
    assert (await intact(chained)).position == 5
    assert "was written again" in (await broken(chained, noted)).why
    beyond = Head(position=9, hash=noted.hash)
    assert "beyond the end" in (await broken(chained, beyond)).why
    await superuser.execute("UPDATE journal SET memo = '' WHERE source = 'flight:F1:1'")


async def test_a_journal_put_in_behind_the_chain_is_named(
    chained: Database, owner: asyncpg.Connection
) -> None:
    await ask(chained, requested("flight:F6:1"))
    await owner.execute("ALTER TABLE journal DISABLE TRIGGER USER")
    moved = "UPDATE journal SET recorded_at = recorded_at + $1::interval WHERE source = 'flight:F6:1'"
    await owner.execute(moved, timedelta(days=-1))
    assert await extend_chain(chained, soon()) == 0
    found = await broken(chained)
    assert (found.position, found.source) == (6, "flight:F6:1")
    await owner.execute(moved, timedelta(days=1))


async def test_what_no_worker_has_chained_yet_breaks_nothing(
    chained: Database, hobbs: Hobbs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reads.chain, "UNCHAINED_AFTER", "0 seconds")
    await ask(chained, requested("flight:F6:1"))
    assert (await intact(chained)).position == 5
    said = await hobbs("check", "--chain")
    assert (said.exit_code, "1 newer journals are not in it yet" in said.stderr) == (0, True)


async def shift(owner: asyncpg.Connection, by: timedelta, *where: str) -> None:
    """Date back or ahead what a superuser dates, guards or no guards."""
    for one in where:
        table = one.split()[0]
        await owner.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        moved = f"UPDATE {table} SET recorded_at = recorded_at + $1 {one.removeprefix(table)}"  # noqa: S608
        await owner.execute(moved, by)


async def test_a_journal_recorded_in_the_future_is_named(
    chained: Database, owner: asyncpg.Connection
) -> None:
    await ask(chained, requested("flight:F6:1"))
    await shift(owner, timedelta(days=9), "journal WHERE source = 'flight:F6:1'")
    assert (await broken(chained)).source == "flight:F6:1"
    await shift(owner, timedelta(days=-9), "journal WHERE source = 'flight:F6:1'")


async def test_a_head_from_a_clock_that_was_wrong_leaves_nothing_out(
    chained: Database, owner: asyncpg.Connection
) -> None:
    await ask(chained, requested("flight:F6:1"))
    ahead = "journal WHERE source = 'flight:F5:1'", "journal_link WHERE position = 5"
    await shift(owner, timedelta(minutes=25), *ahead)
    assert await extend_chain(chained, soon()) == 1
    await shift(owner, timedelta(minutes=-25), *ahead)


async def test_nobody_else_changes_a_link(chained: Database, owner: asyncpg.Connection) -> None:
    with pytest.raises(asyncpg.CheckViolationError, match="append-only"):
        await owner.execute("UPDATE journal_link SET hash = sha256(hash)")


async def test_the_command_line_verifies_and_says_the_head(
    chained: Database, superuser: asyncpg.Connection, hobbs: Hobbs
) -> None:
    fine = await hobbs("check", "--chain")
    assert fine.exit_code == 0
    noted = fine.stderr.split("--head ")[1].split()[0]
    again = await hobbs("check", "--chain", "--head", noted)
    assert again.exit_code == 0, (noted, again.stderr)
    for wrong in ("nonsense", "5", "5:", "-5:00", "5:00", f"0{noted}", f"{noted}00"):
        assert (await hobbs("check", "--chain", f"--head={wrong}")).exit_code == 2, wrong
    assert (await hobbs("check", "--head", noted)).exit_code == 2
    assert (await hobbs("check", "--chain", "--service", "billing")).exit_code == 2
    await superuser.execute("UPDATE journal SET memo = 'other' WHERE source = 'flight:F3:1'")
    spoiled = await hobbs("check", "--chain", "-o", "json")
    assert spoiled.exit_code == 1
    assert "chain breaks at link 3, journal flight:F3:1" in spoiled.stderr
