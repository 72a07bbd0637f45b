"""Each service's schema at head: the file that shows it, and the way there from every released revision."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from fleet.functions import function_names
from fleet.migrate import migrate
from fleet.revisions import migrated, revisions
from hobbs.local.schema_dump import dump_schema, merged_grants, schema_text
from hobbs.local.schema_files import schema_file
from tests.support.databases import PASSWORDS, Cluster, Template, cloned, empty, run_statement

_FUNCTIONS = """
SELECT CASE WHEN n.nspname = $1 THEN p.proname ELSE n.nspname || '.' || p.proname END AS name
  FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace
 WHERE n.nspname IN (CAST($1 AS text), CAST($1 AS text) || '_public')
"""


@pytest.fixture(scope="module")
async def fresh(cluster: Cluster, template: Template) -> AsyncIterator[str]:
    """The owner's URL of a database that was migrated from nothing."""
    async with cloned(cluster, template) as url:
        yield url


@pytest.mark.parametrize("service", migrated())
def test_schema_sql_is_the_schema_of_a_fresh_database(fresh: str, service: str) -> None:
    told = schema_file(service).read_text(encoding="utf-8")
    assert told == schema_text(fresh, service), "run `make schemas`"


@pytest.mark.parametrize("service", migrated())
async def test_every_function_of_a_fresh_database_is_defined_once_in_a_file(fresh: str, service: str) -> None:
    connection = await asyncpg.connect(fresh)
    there = [row["name"] for row in await connection.fetch(_FUNCTIONS, service)]
    await connection.close()
    assert sorted(function_names(service)) == sorted(there)


@pytest.mark.parametrize("service", migrated())
async def test_released_revisions_come_to_the_schema_of_a_fresh_database(
    cluster: Cluster, fresh: str, service: str
) -> None:
    """The first, the middle and the last but one: from another one the way is a part of the first's."""
    wanted, known = dump_schema(fresh, service), revisions(service)
    async with empty(cluster) as walking:
        reached = Template(name=walking.rpartition("/")[2], broken={})
        for revision in sorted({known[0], known[len(known) // 2], known[-2:][0]}, key=known.index):
            await migrate(walking, PASSWORDS, [service], revision)  # by migrations alone
            async with cloned(cluster, reached) as url:
                await migrate(url, PASSWORDS, [service])
                assert dump_schema(url, service) == wanted, f"{service} from revision {revision}"
        assert dump_schema(walking, service) != wanted


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE ledger.wallet ADD COLUMN nickname text",
        "ALTER TABLE ledger.hold DROP CONSTRAINT hold_amount_is_positive",
        "DROP INDEX ledger.hold_by_wallet",
        "CREATE OR REPLACE VIEW ledger_public.closed_periods AS "
        "SELECT until, closed_at, closed_by, upper(memo) AS memo FROM ledger.closed_period",
        "ALTER TABLE ledger.entry ENABLE TRIGGER entries_are_posted",
        "REVOKE SELECT ON ledger.hold FROM hobbs_ledger",
        "DROP POLICY finance_sees_all ON ledger.entry",
    ],
)
async def test_schema_sql_shows_what_differs(cluster: Cluster, template: Template, change: str) -> None:
    async with cloned(cluster, template) as url:
        await run_statement(url, change)
        assert schema_text(url, "ledger") != schema_file("ledger").read_text(encoding="utf-8")


def test_grants_of_columns_and_roles_are_written_as_one() -> None:
    told = [f"GRANT SELECT({column}) ON TABLE t TO {role};" for column in "ab" for role in ("r", "s")]
    assert merged_grants(
        [*told, "REVOKE ALL ON TABLE t FROM r;", "GRANT SELECT,INSERT ON TABLE t TO q;"]
    ) == [
        "REVOKE ALL ON TABLE t FROM r;",
        "GRANT SELECT (a, b) ON TABLE t TO r, s;",
        "GRANT SELECT, INSERT ON TABLE t TO q;",
    ]
