"""What becomes of a revision: a table of what is known, and properties of any number of corrections."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet.cause import Cause
from services.adjustments.domain import flights, proposals
from services.adjustments.domain.adjustments import STANDING, TRANSITIONS, UNDECIDED, Adjustment, State
from services.adjustments.domain.flights import FirstBill, Revision
from services.adjustments.domain.journals import PostedJournal, flight_of
from services.adjustments.domain.policy import Policy
from services.adjustments.domain.proposals import Proposal, Refusal, Terms

NOW = datetime(2026, 5, 23, 12, tzinfo=UTC)
TERMS = Terms(policy=Policy(), zone="America/New_York", now=NOW)
CAUSE = Cause(correlation_id="c", traceparent="t", event_id=UUID(int=1))
FIRST = FirstBill(currency="USD", source="flight:F1:1", entries={"platform:school": 900, "student:a": -900})
WALLETS = ("student:a", "student:b", "instructor:i", "aircraft_owner:o", "platform:school")


def revision(number: int, entries: dict[str, int], made_by: str = "dispatch") -> Revision:
    return Revision(
        flight_id="F1",
        revision=number,
        kind="corrected",
        bill_id=UUID(int=number),
        first=FIRST,
        entries=entries,
        student_before="a",
        student="a",
        flown_on=date(2026, 5, 22),
        occurred_at=NOW,
        priced_by="bill",
        reason="r",
        made_by=made_by,
    )


def proposed(
    told: Revision, known: list[Adjustment] | None = None, posted: PostedJournal | None = None
) -> Proposal:
    found = proposals.propose(told, FIRST, known or [], posted, TERMS, CAUSE)
    assert isinstance(found, Proposal)
    return found


def in_state(state: State, number: int = 2, entries: dict[str, int] | None = None) -> Adjustment:
    bill = {"platform:school": 800, "student:a": -800} if entries is None else entries
    return replace(proposed(revision(number, bill, "eve")).adjustment, state=state)


@pytest.mark.parametrize(
    ("before", "becomes", "makers", "superseded"),
    [
        (State.PROPOSED, State.APPROVED, ("dispatch", "eve"), True),
        (State.WAITING, State.APPROVED, ("dispatch", "eve"), True),
        (State.FAILED, State.APPROVED, ("dispatch", "eve"), True),
        (State.REJECTED, State.APPROVED, ("dispatch", "eve"), False),
        (State.EXPIRED, State.APPROVED, ("dispatch", "eve"), False),
        (State.SUPERSEDED, State.APPROVED, ("dispatch", "eve"), False),
        (State.APPROVED, State.PROPOSED, ("dispatch",), False),
        (State.POSTED, State.APPROVED, ("dispatch",), False),
        (State.SETTLING, State.APPROVED, ("dispatch",), False),
        (State.SETTLED, State.APPROVED, ("dispatch",), False),
    ],
)
def test_what_becomes_of_a_revision_after_one_in_each_state(
    before: State, becomes: State, makers: tuple[str, ...], superseded: bool
) -> None:
    found = proposed(revision(3, {"platform:school": 700, "student:a": -700}), [in_state(before)])
    assert found.adjustment.state is becomes
    assert found.adjustment.makers == makers
    assert bool(found.superseded) is superseded
    rest = 100 if before in STANDING else 200
    assert found.adjustment.differences == {"platform:school": -rest, "student:a": rest}


def test_what_is_paid_by_are_the_journals_that_stand() -> None:
    nothing = replace(in_state(State.SETTLED, 4), differences={})
    known = [in_state(State.SETTLED, 2), in_state(State.REJECTED, 3), nothing]
    found = proposed(revision(5, {}), known)
    assert found.adjustment.paid_by == ("flight:F1:1", "adjustment:F1:2")  # the fourth changed nothing


def test_a_repeat_is_nothing_and_another_content_is_refused() -> None:
    known = [in_state(State.POSTED)]
    told = revision(2, {"platform:school": 800, "student:a": -800}, "eve")
    assert proposals.propose(told, FIRST, known, None, TERMS, CAUSE) is None
    other = proposals.propose(replace(told, made_by="x"), FIRST, known, None, TERMS, CAUSE)
    assert isinstance(other, Refusal)
    assert other.reason == "revision_differs"


def test_what_the_ledger_posted_stands_with_its_amounts() -> None:
    journal = PostedJournal(
        source="adjustment:F1:2",
        journal_id=UUID(int=7),
        currency="USD",
        entries={"platform:school": -1, "student:a": 1},
        recorded_at=NOW,
    )
    found = proposed(revision(2, {"platform:school": 800, "student:a": -800}), posted=journal)
    assert (found.adjustment.state, found.who) == (State.POSTED, "ledger")
    assert found.adjustment.differences == journal.entries


ENTRIES = st.dictionaries(st.sampled_from(WALLETS[:-1]), st.integers(-10_000, 10_000), max_size=4).map(
    lambda part: {w: a for w, a in {**part, "platform:school": -sum(part.values())}.items() if a}
)


@given(
    st.lists(st.tuples(ENTRIES, st.sampled_from([State.SETTLED, State.REJECTED, State.POSTED])), max_size=6)
)
def test_after_any_corrections_what_stands_is_the_last_that_stands(
    told: list[tuple[dict[str, int], State]],
) -> None:
    """Differences add up to the revision, whatever was posted, rejected or took no effect before."""
    known: list[Adjustment] = []
    expected = dict(FIRST.entries)
    for number, (entries, end) in enumerate(told, start=2):
        new = proposed(revision(number, entries), known).adjustment
        assert sum(new.differences.values()) == 0
        assert 0 not in new.differences.values()
        known.append(replace(new, state=end))
        expected = entries if end in STANDING else expected
    stands = flights.standing(FIRST, known)
    assert {wallet: amount for wallet, amount in stands.items() if amount} == expected


@settings(deadline=None)
@given(ENTRIES, ENTRIES)
def test_a_correction_and_its_opposite_are_nothing(one: dict[str, int], other: dict[str, int]) -> None:
    there, back = Counter(flights.differences(one, other)), Counter(flights.differences(other, one))
    there.update(back)
    assert not any(there.values())


def test_the_state_table_knows_every_state_and_ends() -> None:
    assert set(TRANSITIONS) == {None, *State}
    assert {state for state in State if State.SUPERSEDED in TRANSITIONS[state]} == UNDECIDED


def test_a_source_names_its_flight_also_when_that_has_colons() -> None:
    assert flight_of("adjustment:N1:2026-05-22:a:3") == "N1:2026-05-22:a"


def test_a_flight_that_goes_back_to_its_first_student_needs_a_person() -> None:
    to_b = in_state(State.POSTED, entries={"platform:school": 900, "student:b": -900})
    found = proposed(revision(3, dict(FIRST.entries)), [to_b])
    assert found.adjustment.state is State.WAITING
    assert found.adjustment.needs == ("student_changed",)
