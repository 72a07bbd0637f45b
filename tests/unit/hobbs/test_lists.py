"""A list shows the newest part, and says what it leaves out and how to get it."""

import pytest

from hobbs.shell.lists import LISTED_MAX, part
from hobbs.shell.output import Output


@pytest.mark.parametrize(
    ("most", "skip", "there", "said"),
    [
        (2, 0, 2, ""),
        (2, 0, 3, "only the first 2 things are shown, the newest first; --skip 2 shows the next"),
        (2, 4, 3, "only the first 2 things are shown after 4, the newest first; --skip 6 shows the next"),
        (2, 4, 0, ""),
        (None, 0, 200, ""),
        (None, 0, 201, "only the first 200 things are shown, the newest first; --skip 200 shows the next"),
    ],
)
def test_a_cut_list_says_so(
    most: int | None, skip: int, there: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = part(most, skip, Output.table)
    rows = list(range(there))[: shown.asked]
    assert shown.of(rows, "things") == rows[: most or 200]
    told = capsys.readouterr().err
    assert (told.startswith(said), bool(told)) == (True, bool(said))


def test_a_program_gets_everything_unless_it_says_less() -> None:
    assert [part(None, 0, form).most for form in (Output.json, Output.csv)] == [LISTED_MAX, LISTED_MAX]
    assert part(5, 0, Output.csv).most == 5
