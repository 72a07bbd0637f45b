"""However a connection to Postgres or Kafka ends in a command: one sentence, exit 1, no traceback."""

import asyncio
import socket
from collections.abc import Iterator
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest
import typer
from aiokafka.errors import KafkaConnectionError
from sqlalchemy import exc

from hobbs.local.ports import LOOPBACK
from hobbs.shell import decisions
from hobbs.shell.connections import run
from tests.integration.ops.conftest import Hobbs
from tests.support.cut_off import cut_off
from tests.support.databases import run_statement, service_url

READ = ("balances",)
CHANGE = ("monitors", "set", "low", "student:s-1", "--below", "5", "--yes")
LONG = ("check",)  # many statements in one session, each in a savepoint


@pytest.mark.parametrize(
    ("arguments", "after"),
    [(READ, 0), (READ, 3), (READ, 12), (CHANGE, 9), (LONG, 30), (LONG, 75)],
)
async def test_a_connection_that_breaks_off_is_one_sentence(
    hobbs: Hobbs,
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    after: int,
) -> None:
    url = urlsplit(service_url(database_url, "operator"))
    assert url.port is not None
    with cut_off(url.port, after=after, abruptly=after % 2 == 0) as port:
        there = urlunsplit(url._replace(netloc=url.netloc.replace(str(url.port), str(port))))
        monkeypatch.setenv("HOBBS_DATABASE_URL", there)
        result = await hobbs(*arguments)
    assert result.exit_code == 1
    assert one_sentence(result.stderr).startswith("Postgres: ")
    assert capfd.readouterr().err == ""  # what a library logs


@pytest.mark.parametrize("setting", ["idle_session_timeout", "transaction_timeout"])
@pytest.mark.parametrize("arguments", [LONG, CHANGE, ("balances",), ("transfers", "list")], ids=" ".join)
async def test_a_session_that_a_time_out_ends_is_one_sentence(
    hobbs: Hobbs, database_url: str, arguments: tuple[str, ...], setting: str
) -> None:
    name = urlsplit(database_url).path.removeprefix("/")
    await run_statement(database_url, f"ALTER DATABASE {name} SET {setting} = '1ms'")
    result = await hobbs(*arguments)  # a machine that is fast enough may be done before
    assert result.exit_code in (0, 1)
    if result.exit_code == 1:
        assert one_sentence(result.stderr).startswith("Postgres: ")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (asyncpg.InterfaceError("connection is closed"), "Postgres: the session was ended"),
        (asyncpg.InternalClientError("unexpected"), "Postgres: the session was ended"),
        (exc.PendingRollbackError("rollback first"), "Postgres: the session was ended"),
        (exc.TimeoutError("no connection became free"), "Postgres: the session was ended"),
        (asyncpg.IdleInTransactionSessionTimeoutError("idle too long"), "Postgres: idle too long"),
        (asyncpg.AdminShutdownError("terminating connection"), "Postgres: terminating connection"),
        (asyncpg.CannotConnectNowError("starting up"), "Postgres: starting up"),
        (KafkaConnectionError("gone"), "Kafka: KafkaConnectionError: gone"),
        (ConnectionResetError("reset by peer"), "reset by peer"),
        (asyncio.IncompleteReadError(b"", 4), "0 bytes read on a total of 4 expected bytes"),
        (TimeoutError(), "TimeoutError"),
        (asyncio.CancelledError(), "a server closed the connection"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else "",
)
def test_every_way_a_client_says_that_its_server_is_gone_is_one_sentence(
    error: BaseException, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    async def work() -> None:
        raise error

    with pytest.raises(typer.Exit) as ended:
        run(work())
    assert ended.value.exit_code == 1
    assert one_sentence(capsys.readouterr().err).startswith(said)


@pytest.fixture
def silent_broker() -> Iterator[str]:
    """Something that takes connections and never answers."""
    with socket.create_server((LOOPBACK, 0)) as listener:
        yield f"{LOOPBACK}:{listener.getsockname()[1]}"


async def test_a_broker_that_never_answers_is_given_up(
    hobbs: Hobbs, silent_broker: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decisions, "ANSWER_WITHIN_S", 0.1)
    monkeypatch.setattr(decisions, "ANSWER_TRAVELS_S", 0.1)
    monkeypatch.setenv("HOBBS_KAFKA_BOOTSTRAP", silent_broker)
    result = await hobbs("payments", "allocate", "ch_1", "anna", "--yes")
    assert result.exit_code == 1
    assert one_sentence(result.stderr).startswith(f"Kafka at {silent_broker} did not answer")


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("HOBBS_KAFKA_BOOTSTRAP", "kafka:port", "not a list of addresses"),
        ("HOBBS_KAFKA_BOOTSTRAP", "kafka-1:9092,kafka-2:99999", "not a list of addresses"),
        ("HOBBS_KAFKA_CA_FILE", "/nowhere/ca.pem", "not point to a file"),
        ("HOBBS_DATABASE_URL", "postgresql://host:port/hobbs", "not a URL"),
    ],
)
async def test_an_address_that_is_none_is_a_wrong_setting(
    hobbs: Hobbs, monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    monkeypatch.setenv(name, value)
    result = await hobbs("payments", "allocate", "ch_1", "anna", "--yes")
    assert (result.exit_code, said in one_sentence(result.stderr)) == (2, True)


def one_sentence(stderr: str) -> str:
    [sentence] = stderr.splitlines()
    return sentence
