"""A sign-in is counted by the address of whoever signs in, not of a proxy nor of whom they claim to be."""

import pytest
from starlette.requests import HTTPConnection

from console.addresses import address_of, networks_of

PROXIES = networks_of("10.1.0.0/16, fd00::/8")


def request(peer: str, *forwarded: str) -> HTTPConnection:
    headers = [(b"x-forwarded-for", one.encode()) for one in forwarded]
    return HTTPConnection({"type": "http", "client": (peer, 4242), "headers": headers})


@pytest.mark.parametrize(
    ("peer", "forwarded", "counted"),
    [
        ("203.0.113.7", [], "203.0.113.7"),
        ("203.0.113.7", ["198.51.100.1"], "203.0.113.7"),  # a stranger names somebody else
        ("10.1.0.4", ["198.51.100.1"], "198.51.100.1"),
        ("10.1.0.4", ["192.0.2.9, 198.51.100.1"], "198.51.100.1"),  # the left one is the stranger's word
        ("10.1.0.4", ["192.0.2.9", "198.51.100.1, 10.1.0.3"], "198.51.100.1"),  # two proxies, two headers
        ("10.1.0.4", ["10.1.0.3"], "10.1.0.3"),  # from within
        ("10.1.0.4", [], "10.1.0.4"),
        ("10.1.0.4", ["nonsense"], "nonsense"),
        ("fd00::2", ["2001:db8:1:2:3:4:5:6"], "2001:db8:1:2::/64"),  # one home has all of a /64
        ("::ffff:203.0.113.7", [], "203.0.113.7"),
    ],
)
def test_the_nearest_stranger_is_who_asks(peer: str, forwarded: list[str], counted: str) -> None:
    assert address_of(request(peer, *forwarded), PROXIES) == counted


def test_without_trusted_proxies_no_header_is_read() -> None:
    assert address_of(request("127.0.0.1", "198.51.100.1"), ()) == "127.0.0.1"


def test_a_wrong_network_is_named() -> None:
    with pytest.raises(ValueError, match=r"10\.1\.0\.4/16"):
        networks_of("::1, 10.1.0.4/16")
