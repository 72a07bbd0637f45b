"""Opening balances: lines of the books kept before, loaded by decisions of the ledger's desk."""

import json
from pathlib import Path
from typing import Any

import pytest

from fleet.database import Database
from schemas.decisions import DecisionTaken
from services.ledger.desk.openings import ACTIONS
from tests.integration.ledger.books import Hobbs, balances, told
from tests.support.deciders import deciding
from tests.support.decisions import answered, decision

DAY = "2026-06-01"
BEGINS = "2026-06-01T00:00:00-05:00"
ANN = ["student_balance", "s-1", "", "USD", 5000]
BOB = ["student_balance", "s-2", "", "USD", -1200]
BANK = ["bank", "", "", "USD", 3800]


async def load(ledger: Database, *lines: list[Any], **more: Any) -> DecisionTaken:
    given = {"as_of": DAY, "occurred_at": BEGINS, "lines": list(lines)}
    return await answered(
        ledger, ACTIONS, decision("ledger", "load_opening", f"opening:{DAY}", given, why="move", **more)
    )


async def posted(ledger: Database) -> list[dict[str, Any]]:
    return [event.body for event in await told(ledger) if event.topic == "journal.posted"]


async def test_a_line_is_a_journal_against_the_opening_and_is_announced(ledger: Database) -> None:
    seen = await load(ledger, ANN, BOB, BANK, dry_run=True)
    assert (seen.outcome, await balances(ledger)) == ("previewed", {})
    done = await load(ledger, ANN, BOB, BANK, preview_hash=seen.preview_hash)
    assert done.sentence == "3 opening lines as of 2026-06-01 are posted; external:opening is at zero"
    assert done.effects == [
        {"what": "bank", "lines": 1, "amount": 3800, "currency": "USD"},
        {"what": "student_balance", "lines": 2, "amount": 3800, "currency": "USD"},
    ]
    assert await balances(ledger) == {
        "student:s-1": 5000,
        "student:s-2": -1200,
        "external:bank": -3800,
    }
    journals = await posted(ledger)
    assert [(one["event_type"], len(one["entries"])) for one in journals] == [("opening", 2)] * 3


async def test_a_repeated_file_changes_nothing_and_a_forgotten_line_is_added(ledger: Database) -> None:
    await load(ledger, ANN, BANK)
    again = await load(ledger, ANN, BANK)
    assert "0 opening lines as of 2026-06-01 are posted, 2 were before" in again.sentence
    assert "external:opening is at -12.00 USD" in again.sentence
    more = await load(ledger, BOB, ANN)
    assert "1 opening lines as of 2026-06-01 are posted, 1 were before" in more.sentence
    assert "external:opening" not in await balances(ledger)
    assert len(await posted(ledger)) == 3


async def test_a_line_that_was_changed_is_refused_with_the_way_out(ledger: Database) -> None:
    await load(ledger, ANN)
    other = await load(ledger, [*ANN[:4], 4000], BOB)
    assert other.outcome == "refused"
    assert "student_balance s-1 USD is loaded with 50.00 USD, the file says 40.00 USD" in other.sentence
    assert "hobbs opening revert" in other.sentence
    assert await balances(ledger) == {"student:s-1": 5000, "external:opening": -5000}


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ([["student", "s-1", "", "USD", 1]], "'student' is no kind of opening line"),
        ([["student_balance", "", "", "USD", 1]], "say whom it is about"),
        ([["student_item", "s-1", "", "USD", 1]], "give it a reference"),
        ([["bank", "main", "", "USD", 1]], "has no key"),
        ([["bank", "", "", "USD", 0]], "the amount is zero"),
        ([["bank", "", "", "XXQ", 1]], "is not an ISO 4217 code"),
        ([ANN, BOB, ANN], "student_balance s-1 USD is in the file twice"),
        ([["student_balance", "s-1\n", "", "USD", 1.5]], "lines"),
    ],
)
async def test_one_line_that_cannot_be_posted_stops_the_whole_file(
    ledger: Database, lines: list[list[Any]], says: str
) -> None:
    answer = await load(ledger, BOB, *lines) if lines[0] != ANN else await load(ledger, *lines)
    assert answer.outcome == "refused"
    assert says in answer.sentence
    assert await balances(ledger) == {}


async def test_the_command_shows_what_it_would_post_loads_it_and_shows_both_sides(
    ledger: Database,
    hobbs: Hobbs,
    kafka: str,
    database_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    file = tmp_path / "students.csv"
    file.write_text("Kunde;Saldo\ns-1;50,00\ns-2;-12,00\nTotal;38,00\ns-3;0,00\n", encoding="utf-8")
    how = ("opening", "load", str(file), "--as-of", DAY, "--kind", "student_balance", "--map", "Kunde=key",
           "--map", "Saldo=amount", "--decimals", "comma", "--why", "move")  # fmt: skip
    async with deciding(kafka, database_url, {"ledger": ACTIONS}) as prefix:
        monkeypatch.setenv("HOBBS_KAFKA_BOOTSTRAP", kafka)
        monkeypatch.setenv("HOBBS_TOPIC_PREFIX", prefix)
        dry = await hobbs(*how, "--dry-run")
        assert (dry.exit_code, await balances(ledger)) == (0, {})
        assert "line 4 is left out: a row of totals (Total)" in dry.stderr
        assert "1 lines of zero are left out" in dry.stderr
        assert "dry run, nothing changed: 2 opening lines" in dry.stderr
        assert (await hobbs(*how, "--yes")).exit_code == 0
    assert await balances(ledger) == {"student:s-1": 5000, "student:s-2": -1200, "external:opening": -3800}
    shown = await hobbs("opening", "show", "-o", "json")
    assert shown.exit_code == 1
    assert [(row["kind"], row["lines"], row["had"], row["owes"]) for row in json.loads(shown.stdout)] == [
        ("student_balance", 2, 1200, 5000),
        ("total", 2, 1200, 5000),
    ]
    assert "student:s-2" in (await hobbs("opening", "show", "--lines")).stdout
