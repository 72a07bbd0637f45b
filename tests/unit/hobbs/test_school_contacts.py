"""What a school.toml says of people: it is in no card, and who was erased stays so."""

from datetime import UTC, datetime

import pytest

from hobbs.school.contacts import (
    KeptContact,
    contact_differences,
    contact_events,
    contact_text,
)
from hobbs.school.file import read_school_file

AT = datetime(2026, 11, 1, tzinfo=UTC)
SCHOOL = """[school]
name = "S"
time_zone = "America/New_York"
currency = "USD"
"""
PERSON = """
[[instructor]]
id = "i1"
name = "Jo Doe"
email = "jo@example.org"
flight_per_hour = 45
ground_per_hour = 40
"""


def test_no_card_of_a_file_has_a_name_or_an_address() -> None:
    stated = read_school_file(SCHOOL + PERSON)
    assert stated.problems == []
    [card] = [card for card in stated.cards if card.kind == "instructor"]
    assert card.document == {"flight_per_hour": 4500, "ground_per_hour": 4000}
    [contact] = stated.contacts
    assert (contact.wallet, contact.full_name, contact.email) == ("instructor:i1", "Jo Doe", "jo@example.org")


def test_the_school_keeps_its_own_name() -> None:
    [school] = [card for card in read_school_file(SCHOOL).cards if card.kind == "school"]
    assert school.document["name"] == "S"


@pytest.mark.parametrize(
    "said", ["name = 5", 'name = "two\\nlines"', f'name = "{"x" * 201}"', "email = true"]
)
def test_a_name_that_is_none_is_named_with_its_line(said: str) -> None:
    text = f'{SCHOOL}[[student]]\nid = "s1"\n{said}\n'
    assert [problem.line for problem in read_school_file(text).problems] == [7]


def test_of_several_cards_the_latest_that_says_it_says_it() -> None:
    later = PERSON.replace("Jo Doe", "Jo Roe").replace('email = "jo@example.org"\n', "")
    stated = read_school_file(SCHOOL + PERSON + later + 'effective_from = "2026-06-01"\n')
    [changed], left_out = contact_differences(stated.contacts, {})
    assert (changed.new.full_name, changed.new.email, left_out) == ("Jo Roe", "jo@example.org", [])
    assert (changed.what, contact_text(changed)) == ("added", "name Jo Roe, email jo@example.org")


def test_what_is_kept_already_is_no_difference_and_who_is_in_no_file_stays() -> None:
    stated = read_school_file(SCHOOL + PERSON).contacts
    kept = {
        "instructor:i1": KeptContact(full_name="Jo Doe", email="jo@example.org"),
        "student:gone": KeptContact(full_name="Al Gone"),
    }
    assert contact_differences(stated, kept) == ([], [])


def test_a_name_that_the_file_does_not_say_any_more_is_taken_back() -> None:
    stated = read_school_file(SCHOOL + PERSON.replace('name = "Jo Doe"\n', "")).contacts
    kept = {"instructor:i1": KeptContact(full_name="Jo Doe", email="jo@example.org")}
    [changed], _ = contact_differences(stated, kept)
    [event] = contact_events([changed], AT)
    assert (event.full_name, event.email, event.anew) == ("", "jo@example.org", False)
    assert (changed.what, contact_text(changed)) == ("changed", "name Jo Doe -> (none)")


def test_who_was_erased_is_left_out_unless_stated_anew_on_purpose() -> None:
    stated = read_school_file(SCHOOL + PERSON).contacts
    kept = {"instructor:i1": KeptContact(erased_at=AT)}
    assert contact_differences(stated, kept) == ([], ["instructor:i1"])
    [changed], left_out = contact_differences(stated, kept, anew=["instructor:i1"])
    assert (contact_events([changed], AT)[0].anew, left_out) == (True, [])
