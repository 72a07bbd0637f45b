"""The season's time: the services' clock, Postgres' own and the simulator's move together, only forward."""

from datetime import UTC, datetime, timedelta

import asyncpg

from hobbs.local.stripe_sim.control import Control
from schemas.services import SERVICES

# What the database dates by itself (defaults of columns, functions) asks this function in the season's clone.
_FOLLOW = """
    CREATE SCHEMA season;
    CREATE TABLE season.clock (moved interval NOT NULL);
    INSERT INTO season.clock VALUES ('0');
    CREATE FUNCTION season.now() RETURNS timestamptz LANGUAGE plpgsql SECURITY DEFINER
        SET search_path = pg_catalog, pg_temp
        AS 'BEGIN RETURN (SELECT statement_timestamp() + moved FROM season.clock); END';
    GRANT USAGE ON SCHEMA season TO PUBLIC;
    GRANT EXECUTE ON FUNCTION season.now() TO PUBLIC;
    DO $$
    DECLARE
        one record;
        says CONSTANT text := '\\m(now|clock_timestamp|statement_timestamp)\\(\\)';
    BEGIN
        FOR one IN
            SELECT adrelid::regclass AS of, attname FROM pg_attrdef
            JOIN pg_attribute ON (attrelid, attnum) = (adrelid, adnum)
            JOIN pg_class ON pg_class.oid = adrelid
            WHERE relnamespace::regnamespace::text = ANY (ARRAY[{services}]) AND NOT relispartition
              AND pg_get_expr(adbin, adrelid) ~ says
        LOOP
            EXECUTE format('ALTER TABLE %s ALTER COLUMN %I SET DEFAULT season.now()', one.of, one.attname);
        END LOOP;
        FOR one IN
            SELECT pg_get_functiondef(pg_proc.oid) AS text FROM pg_proc
            WHERE prokind = 'f' AND prosrc ~ says
              AND replace(pronamespace::regnamespace::text, '_public', '') = ANY (ARRAY[{services}])
        LOOP
            EXECUTE regexp_replace(one.text, says, 'season.now()', 'g');
        END LOOP;
    END $$
"""


class Clock:
    """The time as all of the season see it; within an instant it goes on as the real one does."""

    def __init__(self, owner: "asyncpg.Connection[asyncpg.Record]", control: Control) -> None:
        self._owner, self._control = owner, control
        self._moved = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self._moved

    async def begin(self) -> None:
        """Have the database follow."""
        services = ", ".join(f"'{service}'" for service in SERVICES)
        await self._owner.execute(_FOLLOW.replace("{services}", services))

    async def set(self, at: datetime) -> None:
        """Go on to an instant; what the simulator has to do by then is done when this returns."""
        by = at - self()
        assert by >= timedelta(), f"it is {self()} already"
        self._moved += by
        await self._owner.execute("UPDATE season.clock SET moved = $1", self._moved)
        self._control.advance(by.total_seconds())
