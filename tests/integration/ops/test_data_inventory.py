"""docs/data-inventory.md names every topic, and every column that can hold a text."""

import re
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

import asyncpg
import pytest

from fleet.dead_letters import OF_OTHERS, PERSONAL
from fleet.revisions import migrated
from schemas.services import SCHEDULING
from schemas.topics import DAY_MS, FOREVER, TOPICS
from tests.architecture.test_pages import tables

ROOT: Final = Path(__file__).resolve().parents[3]
PAGE: Final = (ROOT / "docs" / "data-inventory.md").read_text(encoding="utf-8")
QUOTED: Final = re.compile(r"`([^`]+)`")
COLUMNS: Final = """
    SELECT table_schema || '.' || table_name || '.' || column_name AS place
    FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name)
    WHERE table_schema = ANY ($1) AND table_type = 'BASE TABLE'
      AND (data_type IN ('text', 'character varying', 'character', 'json', 'jsonb', 'bytea', 'xml', 'name')
           OR udt_name IN ('_text', '_varchar', '_jsonb', '_bytea'))
"""


def first_cells(title: str) -> list[list[str]]:
    """The rows of the table whose first column has this title."""
    for rows in tables(PAGE):
        if rows[0].startswith(f"| {title} |"):
            return [[cell.strip() for cell in row.strip("|").split(" | ")] for row in rows[2:]]
    raise AssertionError(f"the page has no table of {title}s")


def plain_names() -> set[str]:
    _, _, after = PAGE.partition("## Columns without anything of a person")
    return set(QUOTED.findall(after.partition("## Elsewhere")[0]))


def unknown(places: list[str], named: list[str], plain: set[str]) -> list[str]:
    """Columns that are neither named by themselves nor by the name of a column that tells of nobody."""
    return [
        place
        for place in places
        if place.rpartition(".")[2] not in plain and not any(fnmatchcase(place, one) for one in named)
    ]


@pytest.fixture
async def places(database_url: str) -> list[str]:
    connection = await asyncpg.connect(database_url)
    try:
        return sorted(row["place"] for row in await connection.fetch(COLUMNS, migrated()))
    finally:
        await connection.close()


async def test_every_column_that_can_hold_a_text_is_in_the_inventory(places: list[str]) -> None:
    named = [one for row in first_cells("column") for one in QUOTED.findall(row[0])]
    assert len(places) > 500
    assert unknown(places, named, plain_names()) == []
    assert [one for one in named if not any(fnmatchcase(place, one) for place in places)] == []
    there = {place.rpartition(".")[2] for place in places}
    assert sorted(plain_names() - there) == []
    assert unknown([*places, "billing.student.nickname"], named, plain_names()) == [
        "billing.student.nickname"
    ]


async def test_every_row_says_why_how_long_and_how_it_is_erased() -> None:
    assert [row for row in first_cells("column") if len(row) != 5 or not all(row)] == []
    assert [row for row in first_cells("topic") if len(row) != 4 or not all(row)] == []


def test_every_topic_is_in_the_inventory_once_with_how_long_it_is_kept() -> None:
    said = [(topic, row[2]) for row in first_cells("topic") for topic in QUOTED.findall(row[0])]
    kept = {
        name: "for ever" if topic.retention_ms == FOREVER else f"{topic.retention_ms // DAY_MS} days"
        for name, topic in TOPICS.items()
    }
    assert sorted(said) == sorted(kept.items())


def test_topics_on_which_others_write_are_those_whose_letters_have_a_bound() -> None:
    assert {name for name, topic in TOPICS.items() if topic.owner == SCHEDULING} == OF_OTHERS


def test_what_tells_of_people_is_short_and_leaves_nothing_in_dead_letters() -> None:
    assert {name for name, topic in TOPICS.items() if topic.personal} == PERSONAL
    assert all(0 < TOPICS[name].retention_ms <= 7 * DAY_MS for name in PERSONAL)
