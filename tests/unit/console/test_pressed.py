"""What a service says to type is what a person presses here, and no command is left out."""

import ast
import re
from pathlib import Path
from typing import Final

import pytest

from console.pressed import HERE, in_words, linked
from tests.support.console import console_nowhere, pages_of

SERVICES: Final = Path(__file__).parents[3] / "services"
# What people do with these is on the command line only, and is said so.
ONLY_TYPED: Final = frozenset(
    {
        "adjustments amend", "check", "flights correct", "flights keys create", "opening load",
        "opening reopen", "opening revert", "opening show", "reserve backfill", "school apply",
        "transfers payees adopt",
    }
)  # fmt: skip
NAMED: Final = re.compile(r"\bhobbs ([a-z]+(?: [a-z-]+){0,2})")
OPTION: Final = re.compile(r"--[a-z-]+")


def sentences() -> list[tuple[Path, str]]:
    """Every text of the services' code but for what documents it."""
    found = []
    for path in SERVICES.rglob("*.py"):
        if "migrations" in path.parts:
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        documents = {
            id(node.body[0].value)
            for node in ast.walk(tree)
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
            and node.body
            and isinstance(node.body[0], ast.Expr)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documents:
                found.append((path.relative_to(SERVICES), node.value))
    return found


def test_every_command_that_a_sentence_names_is_found_here_or_is_the_command_lines_own() -> None:
    told = [(path, name) for path, text in sentences() for name in NAMED.findall(text)]
    assert len(told) > 40
    known = {*HERE, *ONLY_TYPED}
    missing = {
        (str(path), name)
        for path, name in told
        if not any(name == one or name.startswith(f"{one} ") for one in known)
    }
    assert missing == set()


def test_what_is_here_is_a_page_of_the_console() -> None:
    pages = set(pages_of(console_nowhere()))
    addresses = {address.partition("?")[0] for _, address in HERE.values() if address}
    assert addresses <= pages


@pytest.mark.parametrize(
    ("told", "said"),
    [
        (
            "a second person has to agree: hobbs credit allowances shows its id",
            "a second person has to agree: Allowances shows its id",
        ),
        ("there is no change 7 of a limit; hobbs credit proposals shows them", None),
        ("opening the gate needs a reason (--why)", "opening the gate needs a reason"),
        ("12.00 USD of 2026-05-02 is unexplained: hobbs reconcile 2026-05-02 shows it", None),
        (
            "spell it as in the school's book, or --new-student",
            "spell it as in the school's book, or tick This student is in no book yet",
        ),
        ("put it in order (`hobbs transfers payees link`); it is sent by itself", None),
        ("hobbs adjustments settle F1:2 --wallet instructor:instructor-01", None),
        ("A payment names no student: hobbs payments allocate ch_1 student-01", None),
        ("`hobbs check` will name the difference", "`hobbs check` will name the difference"),
    ],
)
def test_a_sentence_is_said_as_what_is_pressed(told: str, said: str | None) -> None:
    shown = in_words(told)
    assert said is None or shown == said
    assert said is not None or not re.search(r"hobbs|--|F1:2|ch_1", shown), shown


def test_a_link_leads_to_the_page_and_nothing_of_the_sentence_is_markup() -> None:
    shown = linked("<b>x</b> waits: hobbs payments notes shows its id")
    assert str(shown) == ('&lt;b&gt;x&lt;/b&gt; waits: <a href="/notes">Refunds, credits</a> shows its id')


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ("Send a link: hobbs payments link", "Send a link: Pay, and my card"),
        (
            "look for it, then decide: `hobbs transfers payees unpark`",
            "look for it, then decide: the office does that",
        ),
        ("it is paid once `hobbs school apply` does", "it is paid once the office does that does"),
    ],
)
def test_who_sees_their_own_money_is_told_nothing_of_the_offices(told: str, said: str) -> None:
    assert in_words(told, holder=True) == said
    assert "hobbs" not in str(linked(told, holder=True))


def test_every_option_is_said_as_its_field() -> None:
    """Of the options in sentences of refusals that reach people; what is an SQL comment is none."""
    told = {
        (str(path), text)
        for path, text in sentences()
        if "desk" in path.parts and OPTION.search(text) and "hobbs opening" not in text
    }
    assert told
    assert {(path, text) for path, text in told if OPTION.search(in_words(text))} == set()
