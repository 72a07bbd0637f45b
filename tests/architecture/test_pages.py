"""Pages, comments and docstrings: tables are whole, decisions are in their index, what is cited is there."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from functools import cache
from itertools import groupby
from pathlib import Path

import pytest

from tests.architecture.test_house_rules import ROOT, name, tracked
from tests.support.each import of_each

DECISIONS = ROOT / "docs" / "decisions"
PAGES = tracked("*.md")
COMMENTED = [
    path for pattern in ("*.py", "*.sql", "*.yml", "*.toml", "*Dockerfile") for path in tracked(pattern)
]
ROOMS = "|".join(sorted({Path(name(path)).parts[0] for path in tracked("*/*")} - {".ci"}))
# A path from the root, or a file by its name alone; no address, and no name in a user's own folder.
CITED = re.compile(
    rf"(?<![\w./:@<{{-])(?:(?:{ROOMS})/[\w./-]*\w|[A-Za-z0-9_-]+\.(?:md|sql|toml))(?![\w/*{{<…-])"
)
NOT_IN_THE_REPOSITORY = re.compile(r"\bdesign section\b|\bissue \d|\bIssue \d|(?<!RFC \d{4} )\bsection \d")
# Files that are made, by whoever runs what cites them.
MADE = {"bench.md", "BREAKS.md", "hobbs/test", "deploy/secrets"}


@of_each(PAGES, named=name)
def test_every_table_is_whole(page: Path) -> None:
    assert list(broken_tables(page.read_text(encoding="utf-8"))) == []


def broken_tables(text: str) -> Iterator[str]:
    """Tables without a line below their head, and rows with other columns than their head."""
    for rows in tables(text):
        columns = cells(rows[0])
        if len(rows) < 2 or not re.fullmatch(r"\|(?:\s*:?-+:?\s*\|)+", rows[1]):
            yield f"no head: {rows[0]}"
        yield from (f"{cells(row)} columns, not {columns}: {row}" for row in rows if cells(row) != columns)


def tables(text: str) -> Iterator[list[str]]:
    """Runs of lines that begin with a bar, outside of code."""
    prose = re.sub(r"^(```+).*?^\1", "", text, flags=re.MULTILINE | re.DOTALL)
    for is_table, lines in groupby(prose.splitlines(), lambda line: line.lstrip().startswith("|")):
        if is_table:
            yield [line.strip() for line in lines]


def cells(row: str) -> int:
    return len(re.findall(r"(?<!\\)\|", row)) - 1


@pytest.mark.parametrize(
    "text",
    ["| a | b |\n|---|---|\n| 1 |\n", "| a | b |\n|---|---|\n| 1 | 2 |\n\nWords.\n\n| 3 | 4 |\n"],
    ids=["a row that is short", "a table cut in the middle"],
)
def test_a_broken_table_is_found(text: str) -> None:
    assert list(broken_tables(text))


def test_every_decision_is_in_the_index_by_its_title_and_nothing_else_is() -> None:
    rows = re.findall(
        r"^\| \[(\d{4})\]\(([\w-]+\.md)\) \| (.+) \| .+ \|$",
        (DECISIONS / "README.md").read_text(encoding="utf-8"),
        re.MULTILINE,
    )
    files = sorted(path for path in DECISIONS.glob("*.md") if path.name != "README.md")
    heads = [path.read_text(encoding="utf-8").partition("\n")[0] for path in files]
    indexed = [(file, f"# {number}: {title}") for number, file, title in rows]
    assert indexed == [(path.name, head) for path, head in zip(files, heads, strict=True)]
    assert all(file.startswith(number) for number, file, _ in rows)


@of_each(COMMENTED, named=name)
def test_what_a_comment_or_docstring_cites_is_there(path: Path) -> None:
    said = list(prose_of(path))
    missing = [cited for text in said for cited in CITED.findall(text) if not is_there(cited, path.parent)]
    assert missing == []
    assert [text for text in said if NOT_IN_THE_REPOSITORY.search(text)] == []


def prose_of(path: Path) -> Iterator[str]:
    text = path.read_text(encoding="utf-8")
    if not CITED.search(text) and not NOT_IN_THE_REPOSITORY.search(text):
        return  # nor does any part of it, and to tell comments from code takes a hundred times as long
    if path.suffix != ".py":
        yield from re.findall(r"--.*" if path.suffix == ".sql" else r"#.*", text)
        return
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.string
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield ast.get_docstring(node) or ""


def is_there(cited: str, folder: Path) -> bool:
    if re.fullmatch(r"docs/decisions/\d{4}", cited):
        return any(DECISIONS.glob(f"{cited[-4:]}-*.md"))
    if "/" in cited:
        return (ROOT / cited).exists() or cited in MADE or bool(list(ROOT.glob(f"{cited}.*")))
    return cited in all_names() | MADE if cited != "README.md" else has_readme(folder)


def has_readme(folder: Path) -> bool:
    """A page by that name stands beside it or above it, in the same service."""
    return any((above / "README.md").exists() for above in (folder, *folder.parents) if above != ROOT)


@cache
def all_names() -> frozenset[str]:
    return frozenset(path.name for path in tracked("*"))


@pytest.mark.parametrize(
    "text", ["see docs/nothing.md", "as services/ledger/RULES.md says", "docs/decisions/9999"]
)
def test_a_page_that_is_not_there_is_found(text: str) -> None:
    assert [cited for cited in CITED.findall(text) if not is_there(cited, ROOT)]


@pytest.mark.parametrize(
    "text", ["the answer table of design section 5", "Issue 4's webhook table", "see section 3"]
)
def test_a_page_that_only_its_author_has_is_found(text: str) -> None:
    assert NOT_IN_THE_REPOSITORY.search(text)
    assert not NOT_IN_THE_REPOSITORY.search("members of its own (RFC 9457 section 3.2)")


NAMED_TEST = re.compile(r"\[`(test_\w+)`\]\(([^)#]+)\)")


@of_each(PAGES, named=name)
def test_a_test_that_a_page_names_is_in_the_file_that_it_leads_to(page: Path) -> None:
    assert list(missing_tests(page.read_text(encoding="utf-8"), page.parent)) == []


def missing_tests(text: str, folder: Path) -> Iterator[str]:
    """Tests that are named and are not in their file."""
    for test, path in NAMED_TEST.findall(text):
        file = folder / path
        if not file.is_file() or not re.search(rf"def {test}\(", file.read_text(encoding="utf-8")):
            yield f"{test} in {path}"


def test_a_named_test_that_is_not_there_is_found() -> None:
    here = f"[`test_nothing_at_all`]({Path(__file__).name}), [`test_x`](no.py)"
    assert list(missing_tests(here, Path(__file__).parent)) == [
        f"test_nothing_at_all in {Path(__file__).name}",
        "test_x in no.py",
    ]
