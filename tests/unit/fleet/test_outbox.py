from typing import Any, NamedTuple

import pytest

from fleet.outbox import _acknowledged_prefixes


class Staged(NamedTuple):
    """As much of an outbox row as decides whether it may be deleted."""

    id: int
    topic: str
    key: bytes


@pytest.mark.parametrize(
    ("failed", "deleted"),
    [
        (set(), [1, 2, 3, 4, 5]),
        ({1, 2, 3, 4, 5}, []),
        ({2}, [1, 3, 5]),  # 4 waits behind 2, its elder of the same key
        ({1}, [2, 4, 5]),  # 3 waits behind 1; 5 is another topic's
        ({4}, [1, 2, 3, 5]),
    ],
)
def test_only_what_came_before_a_key_s_first_failure_is_deleted(failed: set[int], deleted: list[int]) -> None:
    rows: Any = [
        Staged(1, "flight.billed", b"a"),
        Staged(2, "flight.billed", b"b"),
        Staged(3, "flight.billed", b"a"),
        Staged(4, "flight.billed", b"b"),
        Staged(5, "journal.requested", b"a"),
    ]
    assert _acknowledged_prefixes(rows, {id - 1 for id in failed}) == deleted
