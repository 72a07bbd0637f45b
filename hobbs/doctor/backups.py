"""Examines what Postgres says of its backups: is its WAL archived or streamed, and since when not.

Of dumps and base backups it keeps no record: that one exists and can be restored is for a person to prove.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from fleet.database import Database
from fleet.settings import Settings
from hobbs.doctor.findings import Finding, not_checked, wrong

AREA: Final = "backups"
PAGE: Final = "docs/operations/postgres.md, Backup and restore"
AGE_MAX: Final = timedelta(hours=1)

_ARCHIVER: Final = """
    SELECT current_setting('archive_mode') <> 'off' AS archives,
           (SELECT setting::int FROM pg_settings WHERE name = 'archive_timeout') AS timeout_s,
           (SELECT count(*) FROM pg_stat_replication) AS receivers,
           last_archived_time AS archived_at, last_failed_time AS failed_at, now() AS now
    FROM pg_stat_archiver
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Archiver:
    """What Postgres says of its WAL. receivers: sessions that it streams to, such as pg_receivewal's."""

    archives: bool
    timeout_s: int
    receivers: int
    archived_at: datetime | None
    failed_at: datetime | None
    now: datetime


async def examine_backups(settings: Settings) -> list[Finding]:
    """What is unfit of the backups, as far as Postgres knows of them."""
    database = Database(settings.database_url.get_secret_value(), schema="public", pool_size=1)
    try:
        async with database.transaction() as tx:
            row = await tx.one(_ARCHIVER)
    finally:
        await database.close()
    return judge_backups(Archiver(**row._mapping))


def judge_backups(archiver: Archiver) -> list[Finding]:
    """What is unfit, with the way out, and what only a person can prove."""
    unproven = not_checked(
        AREA,
        "that a base backup or a dump exists, is encrypted and can be restored: Postgres keeps no record",
        f"restore one on another machine and run `hobbs restore check` ({PAGE})",
    )
    return [*_archiving(archiver), unproven]


def _archiving(archiver: Archiver) -> list[Finding]:
    if not archiver.archives:
        if archiver.receivers:
            return []
        found = (
            "Postgres archives no WAL and streams it to nobody: with its disk all since the last dump is lost"
        )
        return [wrong(AREA, found, f"archive_mode=on with an archive_command, or pg_receivewal ({PAGE})")]
    if archiver.failed_at and (archiver.archived_at is None or archiver.failed_at > archiver.archived_at):
        found = f"WAL could not be archived at {archiver.failed_at:%Y-%m-%d %H:%M} UTC, and was not since"
        return [wrong(AREA, found, f"see what archive_command says in Postgres' log ({PAGE})")]
    if archiver.archived_at is None:
        fix = f"`SELECT pg_switch_wal()` as the owner, and look where it went ({PAGE})"
        return [wrong(AREA, "no WAL was ever archived", fix)]
    if not archiver.timeout_s:
        found = (
            "archive_timeout is 0: WAL waits on one disk until 16 MB of it are full, for a small school hours"
        )
        return [wrong(AREA, found, f"archive_timeout=5min ({PAGE})")]
    if archiver.now - archiver.archived_at > max(AGE_MAX, timedelta(seconds=3 * archiver.timeout_s)):
        found = f"the last WAL was archived at {archiver.archived_at:%Y-%m-%d %H:%M} UTC"
        return [wrong(AREA, found, f"see whether Postgres' archiver runs ({PAGE})")]
    return []
