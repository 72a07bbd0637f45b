"""Invariant files: named queries with a sentence each, and every service has some."""

import re
from pathlib import Path

import pytest

from fleet.invariants import parse, service_invariants, without_parameters
from fleet.revisions import services
from hobbs.check.invariants import across_services

FILE = """
-- A note before the first name is not an invariant.

-- name: balances_are_sums
-- Every balance is
-- the sum of its entries.
SELECT 1
-- a comment inside
WHERE false;

-- name: nothing_said
SELECT 2;
-- name: at_once: said on the same line
SELECT 3
"""


def test_a_file_is_split_at_its_names() -> None:
    found = list(parse("ledger", FILE))
    assert [(one.name, one.sentence, one.sql) for one in found] == [
        (
            "balances_are_sums",
            "Every balance is the sum of its entries.",
            "SELECT 1\n-- a comment inside\nWHERE false",
        ),
        ("nothing_said", "nothing said", "SELECT 2"),
        ("at_once", "said on the same line", "SELECT 3"),
    ]


@pytest.mark.parametrize(
    ("sql", "sent"),
    [
        ("SELECT a::bigint", "SELECT a::bigint"),
        ("SELECT 'flight:x'", "SELECT 'flight:x'"),
        ("SELECT ' :x'", r"SELECT ' \:x'"),
        ("SELECT ':5'", "SELECT ':5'"),
        (r"SELECT '\:a'", r"SELECT '\:a'"),
    ],
)
def test_a_colon_in_a_query_is_no_parameter(sql: str, sent: str) -> None:
    assert without_parameters(sql) == sent


@pytest.mark.parametrize("service", services())
def test_every_service_has_invariants_with_names_of_their_own_and_sentences(service: str) -> None:
    found = service_invariants(service)
    names = [one.name for one in found]
    assert found, f"services/{service}/invariants.sql says nothing"
    assert len(set(names)) == len(names)
    for one in found:
        assert re.match(r"\s*(WITH|SELECT)\b", one.sql, re.IGNORECASE), one.name
        assert one.sentence.endswith((".", "!")), f"{one.name} needs a sentence below its name"


def test_the_invariants_across_services_have_sentences_too() -> None:
    assert all(one.sentence.endswith(".") for one in across_services())


def test_every_invariant_is_explained_in_the_docs() -> None:
    page = (Path(__file__).parents[3] / "docs" / "invariants.md").read_text(encoding="utf-8")
    queries = [*across_services(), *(one for service in services() for one in service_invariants(service))]
    missing = [f"{one.service}: {one.name}" for one in queries if f"`{one.name}`" not in page]
    assert missing == []
