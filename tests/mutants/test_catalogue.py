"""Every mutant still applies to the tree as it is, and names tests that are there. Runs none of them."""

import re
from pathlib import Path

import pytest

from tests.mutants.catalogue import ASKED_FOR, MUTANTS
from tests.mutants.mutant import DoesNotApply, Edit, Mutant, mutated
from tests.mutants.trial import Unusable, finding

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda m: m.name)
def test_a_mutant_changes_the_tree_as_it_is(mutant: Mutant) -> None:
    for path, text in mutated(mutant, ROOT).items():
        assert text != (ROOT / path).read_text(encoding="utf-8")


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda m: m.name)
def test_a_mutant_names_tests_that_are_there(mutant: Mutant) -> None:
    assert mutant.catchers
    for catcher in mutant.catchers:
        file, _, test = catcher.partition("::")
        defined = re.findall(r"^(?:async )?def (test_\w+)", (ROOT / file).read_text("utf-8"), re.MULTILINE)
        assert test.partition("[")[0] in defined if test else defined


def test_every_break_that_was_asked_for_is_there_and_has_a_name_of_its_own() -> None:
    names = [mutant.name for mutant in MUTANTS]
    assert len(names) == len(set(names))
    assert len(ASKED_FOR) == 16
    assert set(ASKED_FOR.values()) <= set(names)


@pytest.mark.parametrize(
    ("text", "new"), [("a = 1\n", "gone"), ("a = 1\na = 1\n", "a = 2"), ("a = 1\n", "a = (")]
)
def test_a_mutant_that_does_not_fit_is_refused(tmp_path: Path, text: str, new: str) -> None:
    (tmp_path / "room.py").write_text(text)
    old = "b = 1" if new == "gone" else "a = 1"
    edit = Edit(path="room.py", old=old, new=new)
    with pytest.raises(DoesNotApply, match="mutant odd"):
        mutated(Mutant(name="odd", breaks="Nothing.", edits=(edit,), catchers=("t",)), tmp_path)


def failure(phase: str, *error: str) -> dict[str, object]:
    told = {"test": "t.py::test_x", "phase": phase, "error": list(error), "said": "so"}
    return {"passed": 3, "first_failure": told}


@pytest.mark.parametrize(
    "seen",
    [
        failure("collect"),
        failure("setup", "AssertionError"),
        failure("call", "NameError", "Exception"),
        failure("call", "ModuleNotFoundError", "ImportError"),
        failure("call", "ProgrammingError"),
    ],
)
def test_what_breaks_for_another_reason_is_not_caught(seen: dict[str, object]) -> None:
    with pytest.raises(Unusable, match="broke: so"):
        finding(seen, 1.0)


def test_a_test_that_fails_of_itself_has_caught_the_mutant() -> None:
    assert finding(failure("call", "AssertionError"), 1.0).caught_by == "t.py::test_x"
    assert finding({"passed": 3, "first_failure": None}, 1.0).caught_by is None
