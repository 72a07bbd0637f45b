"""A backup of the payouts tables in the same database, to go back to in a moment."""

from tests.support.databases import run_statement

BACK_UP = """
    DO $$ DECLARE named text; BEGIN
        DROP SCHEMA IF EXISTS backup CASCADE;
        CREATE SCHEMA backup;
        FOR named IN SELECT tablename FROM pg_tables WHERE schemaname = 'payouts' LOOP
            EXECUTE format('CREATE TABLE backup.%1$I AS SELECT * FROM payouts.%1$I', named);
        END LOOP;
    END $$
"""
RESTORE = """
    DO $$ DECLARE one record; BEGIN
        SET LOCAL session_replication_role = replica;
        FOR one IN
            SELECT relname AS named, string_agg(quote_ident(attname), ', ') AS columns
            FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid
            WHERE relnamespace = 'payouts'::regnamespace AND relkind = 'r' AND attnum > 0
              AND NOT attisdropped AND attgenerated = ''
            GROUP BY relname
        LOOP
            EXECUTE format('DELETE FROM payouts.%I', one.named);
            EXECUTE format('INSERT INTO payouts.%1$I (%2$s) OVERRIDING SYSTEM VALUE'
                           ' SELECT %2$s FROM backup.%1$I', one.named, one.columns);
        END LOOP;
    END $$
"""


class Backup:
    def __init__(self, url: str) -> None:
        self._url = url

    async def make(self) -> None:
        await run_statement(self._url, BACK_UP)

    async def restore(self) -> None:
        await run_statement(self._url, RESTORE)
