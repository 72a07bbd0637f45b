"""Which key may go to which address: a live one to Stripe over TLS, plain http on this machine only."""

import pytest

from fleet.stripe_keys import STRIPE, livemode_of, refused_address, shown

LOOPBACK = ("http://127.0.0.1:12111", "http://127.0.0.53", "http://localhost:1", "http://[::1]:12111/")
STRIPES = (STRIPE, f"{STRIPE}/", "https://API.stripe.com:443")
NOWHERE = (
    "http://api.stripe.com",
    "https://api.stripe.com:8443",
    "https://api.stripe.com.example.com",
    "https://api.stripe.com@example.com",
    "https://user:word@api.stripe.com",
    "https://api.stripe.com/v1",
    "https://api.stripe.com\n",
    "https://connect.stripe.com",
    "http://simulator:12111",
    "http://10.0.0.1:12111",
    "http://127.0.0.1.example.com",
    "http://127.0.0.1:1@example.com",
    "http://127.0.0.1:1\\@example.com",
    "http://127.0.0.1:1/path",
    "http://0.0.0.0:12111",
    "http://localhost.example.com",
    "ftp://localhost",
    "api.stripe.com",
    "",
)


@pytest.mark.parametrize("address", STRIPES)
def test_any_key_goes_to_stripe_over_tls(address: str) -> None:
    assert refused_address(address, livemode=True) is None
    assert refused_address(address, livemode=False) is None


@pytest.mark.parametrize("address", LOOPBACK)
def test_only_a_test_key_goes_to_a_simulator_on_this_machine(address: str) -> None:
    assert refused_address(address, livemode=False) is None
    assert "a live key goes to https://api.stripe.com only" in str(refused_address(address, livemode=True))


@pytest.mark.parametrize("address", NOWHERE)
@pytest.mark.parametrize("livemode", [True, False])
def test_no_key_goes_anywhere_else(address: str, livemode: bool) -> None:
    sentence = refused_address(address, livemode=livemode)
    assert sentence is not None
    assert "word" not in sentence, "what stands before the host is not shown"


@pytest.mark.parametrize(
    ("key", "livemode"),
    [
        ("sk_live_not_a_key", True),
        ("rk_live_not_a_key", True),
        ("sk_test_1", False),
        ("rk_test_1", False),
        ("pk_test_1", None),
        ("whsec_1", None),
        ("", None),
        (" sk_test_1", None),
    ],
)
def test_the_mode_is_in_the_keys_prefix(key: str, livemode: bool | None) -> None:
    assert livemode_of(key) is livemode


def test_an_address_is_shown_without_what_may_be_secret() -> None:
    assert shown("https://user:word@example.com:8443/path?q=1") == "https://example.com"
    assert shown("http://[") == "that address"
