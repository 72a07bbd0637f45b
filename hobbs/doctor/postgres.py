"""Examines PostgreSQL: version, clock, durability, roles, rights, migrations, outboxes, dead letters."""

import time
from typing import Any, Final

from asyncpg import PostgresError
from sqlalchemy import URL, Row
from sqlalchemy.exc import DBAPIError

from fleet.database import Database
from fleet.database_url import VERIFIED, is_local, mode, read_url
from fleet.excess import excess_rights
from fleet.grants import OPERATOR, READER, missing_grants
from fleet.invariants import named_invariant
from fleet.revisions import migrated, pending_migrations
from fleet.settings import Settings
from fleet.vouches import people
from hobbs.doctor.findings import Finding, ok, warning, wrong
from hobbs.doctor.sessions import examine_sessions
from hobbs.shell.connections import acting_as, why

VERSION_MIN: Final = 180000  # uuidv7() came with 18
SKEW_S_MAX: Final = 2.0
OUTBOX_AGE_S_MAX: Final = 60.0
CONNECTIONS_SPARE_MIN: Final = 10
BY_HAND: Final = "nobody of ours made it: look what it is, then drop it or give it to the owner"
MIGRATE: Final = "run `hobbs migrate` as the database's owner"

_SERVER = """
    SELECT current_setting('server_version') AS version, current_setting('server_version_num')::int AS number,
           extract(epoch FROM clock_timestamp())::float8 AS now, pg_is_in_recovery() AS is_replica,
           current_setting('synchronous_commit') AS synchronous_commit, current_setting('fsync') AS fsync,
           current_setting('max_connections')::int AS connections_max,
           (SELECT count(*) FROM pg_stat_activity WHERE usename IS NOT NULL) AS connections,
           (SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid()) AS tls,
           current_user AS login
"""
_ROLES = """
    SELECT rolname AS role, rolcanlogin AS logs_in, rolsuper AS is_superuser,
           pg_has_role(current_user, oid, 'SET') AS may_act
    FROM pg_roles WHERE rolname = ANY (CAST(:roles AS text[]))
"""
# A service may use its own schema and read `*_public`; any other grant was made by hand.
_TRESPASSES = """
    SELECT role, schema_name FROM unnest(CAST(:roles AS text[])) AS role
    CROSS JOIN unnest(CAST(:schemas AS text[])) AS schema_name
    WHERE role <> 'hobbs_' || schema_name
      AND EXISTS (SELECT 1 FROM pg_namespace WHERE nspname = schema_name)
      AND has_schema_privilege(role, schema_name, 'USAGE')
"""
_REWRITABLE = """
    SELECT pg_class.relname AS table_name, privilege
    FROM pg_class JOIN pg_namespace ON pg_namespace.oid = pg_class.relnamespace
    CROSS JOIN unnest(ARRAY['UPDATE', 'DELETE', 'TRUNCATE']) AS privilege
    WHERE nspname = 'ledger' AND pg_class.relname IN ('journal', 'entry') AND pg_class.relkind IN ('r', 'p')
      AND has_table_privilege('hobbs_ledger', pg_class.oid, privilege)
"""
_WAITING = """
    SELECT (SELECT count(*) FROM outbox) AS outbox_rows,
           (SELECT coalesce(extract(epoch FROM now() - min(staged_at)), 0)::float8 FROM outbox)
               AS outbox_age_s, pg_total_relation_size('outbox_sent') AS log_bytes,
           (SELECT count(*) FROM dead_letter WHERE state = 'open') AS dead_letters
"""


# What `hobbs migrate` gives beside the rights on objects; the operator reads what services publish.
_MEMBERSHIPS = """
    SELECT role, 'CONNECT on this database' AS what FROM unnest(CAST(:roles AS text[])) AS role
    WHERE NOT has_database_privilege(role, current_database(), 'CONNECT')
    UNION ALL
    SELECT CAST(:operator AS text), 'membership in ' || CAST(:reader AS text)
    WHERE NOT pg_has_role(CAST(:operator AS text), CAST(:reader AS text), 'USAGE')
"""
_RELAY_STOP = "SELECT since, sentence FROM relay_stop WHERE since IS NOT NULL"


async def examine_postgres(settings: Settings) -> list[Finding]:
    database = Database(settings.database_url.get_secret_value(), schema="public", pool_size=1)
    place = f"{database.url.host}:{database.url.port or 5432}/{database.url.database}"
    try:
        findings = await _server(database, place, settings)
        roles, usable = await _roles(database)
        findings += roles
        if usable:
            findings += await _privileges(database)
        findings += await examine_sessions(database)
    except (OSError, DBAPIError, PostgresError) as error:
        fix = "start it, or correct HOBBS_DATABASE_URL (host, port, name, role, password)"
        return [wrong("postgres", f"{place}: {why(error)}", fix)]
    finally:
        await database.close()
    for service in usable:
        findings += await _service(settings, service)
    return findings


async def _server(database: Database, place: str, settings: Settings) -> list[Finding]:
    async with database.transaction() as tx:
        await tx.one("SELECT 1")  # the time to connect must not count as clock skew
        before = time.time()
        row = await tx.one(_SERVER)
        after = time.time()
    return [
        _version(row, place),
        _skew(row.now - (before + after) / 2),
        *_durability(row),
        _connections(row),
        *_way(read_url(settings.database_url.get_secret_value()), row),
    ]


def _version(row: Row[Any], place: str) -> Finding:
    found = f"PostgreSQL {row.version} at {place}, as {row.login}"
    if row.number < VERSION_MIN:
        return wrong("postgres", found, "PostgreSQL 18 or newer is needed")
    return ok("postgres", found)


def _skew(seconds: float) -> Finding:
    found = f"its clock is {seconds:+.3f} s from this machine's"
    if abs(seconds) > SKEW_S_MAX:
        return wrong("postgres", found, "keep both clocks with NTP: leases and webhook ages depend on them")
    return ok("postgres", found)


def _durability(row: Row[Any]) -> list[Finding]:
    findings = []
    if row.is_replica:
        findings.append(
            wrong("postgres", "it is a read-only replica", "name the primary in HOBBS_DATABASE_URL")
        )
    if row.fsync != "on" or row.synchronous_commit == "off":
        found = f"fsync={row.fsync}, synchronous_commit={row.synchronous_commit}: a crash can lose commits"
        findings.append(wrong("postgres", found, "set both to on: this is money"))
    return findings or [ok("postgres", "commits are durable (fsync, synchronous_commit)")]


def _way(url: URL, row: Row[Any]) -> list[Finding]:
    """What somebody between this machine and the database could do; nothing to say of this machine's own."""
    if is_local(url):
        return []
    if mode(url) in VERIFIED:
        return [ok("postgres", f"the connection is {row.tls}, and the server proved who it is ({mode(url)})")]
    said = f"{row.tls}, to whoever answered" if row.tls else "not encrypted"
    return [ok("postgres", f"the connection is {said}: the settings call the way to {url.host} private")]


def _connections(row: Row[Any]) -> Finding:
    found = f"{row.connections} of {row.connections_max} connections in use"
    if row.connections_max - row.connections < CONNECTIONS_SPARE_MIN:
        return warning("postgres", found, "raise max_connections or lower HOBBS_DATABASE_POOL_SIZE")
    return ok("postgres", found)


async def _roles(database: Database) -> tuple[list[Finding], list[str]]:
    """Findings about the roles, and the services whose role exists and may be used by this login."""
    named = {f"hobbs_{service}": service for service in migrated()}
    async with database.transaction() as tx:
        rows = {row.role: row for row in await tx.all(_ROLES, roles=[*named, OPERATOR])}
        closed = {OPERATOR} if await people(tx) else set()  # people log in as themselves
    missing = sorted(({*named, OPERATOR}) - rows.keys())
    findings = [wrong("roles", f"{role} is not there", MIGRATE) for role in missing]
    for role, row in sorted(rows.items()):
        findings += _role(role, row, may_be_closed=role in closed)
    if not findings:
        findings.append(ok("roles", f"{len(rows)} roles are there and can log in"))
    return findings, [service for role, service in named.items() if role in rows and rows[role].may_act]


def _role(role: str, row: Row[Any], *, may_be_closed: bool) -> list[Finding]:
    findings = []
    if row.is_superuser:
        fix = f"ALTER ROLE {role} NOSUPERUSER"
        findings.append(wrong("roles", f"{role} is a superuser: no grant binds it", fix))
    if not row.logs_in and not may_be_closed:
        fix = f"set HOBBS_{role.removeprefix('hobbs_').upper()}_DATABASE_URL and {MIGRATE}"
        findings.append(warning("roles", f"{role} cannot log in", fix))
    if not row.may_act and role != OPERATOR:
        fix = f"log in as {OPERATOR} or as the owner in HOBBS_DATABASE_URL"
        findings.append(warning("roles", f"this login may not act as {role}: its tables were not seen", fix))
    return findings


async def _privileges(database: Database) -> list[Finding]:
    names = migrated()
    async with database.transaction() as tx:
        roles = [row.role for row in await tx.all(_ROLES, roles=[f"hobbs_{name}" for name in names])]
        trespasses = await tx.all(_TRESPASSES, roles=roles, schemas=names)
        rewritable = await tx.all(_REWRITABLE) if "hobbs_ledger" in roles else []
        beyond = await excess_rights(tx, names)
        switched_off = await tx.all(named_invariant("ledger", "guards_are_on").sql)
    findings = (
        await _missing_rights(database)
        + [
            wrong(
                "privileges",
                f"{row.role} may use schema {row.schema_name}",
                f"REVOKE ALL ON SCHEMA {row.schema_name} FROM {row.role}",
            )
            for row in trespasses
        ]
        + [
            wrong(
                "privileges",
                f"hobbs_ledger may {row.privilege} ledger.{row.table_name}: the books are not append-only",
                f"REVOKE {row.privilege} ON ledger.{row.table_name} FROM hobbs_ledger",
            )
            for row in rewritable
        ]
    )
    findings += [
        wrong("privileges", one.sentence, f"{one.statement}, or {MIGRATE}" if one.statement else BY_HAND)
        for one in beyond
    ]
    findings += [
        wrong(
            "privileges",
            f"trigger {row.trigger_name} of ledger.{row.table_name} is switched off: nothing guards it",
            f"ALTER TABLE ledger.{row.table_name} ENABLE ALWAYS TRIGGER {row.trigger_name}; then hobbs check",
        )
        for row in switched_off
    ]
    return findings or [
        ok("privileges", "each service reaches only its own schema; the books are append-only")
    ]


async def _missing_rights(database: Database) -> list[Finding]:
    """What `hobbs migrate` gives and a role does not have: the first statement that needs it fails."""
    lacking: list[str] = []
    async with database.transaction() as tx:
        roles = [row.role for row in await tx.all(_ROLES, roles=[f"hobbs_{name}" for name in migrated()])]
        if len(await tx.all(_ROLES, roles=[READER, OPERATOR])) == 2:
            rows = await tx.all(_MEMBERSHIPS, roles=roles, reader=READER, operator=OPERATOR)
            lacking += [f"{row.role} lacks {row.what}" for row in rows]
        for service in migrated():
            lacking += [grant.sentence for grant in await missing_grants(tx, service)]
    return [wrong("privileges", sentence, f"{MIGRATE}: it gives the right again") for sentence in lacking]


async def _service(settings: Settings, service: str) -> list[Finding]:
    async with acting_as(settings, service) as database:
        try:
            pending = await pending_migrations(database)
            async with database.transaction() as tx:
                waiting = await tx.one(_WAITING)
                stop = await tx.first(_RELAY_STOP) if service == "payouts" else None
        except (DBAPIError, PostgresError) as error:
            return [wrong(service, f"its tables cannot be read: {why(error)}", MIGRATE)]
    findings = [_migrations(service, pending), _outbox(service, waiting), *_letters(service, waiting)]
    return [*findings, _stop(stop)] if stop else findings


def _stop(row: Row[Any]) -> Finding:
    found = f"nothing is paid since {row.since:%Y-%m-%d %H:%M:%S} UTC: {row.sentence}"
    return wrong("payouts", found, "give payouts a key that Stripe accepts: docs/operations/stripe.md")


def _migrations(service: str, pending: list[str]) -> Finding:
    if pending:
        return wrong(service, f"migrations missing: {', '.join(pending)}", MIGRATE)
    return ok(service, "migrations and functions at head")


def _outbox(service: str, row: Row[Any]) -> Finding:
    found = f"outbox: {row.outbox_rows} rows, the oldest {row.outbox_age_s:.0f} s old"
    found += f"; the log of sent rows: {row.log_bytes / 2**20:.1f} MiB"
    if row.outbox_age_s > OUTBOX_AGE_S_MAX:
        return wrong(service, found, f"is `hobbs work {service}` running, and does it reach Kafka?")
    return ok(service, found)


def _letters(service: str, row: Row[Any]) -> list[Finding]:
    if not row.dead_letters:
        return []
    fix = f"`hobbs dead list --service {service}`, fix the cause, then `hobbs dead redrive`"
    return [warning(service, f"{row.dead_letters} open dead letters", fix)]
