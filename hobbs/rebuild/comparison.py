"""Compares a service's tables with those that were made anew, row by row and by a digest of each table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from fleet.beside import twin
from fleet.database import Tx

SHOWN_MAX: Final = 20
# Columns that are not compared, by table; "*" stands for every table. Those that PostgreSQL fills in by
# itself when a row is written (now(), clock_timestamp(), uuidv7(), a sequence) are found, not listed.
NOT_COMPARED: Final[Mapping[tuple[str, str], str]] = {
    ("waiting_revision", "cause"): "a trace begins anew where the record brought none",
}
# Tables that are not compared, and why. Every service has them; what the service itself keeps always is.
TABLES_NOT_COMPARED: Final[Mapping[str, str]] = {
    "alembic_version": "of the release",
    "function_file": "of the release",
    "inbox": "it may be pruned by age, and holds decisions and what is only answered; it is merged",
    "invariant_outcome": "of the last hour",
    "rate_proposal": "what people proposed; the versions that followed are in school.configured",
    "book_word": "what one person asked for and another agreed to; the versions are in school.configured",
    "asked_decision": "people's logins vouched for decisions, and no topic has that",
    "outbox": "what is made anew is thrown away: it was published",
    "outbox_sent": "the log of what was published",
    "timer": "of the service's clock",
    "topic_position": "of the service's own reading",
}
# Of dead letters only which there are: what people did with each is in none of the topics.
LETTER_COLUMNS: Final = ("topic", "identity", "reason", "subject")


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table as it is compared. key: of its rows; times: PostgreSQL fills them in; left_out: and why."""

    name: str
    key: Sequence[str]
    columns: Sequence[str]
    times: Sequence[str]
    left_out: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """A table's rows on both sides, and where they differ. newer: rows that the live one got meanwhile."""

    table: Table
    live: int
    rebuilt: int
    digest_live: str
    digest_rebuilt: str
    differing: int
    newer: int
    examples: Sequence[Mapping[str, Any]]


async def tables_of(tx: Tx, service: str) -> list[Table]:
    """The tables of a service that are compared, read from the database's catalog."""
    rows = await tx.all(_COLUMNS, schema=service, left_out=list(TABLES_NOT_COMPARED))
    return [_table(row.name, row.columns, row.filled_in, row.key, row.times) for row in rows]


def _table(
    name: str, columns: Sequence[str], filled_in: Sequence[str], key: Sequence[str], times: Sequence[str]
) -> Table:
    listed = {
        column: NOT_COMPARED[table, column]
        for table in (name, "*")
        for column in columns
        if (table, column) in NOT_COMPARED
    }
    left_out = dict.fromkeys(filled_in, "PostgreSQL fills it in when the row is written") | listed
    if name == "dead_letter":
        kept: Sequence[str] = LETTER_COLUMNS
        left_out = {
            column: "what became of a letter is in no topic" for column in columns if column not in kept
        }
        return Table(name=name, key=("topic", "identity"), columns=kept, times=(), left_out=left_out)
    kept = [column for column in columns if column not in left_out]
    return Table(name=name, key=key, columns=kept, times=times, left_out=left_out)


async def compare(tx: Tx, service: str, table: Table, *, since: datetime | None = None) -> Compared:
    """Compare one table. since: rows that only the live one has, and that are younger, came meanwhile."""
    live, rebuilt = _place(service, table.name), _place(twin(service), table.name)
    row = f"jsonb_build_array({', '.join(map(_name, table.columns))})::text".replace("::", r"\:\:")
    one, other = [await tx.one(_DIGEST.format(row=row, place=place)) for place in (live, rebuilt)]
    rows = []
    if (one.digest, one.rows) != (other.digest, other.rows):
        rows = await tx.all(_differing(table, live, rebuilt), since=since, most=SHOWN_MAX)
    return Compared(
        table=table,
        live=one.rows,
        rebuilt=other.rows,
        digest_live=one.digest,
        digest_rebuilt=other.digest,
        differing=rows[0].differing if rows else 0,
        newer=rows[0].newer if rows else 0,
        examples=[{"key": row.key, "live": row.live, "rebuilt": row.rebuilt} for row in rows if row.key],
    )


def _differing(table: Table, live: str, rebuilt: str) -> str:
    keys = list(map(_name, table.key))
    return _DIFFERING.format(
        live=live,
        rebuilt=rebuilt,
        keys=", ".join(keys),
        row="jsonb_build_object(" + ", ".join(f"'{name}', {_name(name)}" for name in table.columns) + ")",
        at=_name(table.times[0]) if table.times else "CAST(NULL AS timestamptz)",
        joined=" AND ".join(f"l.{key} = r.{key}" for key in keys),
        shown=", ".join(f"coalesce(l.{key}, r.{key})" for key in keys),
    )


def _place(schema: str, table: str) -> str:
    return f"{_name(schema)}.{_name(table)}"


def _name(name: str) -> str:
    """A name of the catalog, quoted."""
    return '"' + name.replace('"', '""') + '"'


_COLUMNS: Final = """
    SELECT c.relname AS name, array_agg(a.attname ORDER BY a.attnum) AS columns,
           coalesce(array_agg(a.attname ORDER BY a.attnum) FILTER (WHERE filled.by_itself), '{}')
               AS filled_in,
           coalesce(array_agg(a.attname ORDER BY a.attnum) FILTER (
               WHERE filled.by_itself AND a.atttypid = CAST('timestamptz' AS regtype)), '{}') AS times,
           coalesce((SELECT array_agg(k.attname ORDER BY place) FROM pg_index AS i,
                     unnest(CAST(i.indkey AS int2[])) WITH ORDINALITY AS each (number, place)
                     JOIN pg_attribute AS k ON k.attnum = each.number
                     WHERE i.indrelid = c.oid AND i.indisprimary AND k.attrelid = c.oid), '{}') AS key
    FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN pg_attrdef AS d ON d.adrelid = c.oid AND d.adnum = a.attnum
    CROSS JOIN LATERAL (SELECT a.attidentity <> '' OR coalesce(
        pg_get_expr(d.adbin, d.adrelid) ~ '(now|clock_timestamp|uuidv7|gen_random_uuid|nextval)[(]', false)
        AS by_itself) AS filled
    WHERE c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = :schema) AND c.relkind = 'r'
      AND NOT c.relname = ANY (CAST(:left_out AS text[]))
    GROUP BY c.oid, c.relname ORDER BY c.relname
"""
# A row's canonical form is a JSON array of the compared columns; a table's digest is made of the sums of its
# rows' hashes, which no order changes.
_DIGEST: Final = """
    SELECT count(*) AS rows, md5(concat_ws('.', sum(CAST(hashtextextended({row}, 1) AS numeric)),
                                           sum(CAST(hashtextextended({row}, 2) AS numeric)))) AS digest
    FROM {place}
"""
_DIFFERING: Final = """
    WITH l AS (SELECT {keys}, {at} AS at, {row} AS row FROM {live}),
         r AS (SELECT {keys}, {row} AS row FROM {rebuilt}),
         differing AS (
             SELECT concat_ws(' ', {shown}) AS key, l.row AS live, r.row AS rebuilt,
                    coalesce(r.row IS NULL AND l.at > CAST(:since AS timestamptz), false) AS newer
             FROM l FULL JOIN r ON {joined} WHERE l.row IS DISTINCT FROM r.row)
    SELECT sums.differing, sums.newer, one.key, one.live, one.rebuilt
    FROM (SELECT count(*) FILTER (WHERE NOT newer) AS differing, count(*) FILTER (WHERE newer) AS newer
          FROM differing) AS sums
    LEFT JOIN LATERAL (SELECT * FROM differing WHERE NOT newer ORDER BY key LIMIT :most) AS one ON true
"""
