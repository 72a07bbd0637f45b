"""Finds secrets and personal data in text that must have none."""

import re
import tomllib
from collections.abc import Iterator
from typing import Final

import asyncpg

from fleet.revisions import migrated
from hobbs.demo.school import SCHOOL_FILE

ANY_SECRET = re.compile(r"\b(?:sk|rk)_(?:test|live)_\w+|\bwhsec_\w+|\w+://[^\s/:\"]+:[^\s/@\"]+@")
ANY_ADDRESS = re.compile(r"[\w.+-]+@[\w-]+\.[a-z]{2,}")
ROLES_OF_PEOPLE = ("student", "instructor", "owner")


def leaks(text: str, words: set[str], pattern: re.Pattern[str]) -> set[str]:
    """The words that the text contains, in any case, and everything that matches the pattern."""
    lowered = text.lower()
    found = {word for word in words if re.search(rf"(?<!\w){re.escape(word.lower())}(?!\w)", lowered)}
    return found | set(pattern.findall(text))


def names_in_the_school() -> Iterator[str]:
    """Full names, their parts, and mail addresses of the demo's school."""
    school = tomllib.loads(SCHOOL_FILE.read_text())
    for role in ROLES_OF_PEOPLE:
        for person in school[role]:
            yield person["name"]
            yield person["email"]
            yield from person["name"].split()


COLUMNS: Final = """
    SELECT quote_ident(table_schema) AS schema, quote_ident(table_name) AS name,
           quote_ident(column_name) AS word, data_type = 'bytea' AS bytes
    FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name)
    WHERE table_schema = ANY ($1) AND table_type = 'BASE TABLE'
      AND data_type IN ('text', 'json', 'jsonb', 'bytea', 'ARRAY')
    ORDER BY 1, 2, 3
"""


async def tables_with(url: str, word: str) -> list[str]:
    """The columns of any table that have the word, in any case, as text, JSON or bytes."""
    connection = await asyncpg.connect(url)
    found = []
    try:
        for one in await connection.fetch(COLUMNS, migrated()):
            text = f"encode({one['word']}, 'escape')" if one["bytes"] else f"CAST({one['word']} AS text)"
            query = f"SELECT count(*) FROM {one['schema']}.{one['name']} WHERE {text} ILIKE $1"  # noqa: S608
            if await connection.fetchval(query, f"%{word}%"):
                found.append(f"{one['schema']}.{one['name']}.{one['word']}")
    finally:
        await connection.close()
    return found
