"""`hobbs post` and `hobbs revert`: a preview, an agreement, the journals; a repeat is named as one."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from fleet.database import Database
from tests.integration.ledger.books import FLIGHT, Hobbs, ask, balances, journals, requested, rows, told


def body(source: str, amount: int = 100) -> dict[str, Any]:
    return {
        "source": source,
        "event_type": "manual",
        "currency": "USD",
        "occurred_at": "2026-05-22T12:00:00Z",
        "entries": [
            {"wallet": "student:s-1", "amount": -amount},
            {"wallet": "platform:school", "amount": amount},
        ],
    }


def write(path: Path, *bodies: dict[str, Any]) -> Path:
    path.write_text(json.dumps(bodies))
    return path


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return write(tmp_path / "journals.json", body("manual:1"), body("manual:2", 5))


async def test_a_dry_run_shows_journals_and_the_balances_after_and_changes_nothing(
    ledger: Database,
    hobbs: Hobbs,
    file: Path,
) -> None:
    shown = rows(await hobbs("post", str(file), "--dry-run", "-o", "json"))
    assert [(one["source"], one["outcome"]) for one in shown["journals"]] == [
        ("manual:1", "would_post"),
        ("manual:2", "would_post"),
    ]
    assert {one["wallet"]: one["balance_after"] for one in shown["balances"]} == {
        "student:s-1": -105,
        "platform:school": 105,
    }
    assert await journals(ledger) == []


async def test_what_is_posted_is_told_and_a_repeat_says_that_it_is_one(
    ledger: Database,
    hobbs: Hobbs,
    file: Path,
) -> None:
    first = rows(await hobbs("post", str(file), "--yes", "-o", "json"))
    assert [one["outcome"] for one in first["journals"]] == ["posted", "posted"]
    assert [event.key for event in await told(ledger)] == ["manual:1", "manual:2"]
    again = rows(await hobbs("post", str(file), "--yes", "-o", "json"))
    assert [(one["outcome"], one["journal_id"]) for one in again["journals"]] == [
        ("repeated", one["journal_id"]) for one in first["journals"]
    ]
    write(file, body("manual:1", 99))
    other = await hobbs("post", str(file), "--yes", "-o", "json")
    assert other.exit_code == 1
    assert "already posted with other content" in other.stdout
    assert await balances(ledger) == {"student:s-1": -105, "platform:school": 105}


async def test_together_means_all_or_none(ledger: Database, hobbs: Hobbs, file: Path) -> None:
    write(file, body("manual:1"), body("manual:2", 0))
    result = await hobbs("post", str(file), "--together", "g", "--yes")
    assert result.exit_code == 1
    assert await journals(ledger) == []


async def test_the_question_is_not_in_the_data(ledger: Database, file: Path, hobbs: Hobbs) -> None:
    command = [sys.executable, "-m", "hobbs", "post", str(file), "-o", "csv"]
    shown = await asyncio.to_thread(subprocess.run, command, input=b"y\n", capture_output=True)
    assert shown.stdout.startswith(b"source,outcome,"), shown
    assert b"Post this?" in shown.stderr


async def test_without_a_yes_nothing_is_posted(ledger: Database, hobbs: Hobbs, file: Path) -> None:
    result = await hobbs("post", str(file))
    assert result.exit_code == 1
    assert "manual:1: would post student:s-1 -1.00 USD" in result.stderr
    assert await journals(ledger) == []


async def test_a_file_that_is_not_journals_is_a_usage_error(
    ledger: Database,
    hobbs: Hobbs,
    tmp_path: Path,
) -> None:
    write(tmp_path / "bad.json", {"source": "x"})
    assert (await hobbs("post", str(tmp_path / "bad.json"), "--yes")).exit_code == 2
    assert (await hobbs("post", str(tmp_path / "none.json"), "--yes")).exit_code == 2


async def test_a_revert_is_previewed_done_once_and_then_a_repeat(ledger: Database, hobbs: Hobbs) -> None:
    await ask(ledger, requested())
    command = ("revert", "flight:F1:1", "--why", "wrong student", "-o", "json")
    dry = rows(await hobbs(*command, "--dry-run"))
    assert [(one["wallet"], one["amount"]) for one in dry["entries"]] == [(w, -a) for w, a in FLIGHT]
    assert await balances(ledger) == dict(FLIGHT)
    outcomes = [rows(await hobbs(*command, "--yes"))["journals"][0]["outcome"] for _ in range(2)]
    assert outcomes == ["posted", "repeated"]
    assert await balances(ledger) == {}
    assert (await hobbs("revert", "flight:F9:1", "--why", "x", "--yes")).exit_code == 1
