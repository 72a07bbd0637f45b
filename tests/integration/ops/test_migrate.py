"""`hobbs migrate`: an empty database and broker become a fleet that can start; again, nothing changes."""

import json
import secrets
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest

from fleet.functions import function_names
from fleet.migrate import migrate
from fleet.revisions import head_revision, migrated
from hobbs.local.ports import free_port
from hobbs.local.postgres import Postgres, prepare_postgres, start_postgres, wait_for_postgres
from schemas.services import LOGINS
from schemas.topics import TOPICS
from tests.integration.ops.conftest import NO_KAFKA, Hobbs
from tests.support.databases import Cluster, empty, run_statement, service_url


@pytest.fixture
async def empty_database(cluster: Cluster) -> AsyncIterator[str]:
    async with empty(cluster) as url:
        yield url


@pytest.fixture
def owner_settings(empty_database: str, hobbs: Hobbs, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("HOBBS_DATABASE_URL", empty_database)
    for login in LOGINS:
        monkeypatch.setenv(f"HOBBS_{login.upper()}_DATABASE_URL", service_url(empty_database, login))
    return empty_database


async def test_an_empty_installation_is_made_ready_and_again_changes_nothing(
    hobbs: Hobbs, owner_settings: str, kafka: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOBBS_KAFKA_BOOTSTRAP", kafka)
    monkeypatch.setenv("HOBBS_TOPIC_PREFIX", f"migrate-{secrets.token_hex(3)}.")
    first = await hobbs("migrate", "-o", "json")
    assert (first.exit_code, first.stderr) == (0, "")
    rows = json.loads(first.stdout)
    assert [row["name"] for row in rows if row["what"] == "schema"] == migrated()
    ledger = next(row for row in rows if row["name"] == "ledger")
    assert ledger["state"] == f"revision {head_revision('ledger')}, {len(function_names('ledger'))} functions"
    assert {row["name"] for row in rows if row["what"] == "topic"} == TOPICS.keys()
    again = await hobbs("migrate", "-o", "json")
    assert json.loads(again.stdout) == rows
    for login in ("operator", *migrated()):
        connection = await asyncpg.connect(service_url(owner_settings, login))
        await connection.close()


@pytest.mark.usefixtures("owner_settings")
async def test_kafka_is_waited_for_and_then_named(hobbs: Hobbs) -> None:
    result = await hobbs("migrate", "--wait", "0")
    assert result.exit_code == 1
    assert (
        f"Kafka: KafkaConnectionError: Unable to bootstrap from [('{NO_KAFKA.partition(':')[0]}'"
        in result.stderr
    )


@pytest.mark.usefixtures("owner_settings")
async def test_tables_can_be_migrated_without_kafka(hobbs: Hobbs) -> None:
    assert (await hobbs("migrate", "--no-topics")).exit_code == 0


async def test_a_service_without_a_password_is_named(
    hobbs: Hobbs, owner_settings: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HOBBS_LEDGER_DATABASE_URL")
    result = await hobbs("migrate", "--no-topics")
    assert result.exit_code == 0
    ledger_may = "hobbs_ledger cannot log in" not in result.stderr
    connection = await asyncpg.connect(owner_settings)
    try:
        may = await connection.fetchval("SELECT rolcanlogin FROM pg_roles WHERE rolname = 'hobbs_ledger'")
    finally:
        await connection.close()
    assert ledger_may == may, "roles are the whole server's; another test may have given this one a password"


async def test_a_transaction_that_a_person_forgot_is_ended_by_the_server(
    owner_settings: str, hobbs: Hobbs
) -> None:
    """Whoever logs in: the operator, and the owner."""
    assert (await hobbs("migrate", "--no-topics")).exit_code == 0
    for url in (service_url(owner_settings, "operator"), owner_settings):
        connection = await asyncpg.connect(url)
        try:
            assert await connection.fetchval("SHOW idle_in_transaction_session_timeout") == "1min"
        finally:
            await connection.close()


async def test_without_urls_roles_that_can_log_in_are_not_said_not_to(
    hobbs: Hobbs, owner_settings: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (await hobbs("migrate", "--no-topics")).exit_code == 0
    for login in LOGINS:
        monkeypatch.delenv(f"HOBBS_{login.upper()}_DATABASE_URL")
    connection = await asyncpg.connect(owner_settings)
    try:
        assert "cannot log in" not in (await hobbs("migrate", "--no-topics")).stderr
        await connection.execute("ALTER ROLE hobbs_gateway NOLOGIN")
        result = await hobbs("migrate", "--no-topics")
    finally:
        await connection.execute("ALTER ROLE hobbs_gateway LOGIN")
        await connection.close()
    said = [line for line in result.stderr.splitlines() if "cannot log in" in line]
    assert said == ["hobbs_gateway cannot log in: set HOBBS_GATEWAY_DATABASE_URL and migrate again"]


async def test_a_wrong_password_is_final_and_said_without_the_url(
    hobbs: Hobbs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOBBS_DATABASE_URL", "postgresql://nobody:s3cret@127.0.0.1:1/hobbs")
    result = await hobbs("migrate", "--wait", "0")
    assert result.exit_code == 1
    assert result.stderr.startswith("Postgres: ")
    assert "s3cret" not in result.stderr


async def test_missing_settings_are_named_and_are_usage(
    hobbs: Hobbs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HOBBS_DATABASE_URL")
    result = await hobbs("migrate")
    assert result.exit_code == 2
    assert "HOBBS_DATABASE_URL is not set; set it, or HOBBS_DATABASE_URL_FILE" in result.stderr


async def test_a_secrets_file_that_is_not_there_is_named(
    hobbs: Hobbs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOBBS_DATABASE_URL_FILE", "/nowhere/database_url")
    result = await hobbs("migrate")
    assert (result.exit_code, "/nowhere/database_url" in result.stderr) == (2, True)


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[Postgres]:
    """A server of the test's own, which logs every statement."""
    log = tmp_path / "log"
    prepare_postgres(tmp_path / "postgres", log)
    settings = ["fsync=off", "log_statement=all", "log_min_duration_statement=0"]
    server = start_postgres(tmp_path / "postgres", port=free_port(), log=log, settings=settings)
    wait_for_postgres(server)
    yield server
    server.child.signal(signal.SIGQUIT)
    server.child.wait(10)


async def test_no_password_is_in_the_server_s_log_and_each_logs_in(own_server: Postgres) -> None:
    odd = "p:a'ss\\ wörd ｆｕｌｌ\u00ad%s"
    passwords = {"ledger": odd, "operator": "plain-operator-password"}
    await run_statement(own_server.url(), "CREATE DATABASE school")
    await migrate(own_server.url("school"), passwords, ["ledger"])
    said = own_server.child.log.read_text(encoding="utf-8")
    assert "ALTER ROLE hobbs_ledger LOGIN PASSWORD 'SCRAM-SHA-256$4096:" in said, (
        "the log is of every statement"
    )
    for login, password in passwords.items():
        assert password not in said
        connection = await asyncpg.connect(
            host="127.0.0.1",
            port=own_server.port,
            database="school",
            user=f"hobbs_{login}",
            password=password,
        )
        await connection.close()
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(
            host="127.0.0.1", port=own_server.port, database="school", user="hobbs_ledger", password=odd + "x"
        )


async def test_a_second_school_on_one_server_is_refused_and_changes_nothing(
    own_server: Postgres, hobbs: Hobbs, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("first", "second"):
        await run_statement(own_server.url(), f"CREATE DATABASE {name}")
    await migrate(own_server.url("first"), {"ledger": "of-the-first"}, ["ledger"])
    monkeypatch.delenv("HOBBS_SHARE_ROLES")
    monkeypatch.setenv("HOBBS_DATABASE_URL", own_server.url("second"))
    other = f"postgresql://hobbs_ledger:of-the-second@127.0.0.1:{own_server.port}/second"
    monkeypatch.setenv("HOBBS_LEDGER_DATABASE_URL", other)
    refused = await hobbs("migrate", "--no-topics")
    assert refused.exit_code == 1
    assert "are used by database first" in refused.stderr
    assert "--share-roles" in refused.stderr
    first = await asyncpg.connect(f"postgresql://hobbs_ledger:of-the-first@127.0.0.1:{own_server.port}/first")
    await first.close()
    second = await asyncpg.connect(own_server.url("second"))
    try:
        assert not await second.fetchval("SELECT count(*) FROM pg_namespace WHERE nspname = 'ledger'")
    finally:
        await second.close()
    assert (await hobbs("migrate", "--no-topics", "--share-roles")).exit_code == 0
    monkeypatch.setenv("HOBBS_DATABASE_URL", own_server.url("first"))
    assert (await hobbs("migrate", "--no-topics")).exit_code == 1, "now each is another's"
