"""Every mutant applies to the present tree and names tests that exist. None is run."""

import re
import tomllib
from pathlib import Path

import pytest

from tests.mutants.catalogue import ASKED_FOR, MUTANTS
from tests.mutants.mutant import DoesNotApply, Edit, Mutant, mutated
from tests.mutants.trial import COPIED, Unusable, finding
from tests.mutants.witness import PACKAGES

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda m: m.name)
def test_a_mutant_changes_the_present_tree(mutant: Mutant) -> None:
    for path, text in mutated(mutant, ROOT).items():
        assert text != (ROOT / path).read_text(encoding="utf-8")


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda m: m.name)
def test_a_mutant_names_tests_that_exist(mutant: Mutant) -> None:
    assert mutant.catchers
    for catcher in mutant.catchers:
        file, _, test = catcher.partition("::")
        defined = re.findall(r"^(?:async )?def (test_\w+)", (ROOT / file).read_text("utf-8"), re.MULTILINE)
        assert test.partition("[")[0] in defined if test else defined


def test_every_mutant_the_issue_named_exists_and_names_are_unique() -> None:
    names = [mutant.name for mutant in MUTANTS]
    assert len(names) == len(set(names))
    assert len(ASKED_FOR) == 16
    assert set(ASKED_FOR.values()) <= set(names)


def test_a_copy_has_every_package_and_watches_where_it_is_imported_from() -> None:
    """Without the newest package no test starts in a copy, and every mutant is unusable."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    packages = set(project["tool"]["importlinter"]["root_packages"])
    assert packages <= set(COPIED)
    assert packages <= set(PACKAGES)


@pytest.mark.parametrize(
    ("text", "new"), [("a = 1\n", "gone"), ("a = 1\na = 1\n", "a = 2"), ("a = 1\n", "a = (")]
)
def test_a_mutant_that_does_not_apply_is_refused(tmp_path: Path, text: str, new: str) -> None:
    (tmp_path / "room.py").write_text(text)
    old = "b = 1" if new == "gone" else "a = 1"
    edit = Edit(path="room.py", old=old, new=new)
    with pytest.raises(DoesNotApply, match="mutant odd"):
        mutated(Mutant(name="odd", breaks="Nothing.", edits=(edit,), catchers=("t",)), tmp_path)


def failure(phase: str, *error: str) -> dict[str, object]:
    failed = {"test": "t.py::test_x", "phase": phase, "error": list(error), "message": "so"}
    return {"passed": 3, "first_failure": failed}


@pytest.mark.parametrize(
    "observed",
    [
        failure("collect"),
        failure("setup", "AssertionError"),
        failure("call", "NameError", "Exception"),
        failure("call", "ModuleNotFoundError", "ImportError"),
        failure("call", "ProgrammingError"),
    ],
)
def test_an_error_of_the_mutant_itself_is_no_catch(observed: dict[str, object]) -> None:
    with pytest.raises(Unusable, match="broke: so"):
        finding(observed, 1.0)


def test_a_test_that_fails_in_its_own_body_has_caught_the_mutant() -> None:
    assert finding(failure("call", "AssertionError"), 1.0).caught_by == "t.py::test_x"
    assert finding({"passed": 3, "first_failure": None}, 1.0).caught_by is None
