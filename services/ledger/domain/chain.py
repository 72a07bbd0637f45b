"""The hash chain over the journals: its newest link, and the first that is not what it should be."""

import re
from dataclasses import dataclass
from typing import Final
from uuid import UUID

_HEAD: Final = re.compile(r"(?P<position>[1-9][0-9]{0,17}):(?P<hash>[0-9a-f]{64})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The end of the chain, or of a verified part of it. Noted elsewhere, it vouches for all before it."""

    position: int
    hash: bytes

    def __str__(self) -> str:
        return f"{self.position}:{self.hash.hex()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """The first link that is not what it should be. No journal: a link is missing, or the noted head."""

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
