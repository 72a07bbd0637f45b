"""asyncpg's connection, which asks for the types that are in every PostgreSQL once for each process.

The driver knows text[] by itself, but not uuid[], bytea[] or timestamptz[]: each new connection asks the
server about those of a statement, 8 to 11 ms of the server's processor each time. Object ids below 10,000 are
written in PostgreSQL's sources and name the same type in every database and version.
"""

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

import asyncpg

ASSIGNED_BELOW: Final = 10_000  # FirstGenbkiObjectId in PostgreSQL's access/transam.h
_told: Final[dict[frozenset[int], Any]] = {}


class _Remembered(NamedTuple):
    """In place of the statement that asked: the driver looks whether its own was lost to an unnamed one."""

    name: str = "remembered"


class Connection(asyncpg.Connection):  # type: ignore[misc]  # the driver has no types
    """What `connection_class` of the driver's `connect` and `create_pool` is for."""

    async def _introspect_types(self, typeoids: Iterable[int], timeout: float) -> Any:  # noqa: ASYNC109 - the driver's
        asked = frozenset(typeoids)
        if asked not in _told:
            rows, statement = await super()._introspect_types(asked, timeout)
            if any(row["oid"] >= ASSIGNED_BELOW for row in rows):
                return rows, statement
            _told[asked] = rows
        return _told[asked], _Remembered()
