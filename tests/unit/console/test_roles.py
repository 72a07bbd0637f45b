"""Who a claim makes somebody: nobody sees money because a claim was half filled in."""

import pytest

from console.menu import GROUPS, here, menu
from console.roles import Person, known_roles
from console.signin.leaving import own_page


@pytest.mark.parametrize(
    ("claimed", "wallet", "roles", "whose"),
    [
        (["approver", "viewer"], None, {"approver", "viewer"}, None),
        ("approver viewer", None, {"approver", "viewer"}, None),
        (["instructor"], "instructor:i-1", {"instructor"}, "instructor:i-1"),
        (["owner"], "aircraft_owner:o-1", {"owner"}, "aircraft_owner:o-1"),
        (["instructor"], None, set(), None),
        (["instructor"], "student:s-1", set(), None),
        (["instructor"], "instructor:", set(), None),
        (["instructor", "student"], "student:s-1", {"student"}, "student:s-1"),
        (["root", 7, None], "platform:margin", set(), None),
        (None, "student:s-1", set(), None),
        ({"approver": True}, None, set(), None),
        ([], "student:s-1", set(), None),
        (["viewer"], "student:s-1", {"viewer"}, None),
    ],
)
def test_a_claim_gives_known_roles_and_a_wallet_of_their_kind(
    claimed: object, wallet: object, roles: set[str], whose: str | None
) -> None:
    assert known_roles(claimed, wallet) == (frozenset(roles), whose)


def test_a_viewer_asks_for_nothing_and_an_approver_as_finance() -> None:
    def person(*roles: str) -> Person:
        return Person(name="x", shown_name="x", roles=frozenset(roles))

    assert person("viewer").asks_as == []
    assert person("student").asks_as == []
    assert person("approver", "preparer").asks_as == ["finance"]
    assert person("operations", "admin").asks_as == ["finance", "operations"]


def test_the_menu_holds_what_a_person_may_open() -> None:
    viewer = Person(name="v", shown_name="v", roles=frozenset({"viewer"}))
    student = Person(name="s", shown_name="s", roles=frozenset({"student"}), wallet="student:s")
    assert all(one.address for group in menu(viewer) for one in group.entries)
    assert not {"/transfers", "/dead"} & {one.address for group in menu(student) for one in group.entries}
    assert here(GROUPS, "/transfers/123") == "/transfers"
    assert here(GROUPS, "/") == "/"


@pytest.mark.parametrize(
    ("asked", "page"),
    [
        ("/transfers?f.state=held", "/transfers?f.state=held"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("/a\\b", "/"),
        ("https://evil.example/", "/"),
        ("javascript:alert(1)", "/"),
        ("/a\r\nset-cookie: x", "/"),
        ("", "/"),
        ("/" + "a" * 2_000, "/"),
    ],
)
def test_a_sign_in_leads_to_a_page_of_ours(asked: str, page: str) -> None:
    assert own_page(asked) == page
