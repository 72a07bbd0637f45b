"""A backup of a service's tables in the same database, to go back to in a moment."""

from tests.support.databases import run_statement

BACK_UP = """
    DO $$ DECLARE named text; BEGIN
        DROP SCHEMA IF EXISTS backup CASCADE;
        CREATE SCHEMA backup;
        FOR named IN SELECT tablename FROM pg_tables WHERE schemaname = '{schema}' LOOP
            EXECUTE format('CREATE TABLE backup.%1$I AS SELECT * FROM {schema}.%1$I', named);
        END LOOP;
    END $$
"""
RESTORE = """
    DO $$ DECLARE one record; always record; BEGIN
        SET LOCAL session_replication_role = replica;
        CREATE TEMPORARY TABLE guard ON COMMIT DROP AS  -- triggers that fire in every session
            SELECT relname AS named, tgname FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid
            WHERE relnamespace = '{schema}'::regnamespace AND tgenabled = 'A';
        FOR always IN SELECT * FROM guard LOOP
            EXECUTE format('ALTER TABLE {schema}.%I DISABLE TRIGGER %I', always.named, always.tgname);
        END LOOP;
        FOR one IN
            SELECT relname AS named, string_agg(quote_ident(attname), ', ') AS columns
            FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid
            WHERE relnamespace = '{schema}'::regnamespace AND relkind = 'r' AND attnum > 0
              AND NOT attisdropped AND attgenerated = ''
            GROUP BY relname
        LOOP
            EXECUTE format('DELETE FROM {schema}.%I', one.named);
            EXECUTE format('INSERT INTO {schema}.%1$I (%2$s) OVERRIDING SYSTEM VALUE'
                           ' SELECT %2$s FROM backup.%1$I', one.named, one.columns);
        END LOOP;
        FOR always IN SELECT * FROM guard LOOP
            EXECUTE format('ALTER TABLE {schema}.%I ENABLE ALWAYS TRIGGER %I', always.named, always.tgname);
        END LOOP;
    END $$
"""
FORGET_BOOKS = """
    DO $$ DECLARE always record; BEGIN
        IF NOT EXISTS (SELECT FROM pg_class
                       WHERE relnamespace = 'ledger'::regnamespace AND pg_relation_size(oid) > 0
                         AND relname IN ('journal', 'entry', 'wallet', 'balance', 'displaced_entry')) THEN
            RETURN;  -- to empty what is empty costs as much
        END IF;
        CREATE TEMPORARY TABLE guarded ON COMMIT DROP AS  -- triggers that keep tables from being emptied
            SELECT tgrelid::regclass AS named, tgname FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid
            WHERE relnamespace::regnamespace::text = 'ledger' AND tgenabled = 'A' AND tgtype & 32 <> 0;
        FOR always IN SELECT * FROM guarded LOOP
            EXECUTE format('ALTER TABLE %s DISABLE TRIGGER %I', always.named, always.tgname);
        END LOOP;
        TRUNCATE ledger.journal, ledger.entry, ledger.wallet, ledger.balance, ledger.displaced_entry CASCADE;
        FOR always IN SELECT * FROM guarded LOOP
            EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', always.named, always.tgname);
        END LOOP;
    END $$
"""
"""The ledger was restored too: it posts again what it is asked (tests/support/books.py)."""


class Backup:
    def __init__(self, url: str, schema: str = "payouts") -> None:
        self._url = url
        self._schema = schema

    async def make(self) -> None:
        await run_statement(self._url, BACK_UP.replace("{schema}", self._schema))

    async def restore(self) -> None:
        await run_statement(self._url, RESTORE.replace("{schema}", self._schema))
        if self._schema == "payouts":
            await run_statement(self._url, FORGET_BOOKS)
