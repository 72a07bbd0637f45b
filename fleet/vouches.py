"""Who stands behind a decision: the login of the database that vouched for it beforehand.

Whoever may write to Kafka can write any name into a decision. `<service>_public.vouch` keeps the session's
own login beside the decision's id and the hash of its body, and nobody can write another's. Once people have
logins of their own (fleet/logins.py), a decision that no login vouches for is refused, and the name of a
person who logged in as themselves is their login's, whatever the decision says.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Final
from uuid import UUID

from fleet.database import Tx

PERSON: Final = "person_"  # how logins of people begin; the rest is the name
CONSOLE_LOGIN: Final = "hobbs_console"  # it knows people by its own sign-in

_VOUCH: Final = "SELECT vouch(:id, :digest)"
_ASKED: Final = """
    SELECT login, roles FROM asked_decision WHERE decision_id = :id AND body_sha256 = :digest
"""
_VOUCHED: Final = """
    SELECT decision_id FROM asked_decision
    JOIN unnest(CAST(:ids AS uuid[]), CAST(:digests AS bytea[])) AS said (id, digest)
      ON decision_id = said.id AND body_sha256 = said.digest
    WHERE roles && ARRAY['operator', 'finance']
"""
# Logins of people to this database: who may connect to it by name, and logs in.
_PEOPLE: Final = """
    SELECT rolname FROM pg_roles
    WHERE starts_with(rolname, :person) AND rolcanlogin
      AND oid IN (SELECT a.grantee FROM pg_database, aclexplode(datacl) AS a
                  WHERE datname = current_database())
"""
_DECIDERS: Final = """
    SELECT count(*) AS logins FROM pg_roles
    WHERE starts_with(rolname, :person) AND rolcanlogin
      AND (pg_has_role(oid, 'hobbs_operator', 'USAGE') OR pg_has_role(oid, 'hobbs_finance', 'USAGE'))
      AND oid IN (SELECT a.grantee FROM pg_database, aclexplode(datacl) AS a
                  WHERE datname = current_database())
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vouched:
    """Who asks, as far as it is proven. login: None where nobody vouched, which is enough while nobody has a
    login of their own."""

    name: str
    roles: frozenset[str]
    login: str | None


async def vouch(tx: Tx, decision_id: UUID, body: bytes) -> None:
    """Say that this session's login asks for a decision; `tx` sees the schema `<service>_public`."""
    await tx.execute(_VOUCH, id=decision_id, digest=digest_of(body))


async def vouched(tx: Tx, said: Mapping[UUID, bytes]) -> set[UUID]:
    """Of what was said by id and body, the ids for which a login vouches that decides about money."""
    rows = await tx.all(_VOUCHED, ids=list(said), digests=[digest_of(body) for body in said.values()])
    return {row.decision_id for row in rows}


async def people(tx: Tx) -> set[str]:
    """The logins of people to this database, by which they log in as themselves."""
    return {row.rolname for row in await tx.all(_PEOPLE, person=PERSON)}


async def deciders(tx: Tx) -> int:
    """How many people have a login of their own by which they decide about money (fleet/logins.py)."""
    return int((await tx.one(_DECIDERS, person=PERSON)).logins)


async def who_asks(
    tx: Tx, decision_id: UUID, body: bytes, *, name: str, roles: frozenset[str]
) -> Vouched | str:
    """Who asks for a decision of this service, or why it is refused. name, roles: as the decision says."""
    asked = await tx.first(_ASKED, id=decision_id, digest=digest_of(body))
    login: str | None = asked.login if asked else None
    if asked is not None and login is not None and login.startswith(PERSON):
        return Vouched(name=login.removeprefix(PERSON), roles=frozenset(asked.roles), login=login)
    own = await people(tx)
    if own and login is None:
        return "no login of the database vouches for it, and people have logins of their own: ask as yourself"
    if PERSON + name.strip(" ").lower() in own and login != CONSOLE_LOGIN:
        return f"{name} has a login of their own, and this was asked as {login}"
    return Vouched(name=name, roles=roles, login=login)


def digest_of(body: bytes) -> bytes:
    """What is kept of a decision's body beside its login."""
    return sha256(body).digest()
