"""SQL of the logins to this database: who may act as one of our roles, and when that was seen to change."""

from typing import Final

from fleet.database import Tx

_LOCK: Final = "SELECT pg_advisory_xact_lock(hashtextextended('login_seen', 0))"
# Every role that logs in to this database and may act as one of ours, through whatever memberships.
_LOOK: Final = """
    WITH there AS (
        SELECT login.rolname AS login,
               CASE WHEN login.rolsuper THEN 'everybody'
                    ELSE coalesce(string_agg(ours.rolname, ', ' ORDER BY ours.rolname), '') END AS may_act_as
        FROM pg_roles AS login
        LEFT JOIN pg_roles AS ours ON starts_with(ours.rolname, 'hobbs_') AND ours.oid <> login.oid
                                  AND pg_has_role(login.oid, ours.oid, 'MEMBER')
        WHERE login.rolcanlogin AND has_database_privilege(login.oid, current_database(), 'CONNECT')
          AND (ours.oid IS NOT NULL OR starts_with(login.rolname, 'hobbs_') OR login.rolsuper)
        GROUP BY login.oid, login.rolname, login.rolsuper
    ), known AS (
        SELECT DISTINCT ON (login) login, may_act_as FROM login_seen ORDER BY login, id DESC
    )
    INSERT INTO login_seen (login, may_act_as, at_first)
    SELECT coalesce(there.login, known.login), there.may_act_as, NOT EXISTS (SELECT FROM login_seen)
    FROM there FULL JOIN known ON known.login = there.login
    WHERE there.may_act_as IS DISTINCT FROM known.may_act_as
"""
_CHANGED: Final = """
    SELECT count(*) AS changed FROM login_seen
    WHERE NOT at_first AND seen_at > now() - make_interval(mins => :minutes)
"""


async def look(tx: Tx) -> None:
    """Note each login that came, went or may act as others since the last look."""
    await tx.execute(_LOCK)
    await tx.execute(_LOOK)


async def changed_within(tx: Tx, minutes: int) -> int:
    """How many changes were seen within so many minutes."""
    return int((await tx.one(_CHANGED, minutes=minutes)).changed)
