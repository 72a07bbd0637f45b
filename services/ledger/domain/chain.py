"""The hash chain over the journals: each link's hash is of the link before it and of one journal."""

import re
from dataclasses import dataclass
from typing import Final
from uuid import UUID

_HEAD: Final = re.compile(r"(?P<position>[1-9][0-9]{0,17}):(?P<hash>[0-9a-f]{64})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The newest link of the chain, or of a verified part of it. A copy of it proves every link before."""

    position: int
    hash: bytes

    def __str__(self) -> str:
        return f"{self.position}:{self.hash.hex()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenLink:
    """The first link that does not verify. Without a journal: a link is missing, or the noted head is."""

    position: int
    why: str
    journal_id: UUID | None = None
    source: str | None = None


START: Final = Head(position=0, hash=b"")


def read_head(text: str) -> Head:
    """Read POSITION:HASH, as a head writes itself. Raises ValueError."""
    found = _HEAD.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is not POSITION:HASH")
    return Head(position=int(found["position"]), hash=bytes.fromhex(found["hash"]))
