"""A school leaves its old software by docs/operations/cutover.md: the commands are typed as written."""

import asyncio
import csv
import re
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pytest
from typer.testing import CliRunner

from hobbs.cli import assemble
from hobbs.demo.figures import Figures
from hobbs.demo.school import FLIGHTS_FILE, SCHOOL_FILE
from hobbs.demo.story import Story
from hobbs.local.running_fleet import RunningFleet
from tests.support.fleets import Silent

PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "operations" / "cutover.md"
BLOCK: Final = re.compile(r"^ *```console\n(?P<text>.*?)^ *```$", re.MULTILINE | re.DOTALL)
FLOWN: Final = 12
RULES: Final = """
[[accept]]
name = "cents"
cause = "rounding"
most = "0.01"
until = 2099-12-31
why = "seen with the owner"
"""
OPENING: Final = "kind,key,reference,amount\nbank,,,8200.00\ntax,,,55.25\nschool,,,8144.75\n"
BILLED: Final = """
    SELECT flight_id, billed_on, charge,
           (SELECT coalesce(sum((leg ->> 'amount')::bigint), 0) FROM jsonb_array_elements(legs) AS leg
            WHERE leg ->> 'wallet' LIKE 'instructor:%') AS instructor
    FROM billing.bill ORDER BY flight_id
"""
BEFORE: Final = (
    "hobbs school apply school.toml --why moving --yes",
    "hobbs opening load opening.csv --as-of 2026-06-01 --why moving --yes",
)


async def test_the_day_is_done_as_the_page_says(
    fleet: RunningFleet, figures: Figures, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other system's figures differ by a cent in one flight, which a rule accepts."""
    for name, value in fleet.fleet.environment("operator").items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    given_files(tmp_path)
    for line in BEFORE:
        assert await typed(shlex.split(line)) == 0
    assert await typed(["hobbs", "restore", "check", "--log", "restore.jsonl"]) in (0, 1)
    story = Story(fleet.fleet, figures, Silent(), fleet.require_running)

    async def billed() -> bool:
        return len(await figures.rows(BILLED)) == FLOWN

    assert await typed(["hobbs", "flights", "publish", "flights.csv"]) == 0
    await story.until(billed, "bills")
    rows = [dict(row) for row in await figures.rows(BILLED)]
    with (tmp_path / "old.csv").open("w", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(("flight_id", "date", "student", "instructor"))
        for number, row in enumerate(rows):
            cents = row["charge"] + (number == 0)
            writer.writerow((row["flight_id"], row["billed_on"], money(cents), money(row["instructor"])))

    commands = [
        shlex.split(line)
        for block in BLOCK.finditer(PAGE.read_text(encoding="utf-8"))
        for line in block["text"].splitlines()
    ]
    codes: dict[str, set[int]] = {}
    for words in commands:
        flight = rows[0]["flight_id"]
        code = await typed([flight if word == "F1" else word for word in words])
        codes.setdefault(" ".join(words[1:3]), set()).add(code)
    assert len(codes) == 17
    assert codes.pop("cutover check") == {1}, "nobody is onboarded, and no webhook came"
    assert codes == {name: {0} for name in codes}


def given_files(folder: Path) -> None:
    flights = FLIGHTS_FILE.read_text(encoding="utf-8").splitlines()[: FLOWN + 1]
    (folder / "flights.csv").write_text("\n".join(flights) + "\n", encoding="utf-8")
    (folder / "school.toml").write_bytes(SCHOOL_FILE.read_bytes())
    (folder / "opening.csv").write_text(OPENING, encoding="utf-8")
    (folder / "accepted.toml").write_text(RULES, encoding="utf-8")
    (folder / "shadow.jsonl").touch()


def money(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02}"


async def typed(words: Sequence[str]) -> int:
    """Type a command in this process; its exit code. It breaks with no error."""
    assert words[0] == "hobbs"
    arguments = [*words[1:]]
    result = await asyncio.to_thread(CliRunner().invoke, assemble([arguments[0]]), arguments)
    assert result.exit_code in (0, 1), (words, result.output, result.stderr, result.exception)
    assert result.exception is None or isinstance(result.exception, SystemExit), (words, result.exception)
    return result.exit_code
