"""Whose address a request comes from, when proxies of the school stand in front of the console."""

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

from starlette.requests import HTTPConnection

HOME_BITS: Final = 64  # of IPv6: whoever has one address there has all of its network
KEY_CHARS_MAX: Final = 64

Network = IPv4Network | IPv6Network


def address_of(request: HTTPConnection, trusted: Sequence[Network]) -> str:
    """Who asks: the nearest address that is no proxy of ours.

    Each proxy appends whom it heard to X-Forwarded-For; what stands left of a stranger's address is whatever
    that stranger wrote. Nothing is read unless the connection itself comes from a trusted network.
    """
    nearest = request.client.host if request.client else ""
    named = [
        one.strip() for header in request.headers.getlist("x-forwarded-for") for one in header.split(",")
    ]
    while named and _is_in(nearest, trusted):
        nearest = named.pop()
    return _home_of(nearest)


def _is_in(address: str, networks: Sequence[Network]) -> bool:
    try:
        found = ip_address(address)
    except ValueError:
        return False
    return any(found in network for network in networks)


def _home_of(address: str) -> str:
    """One key for all addresses that one person has; a text that is no address is its own key."""
    try:
        found = ip_address(address)
    except ValueError:
        return address[:KEY_CHARS_MAX]
    if isinstance(found, IPv6Address) and found.ipv4_mapped is None:
        return str(ip_network((found, HOME_BITS), strict=False))
    return str(getattr(found, "ipv4_mapped", None) or found)


def networks_of(text: str) -> tuple[Network, ...]:
    """Networks from a list with commas, such as "10.0.0.0/8, ::1". Raises ValueError naming the wrong one."""
    return tuple(ip_network(one.strip()) for one in text.split(",") if one.strip())
