"""docs/credit.md: behind every promise stands a test, a bench or a page that is there."""

from tests.architecture.test_house_rules import ROOT
from tests.architecture.test_pages import tables
from tests.architecture.test_security_page import LINK, is_proof, unproven

PAGE = ROOT / "docs" / "credit.md"


def test_every_promise_has_something_behind_it_and_every_test_that_is_named_is_there() -> None:
    text = PAGE.read_text(encoding="utf-8")
    rows = [[cell.strip() for cell in row.strip("|").split("|")] for t in tables(text) for row in t[2:]]
    assert len(rows) > 35
    assert unproven(rows, PAGE.parent) == []
    named = [link for row in rows for link in LINK.finditer(row[-1])]
    assert [link["text"] for link in named if not is_proof(link, PAGE.parent)] == []
