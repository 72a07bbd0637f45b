"""What people read: amounts of rates, sentences that stand alone, sources short enough to tell apart."""

from typing import Any

import pytest

from console.cards import says, setting
from console.menu import GROUPS, here
from console.shown import alike
from console.wording import instant_of, sentence, source_words, words


@pytest.mark.parametrize(
    ("kind", "name", "value", "shown"),
    [
        ("aircraft", "rate_per_hour", 13_500, "135.00"),
        ("aircraft", "owner_share_ppm", 625_000, "62.5 %"),
        ("aircraft", "tax", {"rental": 0, "fuel": 56_000}, "rental 0 %, fuel 5.6 %"),
        ("aircraft", "airport_fees", [{"name": "Landing fee", "amount": 1_200}], "Landing fee 12.00"),
        (
            "credit",
            "dunning_steps",
            [{"name": "first", "days_overdue": 3, "balance": 5_000, "action": "block_dispatch"}],
            "first: block dispatch from 3 days and from 50.00",
        ),
        ("aircraft", "hobbs_digits", 4, "4"),
        ("instructor", "payout_minimum", 5_000, "50.00"),
        ("instructor", "instant_payout", True, "yes"),
        ("adjustments", "approve_above", 5_000, "50.00"),
        ("adjustments", "waterfall", ["stripe_reversal"], "stripe reversal"),
        ("adjustments", "offset_share_percent", 50, "50"),
        ("a kind of before", "rate_per_hour", 7, "7"),
        ("owner", "payout_minimum", None, ""),
    ],
)
def test_a_setting_is_shown_in_the_unit_that_people_think_in(
    kind: str, name: str, value: Any, shown: str
) -> None:
    assert setting(kind, name, value, "USD") == shown


def test_a_card_in_one_line_names_no_person() -> None:
    document = {"name": "Avery", "email": "a@school.example", "flight_per_hour": 4_000, "airport_fees": []}
    assert says("instructor", document, "USD") == "flight per hour 40.00"


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("flight:a-0098:1", "flight a-0098"),
        ("flight:a:b:2", "flight a:b, revision 2"),
        ("adjustment:a-0090:2", "adjustment a-0090, revision 2"),
        ("transfer:093d0cd5-c607-5f42-b9bd-3f7eec6fd308", "transfer 093d0cd5"),
        ("charge:ch_1", "charge ch_1"),
        ("odd", "odd"),
    ],
)
def test_a_source_is_short_and_names_its_thing(source: str, shown: str) -> None:
    assert source_words(source) == shown


def test_a_sentence_stands_alone() -> None:
    assert sentence("waits for one approval") == "Waits for one approval."
    assert sentence("Is it running?") == "Is it running?"
    assert sentence(None) == ""
    assert words("requirements.past_due") == "requirements: past due"


def test_an_instant_in_a_document_is_shown_in_the_school_s_zone() -> None:
    assert instant_of("2025-11-28T18:47:00+00:00", "America/New_York") == "2025-11-28 13:47 EST"
    assert instant_of("2025-11-28", "America/New_York") == "2025-11-28"
    assert instant_of("N695SP", "America/New_York") == "N695SP"


def test_a_page_that_no_line_leads_to_is_not_the_overview() -> None:
    assert here(GROUPS, "/journals/charge:ch_1") == "/wallets"
    assert here(GROUPS, "/nowhere") == ""


def test_what_follows_is_a_table_for_each_kind_of_thing() -> None:
    fact, wallet = {"setting": "aircraft", "before": "A"}, {"wallet": "student:a", "amount": -5}
    assert alike([fact, wallet, wallet | {"after": 1}]) == [[fact], [wallet, wallet | {"after": 1}]]
    assert alike([{"dead_letter_id": "x"}]) == [[{"dead_letter_id": "x"}]]
    assert alike([]) == []
