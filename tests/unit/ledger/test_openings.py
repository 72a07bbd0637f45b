"""What an opening line is: the same journal whenever and from whatever file it is loaded."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from services.ledger.domain.openings import (
    KINDS,
    Chosen,
    KnownLine,
    LineKey,
    NewLine,
    OpeningLine,
    balance_hash,
    source_of,
    stands_sentence,
)
from services.ledger.wire.openings import LoadAsked, line_journal

DAY = date(2026, 6, 1)
BEGINS = datetime(2026, 6, 1, 5, tzinfo=UTC)
BILL = LineKey("student_item", "s-1", "bill 7", "USD")


def new(about: LineKey, amount: int = 100, attempt: int = 1) -> NewLine:
    return NewLine(line=OpeningLine(about=about, amount=amount), attempt=attempt)


def known(about: LineKey, amount: int = 100, *, stands: bool = True) -> KnownLine:
    return KnownLine(
        about=about, amount=amount, attempt=1, source=str(about), occurred_at=BEGINS, stands=stands
    )


def test_a_line_loaded_after_a_restore_is_the_same_journal() -> None:
    there = BEGINS.astimezone(timezone(timedelta(hours=-5)))
    first, again = line_journal(DAY, BEGINS, new(BILL)), line_journal(DAY, there, new(BILL))
    assert (first.journal_id, first.source, first.entries) == (again.journal_id, again.source, again.entries)
    later = line_journal(DAY, BEGINS, new(BILL, attempt=2))
    assert first.journal_id != later.journal_id
    assert [entry.amount for entry in first.entries] == [-100, 100]


def test_lines_whose_parts_only_look_alike_when_joined_are_two_lines() -> None:
    sources = {
        source_of(DAY, LineKey("student_item", key, reference, "USD"), 1)
        for key, reference in (("s-1", "bill 7"), ("s-1 bill", "7"), ("s-1bill 7", ""), ("", "s-1bill 7"))
    }
    assert len(sources) == 4
    assert source_of(date(2026, 6, 2), BILL, 1) != source_of(DAY, BILL, 1)


@pytest.mark.parametrize(
    ("chosen", "count"),
    [
        (Chosen(), 3),
        (Chosen(kind="student_item"), 2),
        (Chosen(key="s-1"), 2),
        (Chosen(key="s-1", reference=""), 1),
        (Chosen(currency="EUR"), 0),
    ],
)
def test_a_revert_means_the_lines_that_stand_and_have_what_is_said(chosen: Chosen, count: int) -> None:
    lines = [
        known(BILL),
        known(BILL._replace(key="s-2")),
        known(LineKey("student_balance", "s-1", "", "USD")),
        known(BILL._replace(reference="bill 8"), stands=False),
    ]
    assert len(chosen.among(lines)) == count


def test_a_trial_balance_has_another_name_when_a_line_or_an_amount_is_another() -> None:
    lines = [known(BILL), known(BILL._replace(key="s-2"), 5)]
    assert balance_hash(lines) == balance_hash(
        [*reversed(lines), known(LineKey("tax", "", "", "USD"), stands=False)]
    )
    others = [
        lines[:1],
        [lines[0], known(BILL._replace(key="s-2"), 6)],
        [lines[0], known(BILL._replace(key="s-3"), 5)],
    ]
    assert len({balance_hash(one) for one in (lines, *others)}) == 4


def test_what_is_off_is_said_for_each_currency() -> None:
    assert stands_sentence({}) == "external:opening is at zero"
    assert "external:opening is at 12.00 EUR, -0.05 USD, and" in stands_sentence({"USD": -5, "EUR": 1200})


def test_each_kind_says_what_it_is() -> None:
    assert all(kind.meaning and abs(kind.sign) == 1 for kind in KINDS.values())
    assert [name for name, kind in KINDS.items() if kind.referenced and not kind.fixed] == ["student_item"]


@pytest.mark.parametrize("amount", [1.5, "100", True, 10**16])
def test_an_amount_that_is_no_whole_number_is_no_line(amount: object) -> None:
    line = ["bank", "", "", "USD", amount]
    with pytest.raises(ValueError, match="lines"):
        LoadAsked.model_validate({"as_of": "2026-06-01", "occurred_at": BEGINS.isoformat(), "lines": [line]})
