"""Stripe's amounts and the books' are two writings of the same money."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.money import minor_digits
from fleet.stripe_amounts import (
    InexactAmount,
    from_stripe,
    payable_out,
    sendable,
    to_stripe,
    whole_from_stripe,
)

ZERO = "BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF".split()  # noqa: SIM905
THREE = ["BHD", "JOD", "KWD", "OMR", "TND"]
ALL = [*ZERO, *THREE, "ISK", "UGX", "HUF", "TWD", "USD", "EUR", "ZZZ"]


@pytest.mark.parametrize(
    ("currency", "books", "stripe"),
    [("USD", 1234, 1234), ("JPY", 1234, 1234), ("UGX", 12, 1200), ("isk", 12, 1200), ("KWD", 50, 50)],
)
def test_an_amount_is_the_same_money_at_stripe(currency: str, books: int, stripe: int) -> None:
    assert to_stripe(books, currency) == stripe
    assert from_stripe(stripe, currency) == books


@pytest.mark.parametrize("currency", ["ISK", "UGX"])
def test_a_fraction_that_the_books_cannot_write_is_refused_and_not_rounded(currency: str) -> None:
    with pytest.raises(InexactAmount):
        from_stripe(1050, currency)
    assert whole_from_stripe(1050, currency) == 10
    assert whole_from_stripe(-1050, currency) == -11


@given(st.integers(-(10**12), 10**12), st.sampled_from(ALL))
def test_what_goes_to_stripe_comes_back_as_it_was(amount: int, currency: str) -> None:
    assert from_stripe(to_stripe(amount, currency), currency) == amount


@given(st.integers(0, 10**12), st.sampled_from(ALL))
def test_what_is_sent_follows_stripes_rules_and_leaves_less_than_one_step(amount: int, currency: str) -> None:
    sent, paid_out = to_stripe(sendable(amount, currency), currency), payable_out(amount, currency)
    assert sent % (10 if currency in THREE else 100 if currency in ("ISK", "UGX") else 1) == 0
    whole = {"HUF", "TWD", "ISK", "UGX"}
    assert to_stripe(paid_out, currency) % (100 if currency in whole else 10 if currency in THREE else 1) == 0
    assert 0 <= amount - sendable(amount, currency) < 10
    assert 0 <= amount - paid_out < 100


@pytest.mark.parametrize("currency", [*sorted(set(ZERO) - {"MGA"}), "ISK", "UGX"])
def test_iso_s_currencies_without_decimals_have_none_in_the_books(currency: str) -> None:
    assert minor_digits(currency) == 0
