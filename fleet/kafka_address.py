"""Who may stand between us and the brokers, before money of people is moved on what they hand over."""

from collections.abc import Mapping
from typing import Any

from fleet.hosts import is_this_machine, named_hosts


def refused_brokers(told: Mapping[str, Any]) -> str | None:
    """Why a live deployment may not use the brokers of these settings; None when it may.

    told: the settings of Kafka that are known already. Brokers ask for a login, or are on this machine, or
    somebody named each as a host that nobody else reaches.
    """
    if asks_who_writes(told):
        return None
    open_to_others = reached_by_others(
        str(told.get("kafka_bootstrap", "")), private=str(told.get("kafka_private_hosts", ""))
    )
    if not open_to_others:
        return None
    return (
        f"{open_to_others[0]} asks nobody who writes to Kafka, and who writes there has live money paid: set "
        "HOBBS_KAFKA_SECURITY_PROTOCOL=SASL_SSL with a user and a password (hobbs kafka acls makes them); or "
        f"name {open_to_others[0]} in HOBBS_KAFKA_PRIVATE_HOSTS when nobody else reaches it"
    )


def asks_who_writes(told: Mapping[str, Any]) -> bool:
    """Whether the brokers are given a login, or over TLS a certificate of this client."""
    protocol = str(told.get("kafka_security_protocol", ""))
    return protocol.startswith("SASL") or (
        protocol == "SSL" and told.get("kafka_certificate_file") is not None
    )


def reached_by_others(bootstrap: str, *, private: str) -> list[str]:
    """The hosts of `bootstrap` that are neither this machine nor among the names of `private`."""
    hosts = [_host(address) for address in bootstrap.split(",")]
    return [host for host in hosts if host not in named_hosts(private) and not is_this_machine(host)]


def _host(address: str) -> str:
    """The host of `host:port`, `[::1]:port` or `host`."""
    host, colon, port = address.strip().rpartition(":")
    return (host if colon and port.isdigit() and not host.endswith(":") else address.strip()).strip("[]")
