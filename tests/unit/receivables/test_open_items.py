"""What is open of a student's items, whatever they are."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.receivables.domain.open_items import Item, open_amounts

DAY = date(2026, 6, 1)


@st.composite
def accounts(draw: st.DrawFn) -> list[Item]:
    rows = draw(st.lists(st.tuples(st.integers(0, 40), st.integers(-500, 500)), max_size=30))
    left = sum(max(amount, 0) for _, amount in rows)
    items = []
    for n, (due, amount) in enumerate(rows):
        named = draw(st.integers(0, min(max(-amount, 0), left)))
        left -= named
        items.append(Item(DAY + timedelta(days=due), f"d{n}", amount, named))
    return items


@given(accounts())
def test_what_is_open_sums_to_the_balance_and_stands_on_one_side(items: list[Item]) -> None:
    found = open_amounts(items)
    assert sum(found.values()) == sum(item.amount for item in items)
    assert len({amount > 0 for amount in found.values()}) <= 1


@given(accounts())
def test_no_more_of_an_item_is_open_than_its_amount(items: list[Item]) -> None:
    amounts = {item.document: item.amount for item in items}
    for document, left in open_amounts(items).items():
        assert left
        assert abs(left) <= abs(amounts[document])
        assert (left > 0) is (amounts[document] > 0)


@given(accounts(), st.randoms())
def test_the_order_in_which_items_are_known_does_not_matter(items: list[Item], chance: object) -> None:
    shuffled = list(items)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    assert open_amounts(shuffled) == open_amounts(items)


@given(accounts())
def test_payments_go_to_what_is_due_first(items: list[Item]) -> None:
    """From the oldest on, as much is settled as there is on the other side: told once more, the other way.

    What is named comes first.
    """
    found = open_amounts(items)
    for side in (-1, 1):
        left = sum(max(-side * item.amount, 0) for item in items)
        left -= sum(item.named for item in items) if side == -1 else 0
        for item in sorted(items):
            mine = max(side * item.amount, 0)
            first = item.named if side == -1 else 0
            settled = min(mine - first, left)
            left -= settled
            settled += first
            assert abs(found.get(item.document, 0)) == mine - settled or not mine
