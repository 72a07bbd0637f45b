"""`hobbs post` and `hobbs revert`: a preview, an agreement, the journals; a repeat is named as one."""

import asyncio
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from fleet.database import Database
from schemas.journal_types import REGISTERED, service_of_journal
from schemas.journals import RevertRequested
from services.ledger.handlers import revert_journals
from tests.integration.ledger.books import FLIGHT, NOON, Hobbs, ask, balances, journals, requested, rows, told
from tests.support.records import record


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


SERVICES_JOURNALS = [
    *((one.event_type, f"manual:{one.event_type}") for one in REGISTERED),
    *(("manual", f"{one.prefix}:F1:2") for one in REGISTERED),
    ("Flight", "manual:1"),
    ("manual", "FLIGHT:F1:2"),
    ("manual", "flight"),
]


async def test_what_belongs_to_a_service_is_not_posted_by_hand(
    ledger: Database, hobbs: Hobbs, file: Path
) -> None:
    bodies = [body(source) | {"event_type": event_type} for event_type, source in SERVICES_JOURNALS]
    write(file, *bodies)
    for how in (("--dry-run",), ("--yes",), ("--yes", "--together", "g"), ("--dry-run", "--together", "g")):
        result = await hobbs("post", str(file), *how, "-o", "json")
        assert result.exit_code == 1
        shown = json.loads(result.stdout)["journals"]
        assert {one["outcome"] for one in shown} == {"refused"}
        assert all("is not for people to post" in one["sentence"] for one in shown)
    assert await journals(ledger) == []


@pytest.mark.parametrize(("event_type", "source"), SERVICES_JOURNALS)
async def test_nor_in_sql_and_both_have_the_same_list(
    ledger: Database, owner: asyncpg.Connection, event_type: str, source: str
) -> None:
    asked = await owner.fetchval("SELECT service_of_journal($1, $2)", event_type, source)
    assert asked == service_of_journal(event_type, source) is not None


async def test_the_list_in_sql_has_nothing_else(owner: asyncpg.Connection) -> None:
    text = await owner.fetchval("SELECT prosrc FROM pg_proc WHERE proname = 'service_of_journal'")
    listed = re.findall(r"\('([a-z_]+)', '([a-z-]+)', '([a-z]+)'\)", text)
    assert listed == [(one.event_type, one.prefix, one.service) for one in REGISTERED]
    assert await owner.fetchval("SELECT service_of_journal('manual', 'manual:1')") is None


async def test_a_dba_is_refused_too(owner: asyncpg.Connection) -> None:
    entries = json.dumps(body("x")["entries"])
    for event_type, event_id in (
        ("flight", "F1:2"),
        ("adjustment", "1"),
        ("flight:F1", "2"),
        (" Flight", "1"),
    ):
        with pytest.raises(asyncpg.CheckViolationError, match="is not for people to post"):
            await owner.execute(
                "SELECT post_journal_with_locks(uuidv7(), $1, $2, 'USD', $3)", event_type, event_id, entries
            )


async def test_a_group_is_rehearsed_as_one(ledger: Database, hobbs: Hobbs, file: Path) -> None:
    write(file, body("manual:1"), body("manual:2", 0))
    alone = await hobbs("post", str(file), "--dry-run", "-o", "json")
    assert [one["outcome"] for one in json.loads(alone.stdout)["journals"]] == ["would_post", "refused"]
    together = await hobbs("post", str(file), "--dry-run", "--together", "g", "-o", "json")
    assert together.exit_code == 1
    shown = json.loads(together.stdout)
    assert [one["outcome"] for one in shown["journals"]] == ["refused", "refused"]
    assert "was asked together with another" in shown["journals"][0]["sentence"]
    assert (shown["entries"], shown["balances"]) == ([], [])
    assert (await journals(ledger), await told(ledger)) == ([], [])


async def test_a_rehearsed_group_knows_limits_names_and_the_journals_before(
    ledger: Database, hobbs: Hobbs, owner: asyncpg.Connection, file: Path
) -> None:
    await owner.execute("SELECT set_limit('student:s-1', 'USD', -150)")
    dry = ("post", str(file), "--dry-run", "--together", "g", "-o", "json")
    write(file, body("manual:1"), body("manual:2"))  # each alone is within the limit, both are not
    assert (await hobbs(*dry)).exit_code == 1
    write(file, body("manual:1"), body("manual:2", 50))
    assert {one["wallet"]: one["balance_after"] for one in rows(await hobbs(*dry))["balances"]} == {
        "student:s-1": -150,
        "platform:school": 150,
    }
    rows(await hobbs("post", str(file), "--yes", "--together", "g", "-o", "json"))
    again = rows(await hobbs(*dry))["journals"]
    assert [(one["source"], one["outcome"]) for one in again] == [
        ("manual:1", "repeated"),
        ("manual:2", "repeated"),
    ]
    write(file, body("manual:3", 1))
    assert "already posted with other journals" in (await hobbs(*dry)).stdout


async def test_a_rehearsed_repeat_is_shown_with_its_journal(
    ledger: Database, hobbs: Hobbs, file: Path
) -> None:
    [first, _] = rows(await hobbs("post", str(file), "--yes", "-o", "json"))["journals"]
    write(file, body("manual:1"), body("manual:3"), body("manual:3"))
    shown = rows(await hobbs("post", str(file), "--dry-run", "-o", "json"))
    assert [(one["source"], one["outcome"]) for one in shown["journals"]] == [
        ("manual:1", "repeated"),
        ("manual:3", "would_post"),
        ("manual:3", "repeated"),
    ]
    assert shown["journals"][0]["journal_id"] == first["journal_id"]
    assert {one["source"] for one in shown["entries"]} == {"manual:1", "manual:3"}


async def test_a_preview_names_what_is_unusual(ledger: Database, hobbs: Hobbs, file: Path) -> None:
    await ask(ledger, requested())
    asked = body("manual:1") | {"currency": "EUR", "occurred_at": "2199-01-01T00:00:00Z"}
    asked["entries"] = [
        {"wallet": "student:s-9", "amount": -500},
        {"wallet": "instructor:i-1", "amount": 500},
    ]
    write(file, asked, body("manual:2") | {"occurred_at": "2020-01-01T00:00:00Z"})
    first, second = rows(await hobbs("post", str(file), "--dry-run", "-o", "json"))["journals"]
    assert first["consequences"] == [
        "nobody pays these 5.00 EUR to instructor:i-1: only a service's journals are paid, and `hobbs check` "
        "will name the difference",
        "no wallet holds EUR yet, only USD",
        "opens the new wallet student:s-9",
        "is dated ahead: 2199-01-01T00:00:00+00:00",
    ]
    assert second["consequences"] == ["is dated over a month ago: 2020-01-01T00:00:00+00:00"]
    question = await hobbs("post", str(file))
    assert "nobody pays these 5.00 EUR to instructor:i-1" in question.stderr


async def test_a_revert_s_preview_says_what_it_takes_from_a_payee(ledger: Database, hobbs: Hobbs) -> None:
    await ask(ledger, requested())
    command = ("revert", "flight:F1:1", "--why", "wrong student", "-o", "json")
    [dry] = rows(await hobbs(*command, "--dry-run"))["journals"]
    assert dry["consequences"][0].startswith("takes 0.60 USD from what instructor:i-1 is paid next")
    [done] = rows(await hobbs(*command, "--yes"))["journals"]
    again = ("revert", done["source"], "--why", "it was right", "--dry-run", "-o", "json")
    [back] = rows(await hobbs(*again))["journals"]
    assert back["consequences"][0] == "pays instructor:i-1 0.60 USD more through Stripe"


async def test_a_revert_of_what_happened_at_stripe_says_that_only_the_books_change(
    ledger: Database, hobbs: Hobbs
) -> None:
    legs = (("instructor:i-1", -500), ("external:stripe", 500))
    await ask(ledger, requested("transfer:1", legs, event_type="transfer"))
    [dry] = rows(await hobbs("revert", "transfer:1", "--why", "x", "--dry-run", "-o", "json"))["journals"]
    assert dry["consequences"][0].startswith("moves the balance of instructor:i-1 by 5.00 USD, neither pays")
    assert dry["consequences"][1] == "changes the books only: what happened at Stripe stays as it is"


async def test_a_revert_by_sql_is_announced_as_the_worker_announces_it(
    ledger: Database, owner: asyncpg.Connection
) -> None:
    await ask(ledger, requested("flight:F1:1", memo='a "quoted" \\ memo with ü and \t'))
    await owner.execute("SELECT revert_journal('flight:F1:1', $1)", 'why "so", \\ü')
    by_hand = (await told(ledger))[-1]
    asked = RevertRequested(reverts="flight:F1:1", occurred_at=NOON)
    await revert_journals(ledger, [record("revert.requested", asked, key="flight:F1:1")])
    assert (await told(ledger))[-1] == by_hand
    assert by_hand.topic == "journal.posted"
