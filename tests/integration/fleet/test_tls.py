"""TLS to Postgres, against a server that has it: who is not verified is not talked to."""

import asyncio
import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from pydantic import SecretStr

from fleet.database import Database
from fleet.database_url import WrongUrl
from fleet.kafka_client import connection
from fleet.settings import Settings
from tests.support.tls import OWNER, PASSWORD, Authority, authority, debians_postgres, postgres_with

PROGRAMS = debians_postgres()
pytestmark = pytest.mark.skipif(PROGRAMS is None, reason="no PostgreSQL of Debian's with openssl here")


def own_address() -> str | None:
    """An address of this machine that is not its loopback."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # a documentation address; UDP connects without a packet
        except OSError:
            return None
        found = str(probe.getsockname()[0])
    return None if found.startswith("127.") else found


ADDRESS = own_address()


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    port: int
    ca: Authority
    stranger: Authority

    def url(self, host: str = "localhost", root: Path | None = None, **words: str) -> str:
        words |= {"sslrootcert": str(root)} if root else {}
        query = "&".join(f"{word}={value}" for word, value in words.items())
        return f"postgresql://{OWNER}:{PASSWORD}@{host}:{self.port}/postgres?{query}".rstrip("?")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose certificate is for `localhost` and this machine's address, not for 127.0.0.1."""
    assert PROGRAMS is not None
    folder = tmp_path_factory.mktemp("tls")
    ca, stranger = authority(folder / "ca"), authority(folder / "other", "Somebody else")
    names = ["DNS:localhost", *([f"IP:{ADDRESS}"] if ADDRESS else [])]
    crt, key = ca.sign("server", *names)
    settings = ["ssl=on", f"ssl_cert_file={crt}", f"ssl_key_file={key}"]
    with postgres_with(PROGRAMS, folder / "server", settings, files=[crt, key]) as port:
        yield Server(port=port, ca=ca, stranger=stranger)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory, server: Server) -> Iterator[Server]:
    """A server without TLS, in the place of the one that had it."""
    assert PROGRAMS is not None
    with postgres_with(PROGRAMS, tmp_path_factory.mktemp("plain") / "server", []) as port:
        yield Server(port=port, ca=server.ca, stranger=server.stranger)


VERSION = "SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid()"


async def encryption(url: str) -> str | None:
    """The TLS version of a connection, None without TLS. Raises what the driver raises."""
    database = Database(url, schema="public", pool_size=1)
    try:
        async with database.transaction() as tx:
            row = await tx.one(VERSION)
        asked = await database.ask(VERSION)
        assert asked is not None
        assert asked["version"] == row.version  # the driver's own connections go the same way
        return str(row.version) if row.version else None
    finally:
        await database.close()


async def test_a_verified_connection_is_encrypted(server: Server) -> None:
    for mode in ("verify-full", "verify-ca", "require"):
        url = server.url(sslmode=mode, root=server.ca.certificate if mode != "require" else None)
        assert str(await encryption(url)).startswith("TLSv1.")


async def test_disable_is_not_encrypted(server: Server) -> None:
    assert await encryption(server.url(sslmode="disable")) is None


@pytest.mark.parametrize("mode", ["verify-full", "verify-ca"])
async def test_a_certificate_of_somebody_else_s_ca_is_refused(server: Server, mode: str) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        await encryption(server.url(sslmode=mode, root=server.stranger.certificate))
    with pytest.raises(ssl.SSLCertVerificationError):  # nor does this machine trust the made-up CA
        await encryption(server.url(sslmode=mode))


async def test_a_certificate_for_another_name_is_refused_by_verify_full_only(server: Server) -> None:
    root = server.ca.certificate
    with pytest.raises(ssl.SSLCertVerificationError, match=r"127\.0\.0\.1"):
        await encryption(server.url("127.0.0.1", sslmode="verify-full", root=root))
    assert await encryption(server.url("127.0.0.1", sslmode="verify-ca", root=root))


@pytest.mark.parametrize("mode", ["require", "verify-ca", "verify-full"])
async def test_who_takes_tls_away_gets_no_password(plain: Server, mode: str) -> None:
    with pytest.raises(OSError, match="SSL"):
        await encryption(plain.url(sslmode=mode, root=plain.ca.certificate if mode != "require" else None))


@pytest.mark.skipif(ADDRESS is None, reason="this machine has no address but its loopback")
async def test_off_this_machine_a_url_without_words_is_verified(server: Server, plain: Server) -> None:
    assert ADDRESS is not None
    with pytest.raises(ssl.SSLCertVerificationError):
        await encryption(server.url(ADDRESS))
    with pytest.raises(OSError, match="SSL"):
        await encryption(plain.url(ADDRESS))
    assert await encryption(server.url(ADDRESS, root=server.ca.certificate))


MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("root", ["ours", "another's", "none"])
async def test_each_word_is_what_libpq_makes_of_it(server: Server, host: str, mode: str, root: str) -> None:
    files = {"ours": server.ca.certificate, "another's": server.stranger.certificate}
    url = server.url(host, files.get(root), sslmode=mode)
    if root != "none" and mode in ("disable", "allow", "prefer"):
        with pytest.raises(WrongUrl, match="certificates are for"):  # libpq ignores the file
            await encryption(url)
        return
    if root == "none" and mode.startswith("verify"):
        return  # libpq wants a file then; we take what this machine trusts
    assert await ours(url) == libpqs(url)


async def ours(url: str) -> bool:
    try:
        await encryption(url)
    except OSError:
        return False
    return True


def libpqs(url: str) -> bool:
    assert PROGRAMS is not None
    done = subprocess.run(
        [PROGRAMS / "psql", "-d", url, "-Atc", "SELECT 1"], capture_output=True, text=True, check=False
    )
    return done.returncode == 0


async def test_brokers_that_ask_for_a_certificate_are_shown_ours(tmp_path: Path) -> None:
    """A server of ours in a broker's place: who shows no certificate, or a stranger's, is not let in."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl: no certificate was made")
    ours, strangers = authority(tmp_path / "ours"), authority(tmp_path / "strangers", "Another CA")
    broker = ours.sign("broker", "IP:127.0.0.1")
    asks = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(ours.certificate))
    asks.load_cert_chain(*broker)
    asks.verify_mode = ssl.CERT_REQUIRED

    async def hello(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hello")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(hello, "127.0.0.1", 0, ssl=asks)
    port = server.sockets[0].getsockname()[1]
    said = []
    for shown in (ours.sign("payouts"), strangers.sign("payouts"), None):
        certificate, key = shown or (None, None)
        settings = Settings(
            database_url=SecretStr(""),
            kafka_bootstrap=f"127.0.0.1:{port}",
            kafka_security_protocol="SSL",
            kafka_ca_file=ours.certificate,
            kafka_certificate_file=certificate,
            kafka_key_file=key,
        )
        said.append(await _said(port, connection(settings)["ssl_context"]))
    server.close()
    assert said == [b"hello", b"", b""]


async def _said(port: int, context: ssl.SSLContext) -> bytes:
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
        try:
            return await asyncio.wait_for(reader.read(5), 10)
        finally:
            writer.close()
    except (ssl.SSLError, ConnectionError):
        return b""
