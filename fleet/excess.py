"""Rights that our roles have and should not: all beyond fleet.grants, in this database and on its server.

`hobbs migrate` takes them back, `hobbs doctor` names them. What is wanted is what the code says, not what a
first migration happened to leave: a right that somebody gave, to a role, to a column or to everybody, stands
out. Roles that are not ours (`hobbs_…`) are their owner's business, unless they may act as one of ours.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, text

from fleet import beside
from fleet.database import Tx
from fleet.functions import run_script
from fleet.grants import Grant, wanted_grants

_RIGHTS: Final = (Path(__file__).parent / "sql" / "rights.sql").read_text(encoding="utf-8")
_ROLES: Final = (Path(__file__).parent / "sql" / "roles.sql").read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True, kw_only=True)
class Excess:
    """Something a role has and should not; `statement` takes it away, and is empty where a person must."""

    sentence: str
    statement: str


def _wanted(services: Sequence[str]) -> list[Grant]:
    """What is wanted in the services' schemas, and in those that are rebuilt beside (fleet/beside.py)."""
    wanted = [grant for service in services for grant in wanted_grants(service)]
    return wanted + [replace(grant, schema=beside.twin(grant.schema)) for grant in wanted]


def _parameters(services: Sequence[str]) -> dict[str, Any]:
    wanted = _wanted(services)
    return {
        "services": list(services),
        "roles": [grant.role for grant in wanted],
        "privileges": [grant.privilege for grant in wanted],
        "kinds": [grant.kind for grant in wanted],
        "schemas": [grant.schema for grant in wanted],
        "names": [grant.name for grant in wanted],
        "details": [grant.detail for grant in wanted],
    }


def _excess(rows: Sequence[Any]) -> list[Excess]:
    return [Excess(sentence=row.sentence, statement=row.statement) for row in rows]


async def excess_rights(tx: Tx, services: Sequence[str]) -> list[Excess]:
    """What the roles of Hobbs, and everybody, may do beyond what is wanted; `services` are all there are."""
    rows = await tx.all(_RIGHTS, **_parameters(services))
    return _excess([*rows, *await tx.all(_ROLES, services=list(services))])


def take_excess_away(connection: Connection, services: Sequence[str]) -> list[Excess]:
    """Take back what is beyond the wanted; all that was found. What only a person can mend stays."""
    rows = [
        *connection.execute(text(_RIGHTS), _parameters(services)).all(),
        *connection.execute(text(_ROLES), {"services": list(services)}).all(),
    ]
    found = _excess(rows)
    for one in found:
        if one.statement:
            run_script(connection, one.statement)
    return found
