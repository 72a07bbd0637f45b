"""school.toml: what is read from it, which line a mistake is on, and how a difference is told."""

from datetime import date
from pathlib import Path
from types import SimpleNamespace

import pytest

from hobbs.school.difference import differences, settings_text
from hobbs.school.file import read_school_file
from services.billing.domain.rates import AircraftCard

EXAMPLE = Path(__file__).resolve().parents[3] / "services" / "billing" / "school.example.toml"
SCHOOL = '[school]\nname = "S"\ntime_zone = "UTC"\ncurrency = "USD"\n'


def problems(text: str) -> list[tuple[int, str]]:
    return [(problem.line, problem.sentence) for problem in read_school_file(text).problems]


def aircraft(*settings: str) -> str:
    return SCHOOL + "\n".join(
        ["[[owner]]", 'id = "o"', "[[aircraft]]", 'tail = "N1"', 'meter = "hobbs"', *settings, ""]
    )


def test_the_annotated_example_is_right_and_has_every_model() -> None:
    stated = read_school_file(EXAMPLE.read_text())
    assert stated.problems == []
    models = {e.card.model for e in stated.cards if isinstance(e.card, AircraftCard)}
    assert models == {"owned", "leased", "third_party", "passthrough", "bundled"}


def test_a_card_is_published_in_integers() -> None:
    text = aircraft('model = "owned"', "rate_per_hour = 165.5", 'owner = "o"', "owner_share_percent = 62.5")
    (card,) = [e for e in read_school_file(text).cards if e.kind == "aircraft"]
    assert card.document == {
        "model": "owned",
        "meter": "hobbs",
        "owner": "o",
        "rate_per_hour": 16550,
        "owner_share_ppm": 625_000,
    }


@pytest.mark.parametrize("written", ["165", "165.0", "165.00", '"165"', '"165.00"', "1_65"])
def test_money_is_read_as_written(written: str) -> None:
    (card,) = [
        e
        for e in read_school_file(aircraft('model = "owned"', f"rate_per_hour = {written}")).cards
        if e.kind == "aircraft"
    ]
    assert card.document["rate_per_hour"] == 16500


@pytest.mark.parametrize(
    ("currency", "written", "amount"), [("JPY", "16500", 16500), ("KWD", "1.234", 1234), ("USD", "0.01", 1)]
)
def test_money_has_the_currencys_decimals(currency: str, written: str, amount: int) -> None:
    text = aircraft('model = "owned"', f"rate_per_hour = {written}").replace("USD", currency)
    assert read_school_file(text).cards[-1].document["rate_per_hour"] == amount


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("rate_per_hour = 165.001", "rate_per_hour 165.001 is not an amount of USD"),
        ("rate_per_hour = -1", "rate_per_hour -1 is negative"),
        ("rate_per_hour = nan", "is not an amount"),
        ("rate_per_hour = inf", "is not an amount"),
        ("rate_per_hour = 1e999999999", "is out of range"),
        ("rate_per_hour = true", "is not an amount"),
        ("rate_per_hour = 10000000000", "is too large"),
        ('rate_per_hour = "?"', "'?' is not an amount of USD such as 165.00"),
        ('rate_per_hour = 1\nowner = "nobody"\nowner_share_percent = 5', "owner names owner nobody"),
        ('rate_per_hour = 1\nowner = "o"', "needs one of owner_share_percent and owner_share_per_hour"),
        ("rate_per_hour = 1\nowner_share_percent = 5", "owner_share_percent needs an owner"),
        ("rate_per_hour = 1\nowner_minimum_per_hour = 5", "owner_minimum_per_hour needs an owner"),
        ("rate_per_hour = 1\nconvenience_fee_per_flight = 5", "does not use convenience_fee_per_flight"),
        ("rate_per_hour = 1\ncost_per_hour = 5", "model owned does not use cost_per_hour"),
        ("rate_per_hour = 1\ntax = { rent = 5 }", "tax must be a table such as"),
        ("rate_per_hour = 1\ntax = { rental = 5.12345 }", "more than 4 decimals"),
        ("rate_per_hour = 1\nairport_fees = 12", "airport_fees must be a list"),
        ("rate_per_hour = 1\ncolour = 5", "unknown setting colour"),
        ("rate_per_hour = 1\neffective_from = 2026-13-01", "not TOML"),
        ('rate_per_hour = 1\neffective_from = "soon"', "effective_from must be a date"),
        ("rate_per_hour = 1\neffective_from = 2026-01-01T10:00:00Z", "effective_from must be a date"),
        ("surcharge_per_hour = 1", "model owned needs rate_per_hour"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_on_its_line(setting: str, said: str) -> None:
    found = problems(aircraft('model = "owned"', setting))
    assert len(found) == 1, found
    line, sentence = found[0]
    assert said in sentence
    assert 7 <= line <= 12


def test_the_line_is_the_settings_own() -> None:
    text = aircraft('model = "owned"', "rate_per_hour = 1", "", "# a comment", "reserve_per_hour = 1.234")
    assert [line for line, _ in problems(text)] == [14]


@pytest.mark.parametrize(
    ("prices", "said"),
    [
        ("", "needs bundle_per_hour"),
        (
            "bundle_per_hour = 10\naircraft_per_hour = 5\ninstruction_per_hour = 3\nfuel_per_hour = 1",
            "must add up to bundle_per_hour",
        ),
    ],
)
def test_a_bundles_parts_must_add_up(prices: str, said: str) -> None:
    assert any(said in sentence for _, sentence in problems(aircraft('model = "bundled"', prices)))


def test_every_mistake_is_told_at_once_in_the_order_of_lines() -> None:
    school = SCHOOL.replace("UTC", "Mars/Base").replace("USD", "usd")
    text = school + '[[tax]]\nline = "rent"\npercent = 101\n'
    found = problems(text + "[[nope]]\nx = 1\n[student]\nid = 5\n")
    assert [line for line, _ in found] == sorted(line for line, _ in found)
    assert len(found) == 4


def test_the_same_card_twice_names_both_lines() -> None:
    found = problems(SCHOOL + '[[student]]\nid = "s"\n[[student]]\nid = "s"\n')
    assert found == [(7, "student s from 1900-01-01 is already on line 5")]


@pytest.mark.parametrize("identity", ["id = 5", 'id = ""', 'id = "a\\u0000"', f'id = "{"x" * 101}"', ""])
def test_an_identity_is_text(identity: str) -> None:
    assert len(problems(f"{SCHOOL}[[student]]\n{identity}\n")) == 1


@pytest.mark.parametrize("text", ["x = " + "9" * 5000, "x = " + "[" * 5000, "x", "[[", "\x00", "x = 'a"])
def test_what_is_not_toml_is_one_problem_with_a_line(text: str) -> None:
    found = problems(SCHOOL + text)
    assert len(found) == 1
    assert found[0][0] >= 4


def test_a_file_without_school_is_refused() -> None:
    assert problems("") == [(1, "there is no [school] with name, time_zone and currency")]


def standing(text: str) -> list[SimpleNamespace]:
    return [
        SimpleNamespace(kind=e.kind, key=e.key, effective_from=e.effective_from, document=e.document)
        for e in read_school_file(text).cards
    ]


def test_the_same_file_changes_nothing_however_it_is_written() -> None:
    was = aircraft('model = "owned"', "rate_per_hour = 165.00", 'fuel = "wet"', "reserve_per_hour = 0")
    now = aircraft("rate_per_hour = 165", 'model = "owned"', "effective_from = 1900-01-01")
    assert differences(read_school_file(now).cards, standing(was)) == []


def test_a_difference_tells_old_and_new() -> None:
    was = aircraft('model = "owned"', "rate_per_hour = 165.00", "reserve_per_hour = 5")
    now = aircraft('model = "owned"', "rate_per_hour = 170.50", "tax = { rental = 5.6 }")
    (change,) = differences(read_school_file(now).cards, standing(was))
    assert (change.what, change.kind, change.key) == ("changed", "aircraft", "N1")
    assert settings_text(change.old, change.new, "USD") == (
        "rate_per_hour 165.00 -> 170.50, reserve_per_hour 5.00 -> (default), tax (default) -> rental 5.6 %"
    )


def test_a_table_taken_out_is_withdrawn_and_one_dated_later_is_added() -> None:
    was = SCHOOL + '[[student]]\nid = "a"\n'
    now = SCHOOL + '[[student]]\nid = "b"\neffective_from = 2026-01-01\n'
    changes = differences(read_school_file(now).cards, standing(was))
    assert [(c.what, c.key, c.effective_from) for c in changes] == [
        ("withdrawn", "a", date(1900, 1, 1)),
        ("added", "b", date(2026, 1, 1)),
    ]


POLICY = "approve_above = 75\nexpires_after_days = 7\nwaterfall = ['stripe_reversal']\n"
DEFAULTS = (
    "approve_above = 50.00\nsecond_approver_above = 500.00\napprove_older_than_days = 30\n"
    "expires_after_days = 14\noffset_escalates_after_days = 60\noffset_share_percent = 100\n"
    "recover_lost_disputes = false\n"
    "waterfall = ['future_payout_offset']\n"
)


def test_the_policy_on_corrections_is_a_card_of_the_book() -> None:
    stated = read_school_file(f"{SCHOOL}[adjustments]\n{POLICY}")
    assert stated.problems == []
    (card,) = [card for card in stated.cards if card.kind == "adjustments"]
    assert (card.key, card.effective_from) == ("adjustments", date(1900, 1, 1))
    assert card.document == {
        "approve_above": 7500,
        "expires_after_days": 7,
        "waterfall": ["stripe_reversal"],
    }


def test_a_policy_may_have_several_dates_and_says_its_defaults_or_not() -> None:
    dated = f"{SCHOOL}[[adjustments]]\n[[adjustments]]\neffective_from = 2026-07-01\n{POLICY}"
    days = [c.effective_from for c in read_school_file(dated).cards if c.kind == "adjustments"]
    assert days == [date(1900, 1, 1), date(2026, 7, 1)]
    written = read_school_file(f"{SCHOOL}[adjustments]\n{DEFAULTS}")
    assert differences(written.cards, standing(f"{SCHOOL}[adjustments]\n")) == []


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("approve_above = 600", "second_approver_above must not be less than approve_above"),
        ("waterfall = ['future_payout_offset', 'future_payout_offset']", "names a way twice"),
        ("waterfall = ['cash']", "waterfall"),
        ("expires_after_days = 0", "expires_after_days"),
        ("approve_above = 1.001", "approve_above 1.001 is not an amount of USD"),
        ("approves_above = 1", "unknown setting approves_above"),
    ],
)
def test_a_policy_that_cannot_be_is_named_on_its_line(setting: str, said: str) -> None:
    (problem,) = read_school_file(f"{SCHOOL}[adjustments]\n{setting}\n").problems
    assert said in problem.sentence
    assert problem.line >= SCHOOL.count("\n") + 1


def test_a_change_of_the_policy_tells_old_and_new() -> None:
    was = f"{SCHOOL}[adjustments]\n{POLICY}"
    now = was.replace("75", "80").replace("= 7\n", "= 9\n").replace("['", "['future_payout_offset', '")
    (change,) = differences(read_school_file(now).cards, standing(was))
    assert settings_text(change.old, change.new, "USD") == (
        "approve_above 75.00 -> 80.00, expires_after_days 7 -> 9, "
        "waterfall stripe_reversal -> future_payout_offset, then stripe_reversal"
    )


DUNNING = """
[credit]
dunning_minimum = 10.00
dunning_holidays = [2026-12-25, "2027-01-01"]
dunning_steps = [
  { name = "first", days_overdue = 3, action = "remind" },
  { name = "large", balance = 500.00, action = "call" },
]
"""


def test_steps_about_what_is_overdue_are_read_and_told() -> None:
    found = read_school_file(SCHOOL + DUNNING)
    assert found.problems == []
    (card,) = [one for one in found.cards if one.kind == "credit"]
    assert card.document == {
        "dunning_minimum": 1_000,
        "dunning_holidays": ["2026-12-25", "2027-01-01"],
        "dunning_steps": [
            {"name": "first", "action": "remind", "days_overdue": 3},
            {"name": "large", "action": "call", "balance": 50_000},
        ],
    }
    assert settings_text(None, card.document, "USD") == (
        "dunning_steps first: remind from 3 days; large: call from 500.00, "
        "dunning_minimum 10.00, dunning_holidays 2026-12-25, 2027-01-01"
    )


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("days_overdue = 3,", "", "needs days_overdue, balance or both"),
        ('"large"', '"first"', "two steps have the same name"),
        ('"call"', '"shout"', "dunning_steps"),
        ("500.00", "5.001", "is not an amount of USD"),
        ("dunning_minimum = 10.00", "dunning_from_hour = 20", "dunning_from_hour must be before"),
        ('"2027-01-01"', '"soon"', "dunning_holidays"),
    ],
)
def test_wrong_steps_are_named(before: str, after: str, said: str) -> None:
    assert said in str(problems(SCHOOL + DUNNING.replace(before, after)))


MOVING = """
[credit]
limit = 500.00
raises = "proposed"
raise_by = 200.00
raise_up_to = 1000.00
falls = "automatic"
fall_by = 200.00
fall_down_to = 100.00
"""


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("raise_by = 200.00", "", "raises is proposed, so raise_by must be more than nothing"),
        ("1000.00", "500.00", "raise_up_to must be more than limit"),
        ("fall_by = 200.00", "", "falls is automatic, so fall_by must be more than nothing"),
        ("= 100.00", "= 500.00", "fall_down_to must be less than limit"),
        ('"automatic"', '"often"', "falls"),
    ],
)
def test_limits_that_can_never_change_are_named(before: str, after: str, said: str) -> None:
    assert problems(SCHOOL + MOVING) == []
    assert said in str(problems(SCHOOL + MOVING.replace(before, after)))
