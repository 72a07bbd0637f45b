"""The proof that a record was published by the service that it names: a MAC over it, in a header.

Brokers keep to a topic those who may write there; which of several publishers wrote a record they do not say,
and who has a service's login at the brokers is not that service. Each publisher has a key of its own, from
which follows one for each topic; its relay makes the proof. A reader has the keys of the topics that it
reads, and so can prove nothing elsewhere. Without keys nothing is asked for: a live service does not start
so (docs/decisions/0330).
"""

import hmac
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from pydantic import SecretStr

from fleet.attestation_keys import CHARS_MIN
from fleet.envelope import CONTENT_HEADER, OWN_SOURCES, Record

PROOF: Final = "hobbs_proof"
NAME: Final = "HOBBS_PUBLISHERS_KEYS"
OWN_NAME: Final = "HOBBS_PUBLISHER_KEY"
_FACTS: Final = ("ce_source", "ce_id", CONTENT_HEADER)  # who says it, which event it is, what a repeat equals

Keys = Mapping[tuple[str, str], Sequence[bytes]]  # of each publisher and topic


class Proved(Protocol):
    """What is asked of a topic's records (schemas/proved.py)."""

    @property
    def by(self) -> Collection[str]: ...
    @property
    def others(self) -> bool: ...
    @property
    def foreign(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Publishers:
    """Whom a service believes: the keys that it knows, and the topics whose records are proved."""

    keys: Keys = field(default_factory=dict)
    topics: Mapping[str, Proved] = field(default_factory=dict)

    def asked(self, topic: str) -> bool:
        """Whether records of the topic are to be proved here."""
        return bool(self.keys) and topic in self.topics

    def writer(self, record: Record) -> str | None:
        """Which service wrote a record, as its proof says; None when no key of the one named made it."""
        named = record.headers.get("ce_source", "")
        service = named.removeprefix(OWN_SOURCES) if named.startswith(OWN_SOURCES) else ""
        if service not in self.topics[record.topic].by:
            return None
        given = record.headers.get(PROOF, "").encode()
        facts = [record.headers.get(name, "").encode() for name in _FACTS]
        for key in self.keys.get((service, record.topic), ()):
            if hmac.compare_digest(_mac(key, record.topic, facts, record.key, record.value), given):
                return service
        return None


def with_proof(
    key: bytes,
    topic: str,
    headers: Sequence[tuple[str, bytes]],
    record_key: bytes | None,
    value: bytes | None,
) -> list[tuple[str, bytes]]:
    """The headers of a record with its proof behind them. key: the topic's."""
    said = dict(headers)
    facts = [said.get(name, b"") for name in _FACTS]
    return [*headers, (PROOF, _mac(key, topic, facts, record_key, value))]


def key_of_topic(key: bytes, topic: str) -> bytes:
    """A publisher's key of one topic (schemas/proved.py)."""
    return hmac.digest(key, f"hobbs topic 1 {topic}".encode(), "sha256").hex().encode()


def _mac(
    key: bytes, topic: str, facts: Iterable[bytes], record_key: bytes | None, value: bytes | None
) -> bytes:
    """Over each part with its length before it, so that no two records have the same bytes."""
    parts = (b"hobbs request 1", topic.encode(), *facts, record_key, value)
    said = b"".join(b"-," if part is None else b"%d:%b," % (len(part), part) for part in parts)
    return hmac.digest(key, said, "sha256").hex().encode()


def key_of(setting: SecretStr) -> bytes:
    """A publisher's own key, the first of those in the setting; empty: it proves nothing."""
    return setting.get_secret_value().partition(",")[0].strip().encode()


def keys_of_publishers(setting: SecretStr) -> Keys:
    """Read `<service>/<topic>:<key>,…`; all of one topic are accepted. Raises ValueError, showing no key."""
    keys: dict[tuple[str, str], list[bytes]] = {}
    pieces = [piece.strip() for piece in setting.get_secret_value().split(",")]
    for number, piece in enumerate([piece for piece in pieces if piece], 1):
        name, colon, key = piece.partition(":")
        service, slash, topic = name.partition("/")
        if not (service and slash and topic and colon):
            raise ValueError(f"entry {number} of {NAME} is not <service>/<topic>:<key>")
        keys.setdefault((service, topic), []).append(strong(key, f"key {number} of {NAME}").encode())
    return keys


def strong(key: str, what: str) -> str:
    """The key. Raises ValueError when it is too short to be one."""
    if len(key) < CHARS_MIN:
        raise ValueError(f"{what} is shorter than {CHARS_MIN} characters")
    return key


def missing_keys(told: Mapping[str, Any], *, reads: bool) -> str | None:
    """Why a live service does not start: it would believe who is not who they say, or not be believed."""
    missing = [
        name
        for name, setting, needed in ((OWN_NAME, "publisher_key", True), (NAME, "publishers_keys", reads))
        if needed and not told.get(setting, SecretStr("")).get_secret_value().strip()
    ]
    if not missing:
        return None
    return (
        f"a live deployment needs {' and '.join(missing)}: without proofs, whoever writes to Kafka as one "
        "service is believed by the others, and moves money (docs/operations/secrets.md)"
    )
