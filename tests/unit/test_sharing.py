"""Files that share a fleet go to one worker of `make test`."""

import re
from pathlib import Path
from typing import Final

from tests.support.sharing import FLEETS, LONGEST, SHARED, next_piece, piece_of

ROOT: Final = Path(__file__).parents[2]
OF_THE_UNDISTURBED_RUN: Final = re.compile(r"\bundisturbed: Run\b")


def test_every_file_that_asks_for_the_undisturbed_run_is_of_its_piece() -> None:
    files = {
        f"{FLEETS}{file.name}"
        for file in (ROOT / FLEETS).glob("test_*.py")
        if OF_THE_UNDISTURBED_RUN.search(file.read_text("utf-8"))
    }
    assert files == set(SHARED["the undisturbed run"])


def test_all_files_of_the_console_are_one_piece_and_others_are_their_own() -> None:
    files = [f"{FLEETS}console/{file.name}" for file in (ROOT / FLEETS / "console").glob("test_*.py")]
    assert len(files) > 2
    assert len({piece_of(file) for file in files}) == 1
    assert piece_of("tests/system/test_up.py") == "tests/system/test_up.py"


def test_workers_begin_with_fleets_but_for_the_last_which_comes_to_them_at_the_end() -> None:
    fleet, small = piece_of("tests/system/test_up.py"), piece_of("tests/unit/test_instants.py")
    waiting = [small, fleet]
    assert next_piece(waiting, fleets_first=True) == fleet
    assert next_piece(waiting, fleets_first=False) == small
    assert next_piece([fleet], fleets_first=False) == fleet
    assert next_piece([small], fleets_first=True) == small
    assert (ROOT / LONGEST).is_file()
    assert next_piece([small, fleet, LONGEST], fleets_first=True) == LONGEST
    assert next_piece([fleet, LONGEST], fleets_first=False) == fleet


def test_a_folder_with_a_fixture_of_its_package_is_a_package() -> None:
    """Otherwise pytest keeps the fixture to the end of the session: a fleet beside all other tests."""
    conftests = [
        file for file in ROOT.glob("tests/**/conftest.py") if 'scope="package"' in file.read_text("utf-8")
    ]
    assert len(conftests) > 1
    assert [file for file in conftests if not file.with_name("__init__.py").is_file()] == []
