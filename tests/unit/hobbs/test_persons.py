"""Which wallets are one person's, and which reasons name somebody."""

import pytest

from fleet.persons import named_in
from hobbs.persons.parts import NoPerson, parts_of, wallet_of

STUDENTS: list[tuple[str, dict[str, object]]] = [
    ("ann", {"also_instructor": "i1"}),
    ("ann", {"also_owner": "o1"}),
    ("bob", {}),
]


@pytest.mark.parametrize(
    ("text", "wallet"),
    [
        ("student:ann", "student:ann"),
        ("owner:o1", "aircraft_owner:o1"),
        ("aircraft_owner:o1", "aircraft_owner:o1"),
        (" instructor:i1 ", "instructor:i1"),
    ],
)
def test_a_person_is_named_by_kind_and_id(text: str, wallet: str) -> None:
    assert wallet_of(text) == wallet


@pytest.mark.parametrize("text", ["ann", "student:", "external:stripe", "platform:fees", ""])
def test_what_is_no_persons_wallet_is_refused(text: str) -> None:
    with pytest.raises(NoPerson, match="student:ID"):
        wallet_of(text)


@pytest.mark.parametrize("one", ["student:ann", "instructor:i1", "aircraft_owner:o1"])
def test_the_same_person_is_found_from_each_part(one: str) -> None:
    assert parts_of(one, STUDENTS) == ["aircraft_owner:o1", "instructor:i1", "student:ann"]


def test_another_person_is_no_part() -> None:
    assert parts_of("student:bob", STUDENTS) == ["student:bob"]
    assert parts_of("student:nobody", STUDENTS) == ["student:nobody"]


KEPT = {
    "student:ann": ["Ann Lee", "ann@example.org"],
    "student:al": ["Al"],
    "student:bj": ["Bj\u00f6rk Str\u00f6m"],
}


@pytest.mark.parametrize(
    ("why", "whose"),
    [
        ("Ann Lee asked on the phone", "student:ann"),
        ("asked by ann  lee's father", "student:ann"),
        ("(ANN LEE)", "student:ann"),
        ("wrote from Ann@Example.org.", "student:ann"),
        ("Bjo\u0308rk Stro\u0308m called", "student:bj"),
        ("Joann Leeds asked", None),
        ("the alternator; all of it", None),
        ("student:ann asked", None),
        ("", None),
    ],
)
def test_a_reason_that_names_somebody_is_found_in_whole_words(why: str, whose: str | None) -> None:
    assert named_in(why, KEPT) == whose
