"""The proof that a request was published by the service that it names: a MAC over the record, in a header.

Brokers keep to a topic those who may write there; which of several publishers wrote a record they do not say.
Each publisher has a key of its own and its relay makes the proof; the reader has the keys of all. Without
them nothing is asked for: a live ledger does not start so (docs/decisions/0325).
"""

import hmac
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from pydantic import SecretStr

from fleet.attestation_keys import CHARS_MIN
from fleet.envelope import CONTENT_HEADER, OWN_SOURCES, Record

PROOF: Final = "hobbs_proof"
# Topics on which the ledger is asked to move money. A test compares this with the table of topics.
PROVED: Final = frozenset({"journal.requested", "revert.requested"})
NAME: Final = "HOBBS_PUBLISHERS_KEYS"
NOT_PROVED: Final = "not_proved"
NOT_PROVED_SENTENCE: Final = (
    f"no key of {NAME} made the record's proof: the service that it names did not write it, or wrote it "
    "before it had the key; docs/operations/secrets.md says how to read such records again"
)
_FACTS: Final = ("ce_source", "ce_id", CONTENT_HEADER)  # who says it, which event it is, what a repeat equals

Keys = Mapping[str, Sequence[bytes]]  # of each publisher, by its name
NO_KEYS: Final[Keys] = {}


def with_proof(
    key: bytes,
    topic: str,
    headers: Sequence[tuple[str, bytes]],
    record_key: bytes | None,
    value: bytes | None,
) -> list[tuple[str, bytes]]:
    """The headers of a record with its proof behind them."""
    said = dict(headers)
    facts = [said.get(name, b"") for name in _FACTS]
    return [*headers, (PROOF, _mac(key, topic, facts, record_key, value).encode())]


def publisher(record: Record, keys: Keys) -> str | None:
    """Which service wrote a record, as its proof says; None when no key of the one that it names made it."""
    named = record.headers.get("ce_source", "")
    service = named.removeprefix(OWN_SOURCES) if named.startswith(OWN_SOURCES) else ""
    given = record.headers.get(PROOF, "").encode()
    facts = [record.headers.get(name, "").encode() for name in _FACTS]
    for key in keys.get(service, ()):
        if hmac.compare_digest(_mac(key, record.topic, facts, record.key, record.value).encode(), given):
            return service
    return None


def _mac(
    key: bytes, topic: str, facts: Iterable[bytes], record_key: bytes | None, value: bytes | None
) -> str:
    """Over each part with its length before it, so that no two records have the same bytes."""
    parts = (b"hobbs request 1", topic.encode(), *facts, record_key, value)
    said = b"".join(b"-," if part is None else b"%d:%b," % (len(part), part) for part in parts)
    return hmac.digest(key, said, "sha256").hex()


def key_of(setting: SecretStr) -> bytes:
    """A publisher's own key; empty: it proves nothing."""
    return setting.get_secret_value().strip().encode()


def keys_of_publishers(setting: SecretStr) -> Keys:
    """Read `<service>:<key>,…`; all of one service are accepted. Raises ValueError, showing no key."""
    keys: dict[str, list[bytes]] = {}
    pieces = [piece.strip() for piece in setting.get_secret_value().split(",")]
    for number, piece in enumerate([piece for piece in pieces if piece], 1):
        service, colon, key = piece.partition(":")
        if not (service and colon):
            raise ValueError(f"entry {number} of {NAME} is not <service>:<key>")
        keys.setdefault(service, []).append(strong(key, f"key {number} of {NAME}").encode())
    return keys


def strong(key: str, what: str) -> str:
    """The key. Raises ValueError when it is too short to be one."""
    if len(key) < CHARS_MIN:
        raise ValueError(f"{what} is shorter than {CHARS_MIN} characters")
    return key
