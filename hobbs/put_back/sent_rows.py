"""Puts sent rows back and forgets how far topics were read, in one transaction of the database's owner.

The relays send the rows again: same ids, keys and bytes, in the order in which they were staged, before
anything newer. Whoever had taken an event in drops the repeat by its inbox; whoever had not takes it now.
Services begin every topic at its beginning. Webhooks were in no outbox: payouts reads Stripe's list again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from fleet.database import Tx
from fleet.reader import Reader
from fleet.revisions import migrated
from hobbs.replay import audit
from schemas.services import OPERATOR, SCHEDULING
from schemas.topics import TOPICS

NOTED_BY: Final = "ledger"  # whose outbox tells decision.taken of it


class NotPutBack(Exception):
    """Nothing was changed; the sentence says why, and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SentRows:
    """What one service's log holds: rows, from when to when they were staged, bytes of keys and values."""

    service: str
    rows: int
    since: datetime | None
    until: datetime | None
    bytes: int


def not_in_a_log() -> Mapping[str, str]:
    """Topics whose records no log of ours has, or not all of them, and who publishes those again."""
    again = {
        SCHEDULING: "the scheduling system, for what it published itself",
        OPERATOR: "people, whose command said that nobody answered",
    }
    found = {topic.name: again[topic.owner] for topic in TOPICS.values() if topic.owner in again}
    return found | {"stripe.webhook": "nobody: payouts reads Stripe's list of events"}


async def logs(tx: Tx) -> list[SentRows]:
    """The log of each service and the console."""
    found = []
    for service in migrated():
        row = await tx.one(_LOG.format(schema=service))
        found.append(
            SentRows(service=service, rows=row.rows, since=row.since, until=row.until, bytes=row.bytes)
        )
    return found


async def refuse_unless_lost(tx: Tx, reader: Reader, prefix: str) -> None:
    """Raise NotPutBack when this Kafka has all that was handled, or lacks topics."""
    lost = False
    ends: dict[str, Mapping[int, int]] = {}
    for service in migrated():
        for row in await tx.all(_POSITIONS.format(schema=service)):
            if row.topic not in ends:
                ends[row.topic] = await reader.ends_of(prefix + row.topic)
            if not ends[row.topic]:
                raise NotPutBack(f"this Kafka has no topic {prefix}{row.topic}: hobbs migrate makes them")
            lost = lost or row.next_offset > ends[row.topic].get(row.partition, 0)
    if not lost:
        raise NotPutBack("this Kafka has every record that the services have handled: it was not lost")


async def refuse_unless_alone(tx: Tx) -> None:
    """Raise NotPutBack when a service or the console is running; until `tx` ends, no relay begins."""
    for service in migrated():
        if not (await tx.one(_ALONE, name=f"outbox:{service}")).alone:
            raise NotPutBack(f"{service} is running: stop every service and the console first")


async def put_back(tx: Tx, *, now: datetime, who: str, why: str) -> Sequence[SentRows]:
    """Put every log's rows back, forget positions, have Stripe's events listed again since the oldest row.

    Raises NotPutBack when a service or the console is running.
    """
    await tx.execute("SET LOCAL statement_timeout = 0")
    await refuse_unless_alone(tx)
    found = await logs(tx)
    for one in found:
        await tx.execute(_PUT.format(schema=one.service))
        await tx.execute(_FORGET.format(schema=one.service))
    oldest = min((one.since for one in found if one.since is not None), default=now)
    await tx.execute(_LIST_AGAIN, oldest=oldest, now=now)
    await tx.execute(_LIST_NOW)
    await tx.execute(_READ_ACCOUNTS, now=now)
    effects = [{"service": one.service, "rows": one.rows} for one in found if one.rows]
    what = f"{sum(one.rows for one in found)} sent rows since {oldest:%Y-%m-%d %H:%M} UTC are put back"
    await audit.told(
        tx, action="put_back", about="kafka", sentence=f"{who}: {what}: {why}", who=who, effects=effects
    )
    return found


_LOG: Final = """
    SELECT count(*) AS rows, min(staged_at) AS since, max(staged_at) AS until,
           CAST(coalesce(sum(coalesce(octet_length(key), 0) + coalesce(octet_length(value), 0)), 0)
                AS bigint) AS bytes
    FROM {schema}.outbox_sent
"""
_POSITIONS: Final = "SELECT topic, partition, next_offset FROM {schema}.topic_position"
# The lock of a relay, which every running process of the service has or waits for.
_ALONE: Final = "SELECT pg_try_advisory_xact_lock(hashtextextended(:name, 0)) AS alone"
_PUT: Final = """
    WITH again AS (DELETE FROM {schema}.outbox_sent RETURNING *)
    INSERT INTO {schema}.outbox (id, topic, key, value, event_id, source, correlation_id, traceparent,
                                 raw_headers, staged_at)
    OVERRIDING SYSTEM VALUE
    SELECT id, topic, key, value, event_id, source, correlation_id, traceparent, raw_headers, staged_at
    FROM again
"""
_FORGET: Final = "DELETE FROM {schema}.topic_position"
_LIST_AGAIN: Final = """
    UPDATE payouts.event_listing
    SET listed_until = least(listed_until, :oldest), completed_at = completed_at - interval '1 day',
        begun_at = NULL, page_after = NULL, calm_since = :now, lost_before = :now
"""
_LIST_NOW: Final = "UPDATE payouts.timer SET due_at = now() WHERE name = 'recover_events'"
# Payouts of payees are told by webhooks of their accounts, which no list of the platform's has.
_READ_ACCOUNTS: Final = """
    UPDATE payouts.inquiry SET due_at = :now, read_again_at = NULL WHERE kind = 'account' AND ended_at IS NULL
"""
