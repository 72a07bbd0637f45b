"""What the inbox hands to a handler, and what a refusal of it goes back with."""

from typing import Generic, NamedTuple, TypeVar
from uuid import UUID

from fleet.cause import Cause
from fleet.envelope import Record

T = TypeVar("T")


class Admitted(NamedTuple, Generic[T]):
    """A new, readable record and what was read from it."""

    event: T
    record: Record
    event_key: UUID
    cause: Cause
