"""Hosts of settings: whether one is this machine, and lists of them."""

import ipaddress


def is_this_machine(host: str) -> bool:
    """Whether nothing leaves this machine on the way to the host."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def named_hosts(text: str) -> list[str]:
    """The exact names of a list with commas."""
    return [host.strip() for host in text.split(",")]
