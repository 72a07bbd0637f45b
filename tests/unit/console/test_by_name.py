"""Lists by name in another order: by a column, then by name, and what a row does not have comes last."""

import pytest

from console.reads.by_name import in_order
from console.reads.credit import CREDIT

ROWS = [
    {"student": "ben", "posted": -5, "used_percent": None},
    {"student": "ann", "posted": -5, "used_percent": 80},
    {"student": "cem", "posted": 7, "used_percent": 20},
]


@pytest.mark.parametrize(
    ("order", "names"),
    [
        ("posted", "ann ben cem"),
        ("-posted", "cem ann ben"),
        ("used_percent", "cem ann ben"),
        ("-used_percent", "ann cem ben"),
        ("-student", "cem ben ann"),
    ],
)
def test_rows_are_sorted_by_a_column_and_then_by_name(order: str, names: str) -> None:
    assert [row["student"] for row in in_order(ROWS, CREDIT, order)] == names.split()
