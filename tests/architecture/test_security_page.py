"""docs/security.md: behind every threat stands a test that is there, or a page."""

import re
from pathlib import Path

import pytest

from tests.architecture.test_house_rules import ROOT
from tests.architecture.test_pages import tables

PAGE = ROOT / "docs" / "security.md"
LINK = re.compile(r"\[(?P<text>[^\]]+)\]\((?P<target>[^)#]+)\)")


def rows_of(text: str, heading: str) -> list[list[str]]:
    """The rows of the table whose first column has this heading."""
    for rows in tables(text):
        if rows[0].startswith(f"| {heading} |"):
            return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows[2:]]
    raise AssertionError(f"docs/security.md has no table of what is a {heading}")


def unproven(rows: list[list[str]], folder: Path) -> list[str]:
    """The threats that name neither a test that exists nor a page that exists."""
    return [row[0] for row in rows if not any(is_proof(link, folder) for link in LINK.finditer(row[-1]))]


def is_proof(link: re.Match[str], folder: Path) -> bool:
    text, target = link["text"].strip("`"), (folder / link["target"]).resolve()
    if not target.is_file():
        return False
    if target.suffix == ".md" or text == target.name:
        return True
    return re.search(rf"\bdef {re.escape(text)}\b", target.read_text(encoding="utf-8")) is not None


def test_every_threat_has_an_answer_and_something_behind_it() -> None:
    rows = rows_of(PAGE.read_text(encoding="utf-8"), "threat")
    assert len(rows) > 15
    assert [row for row in rows if not row[1]] == []
    assert unproven(rows, PAGE.parent) == []


def test_whatever_the_review_asked_for_has_something_behind_it() -> None:
    rows = rows_of(PAGE.read_text(encoding="utf-8"), "asked for")
    assert len(rows) > 30
    assert [row[0] for row in rows if not any(LINK.finditer(row[-1]))] == []
    links = [(row[0], link) for row in rows for link in LINK.finditer(row[-1])]
    known = [(row, link["text"]) for row, link in links if not is_proof(link, PAGE.parent)]
    assert [one for one in known if one[1] != "LICENSE"] == []


@pytest.mark.parametrize(
    "cell",
    ["", "we are careful", "[`test_that_nobody_wrote`](../tests/integration/gateway/test_webhooks.py)"],
    ids=["nothing", "a promise", "no such test"],
)
def test_a_threat_without_proof_is_found(cell: str) -> None:
    assert unproven([["somebody tries", "an answer", cell]], PAGE.parent) == ["somebody tries"]


def test_every_secret_has_a_way_to_be_rotated_and_a_line_for_when_it_leaked() -> None:
    page = (ROOT / "docs" / "operations" / "secrets.md").read_text(encoding="utf-8")
    rotated = [re.split(r" \| ", row)[0] for rows in tables(page) for row in rows[2:]]
    said = " ".join(rotated).lower()
    for word in (
        "stripe",
        "webhook",
        "api key",
        "service's database",
        "owner's",
        "operator's",
        "kafka",
        "backup",
    ):
        assert said.count(word) >= 2, word
