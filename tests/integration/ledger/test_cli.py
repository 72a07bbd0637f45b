"""`hobbs balances`, `statement` and `explain journal`, logged in as the operator."""

import asyncio
import json
from typing import Any, Protocol

import asyncpg
import pytest
from typer.testing import CliRunner, Result

from fleet.database import Database
from hobbs.cli import assemble
from tests.integration.ledger.books import FLIGHT, ask, requested
from tests.support.databases import service_url


class Hobbs(Protocol):
    async def __call__(self, *arguments: str) -> Result: ...


@pytest.fixture
def hobbs(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Hobbs:
    """Run `hobbs ARGUMENTS…` in a thread: a command has its own event loop."""
    monkeypatch.setenv("HOBBS_DATABASE_URL", service_url(database_url, "operator"))
    monkeypatch.setenv("HOBBS_KAFKA_BOOTSTRAP", "127.0.0.1:1")

    async def invoke(*arguments: str) -> Result:
        command = assemble([arguments[0]])
        return await asyncio.to_thread(lambda: CliRunner().invoke(command, arguments))

    return invoke


def rows(result: Result) -> Any:
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


async def test_balances_are_minor_units_for_scripts_and_decimals_for_people(
    ledger: Database, hobbs: Hobbs
) -> None:
    await ask(ledger, requested("flight:F1:1"), requested("flight:F2:1"))
    found = {row["wallet"]: row for row in rows(await hobbs("balances", "-o", "json"))}
    assert {wallet: row["balance"] for wallet, row in found.items()} == {w: 2 * a for w, a in FLIGHT}
    assert found["student:s-1"] == {
        "wallet": "student:s-1",
        "kind": "student",
        "currency": "USD",
        "balance": -200,
        "entries": 2,
    }
    assert "-2.00" in (await hobbs("balances", "student:s-1")).stdout


async def test_balances_can_be_narrowed_to_a_kind_or_a_wallet(ledger: Database, hobbs: Hobbs) -> None:
    await ask(ledger, requested("flight:F1:1"))
    [student] = rows(await hobbs("balances", "--kind", "student", "-o", "json"))
    assert student["wallet"] == "student:s-1"
    csv = (await hobbs("balances", "platform:school", "-o", "csv")).stdout
    assert csv == "wallet,kind,currency,balance,entries\nplatform:school,platform,USD,40,1\n"


async def test_an_unknown_wallet_is_a_finding_and_an_unknown_kind_a_usage_error(
    ledger: Database, hobbs: Hobbs
) -> None:
    assert (await hobbs("balances")).exit_code == 0
    assert (await hobbs("balances", "student:nobody")).exit_code == 1
    assert (await hobbs("statement", "student:nobody")).exit_code == 1
    assert (await hobbs("balances", "--kind", "pilot")).exit_code == 2


async def test_a_statement_pages_back_from_its_end(ledger: Database, hobbs: Hobbs) -> None:
    await ask(ledger, *(requested(f"flight:F{n}:1") for n in range(1, 8)))
    last = rows(await hobbs("statement", "platform:school", "--most", "3", "-o", "json"))
    assert [(line["version"], line["source"], line["balance_after"]) for line in last] == [
        (5, "flight:F5:1", 200),
        (6, "flight:F6:1", 240),
        (7, "flight:F7:1", 280),
    ]
    first = rows(await hobbs("statement", "platform:school", "--before", "5", "-o", "json"))
    assert [line["version"] for line in first] == [1, 2, 3, 4]


async def test_a_statement_of_several_currencies_asks_for_one(ledger: Database, hobbs: Hobbs) -> None:
    await ask(ledger, requested("flight:F1:1"), requested("flight:F2:1", currency="JPY"))
    assert (await hobbs("statement", "student:s-1")).exit_code == 2
    yen = await hobbs("statement", "student:s-1", "--currency", "JPY")
    assert "-100" in yen.stdout
    assert "-1.00" not in yen.stdout


async def test_explain_shows_a_journal_with_its_entries(ledger: Database, hobbs: Hobbs) -> None:
    [posted] = await ask(ledger, requested("flight:F1:1", memo="flight F1"))
    journal = rows(await hobbs("explain", "journal", "flight:F1:1", "-o", "json"))
    assert journal["says_what_it_said"] is True
    assert (journal["memo"], journal["recorded_by"]) == ("flight F1", "hobbs_ledger")
    assert [(entry["wallet"], entry["amount"]) for entry in journal["entries"]] == list(FLIGHT)
    by_id = await hobbs("explain", "journal", posted.body["journal_id"])
    assert "instructor:i-1" in by_id.stdout
    assert "0.60" in by_id.stdout
    assert (await hobbs("explain", "journal", "flight:F9:1")).exit_code == 1


async def test_explain_finds_a_journal_that_was_tampered_with(
    ledger: Database, hobbs: Hobbs, owner: asyncpg.Connection
) -> None:
    await ask(ledger, requested("flight:F1:1"))
    await owner.execute("ALTER TABLE journal DISABLE TRIGGER USER")
    await owner.execute("UPDATE journal SET occurred_at = occurred_at + interval '1 day'")
    result = await hobbs("explain", "journal", "flight:F1:1")
    assert result.exit_code == 1
    assert "is not what was posted" in result.stderr
    await owner.execute("UPDATE journal SET occurred_at = occurred_at - interval '1 day'")
