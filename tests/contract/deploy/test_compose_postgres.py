"""The compose file's Postgres, with its arguments: services reach it over TLS, and nobody in its place.

Debian's server: the embedded one was built without TLS.
"""

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from deploy.make_secrets import PLACE, make_secrets
from fleet.database import Database
from tests.contract.deploy.conftest import load_compose
from tests.support.tls import OWNER, PASSWORD, debians_postgres, postgres_with

PROGRAMS = debians_postgres()
pytestmark = pytest.mark.skipif(PROGRAMS is None, reason="no PostgreSQL of Debian's with openssl here")


@dataclass(frozen=True, slots=True, kw_only=True)
class Composed:
    port: int
    secrets: Path

    def url(self, ca: Path) -> str:
        """A service's, with the words that `make secrets` writes, and another host of the certificate's."""
        place = PLACE.replace("postgres:5432/hobbs", f"localhost:{self.port}/postgres")
        return f"postgresql://{OWNER}:{PASSWORD}@{place.replace('/run/secrets/postgres_ca', str(ca))}"


@pytest.fixture(scope="module")
def composed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Composed]:
    assert PROGRAMS is not None
    folder = tmp_path_factory.mktemp("composed")
    make_secrets(folder / "secrets")
    container = load_compose()["services"]["postgres"]
    copies, keystore = container["entrypoint"][2].split(" && ")[0], folder / "keystore"
    words = copies.replace("/run/secrets", str(folder / "secrets")).replace("/tmp/keystore", str(keystore))
    subprocess.run(words.split(), check=True)
    arguments = [word for word in container["command"] if "=" in word]
    settings = [word.replace("/tmp/keystore", str(keystore)) for word in arguments]
    with postgres_with(PROGRAMS, folder / "server", settings, files=[keystore]) as port:
        yield Composed(port=port, secrets=folder / "secrets")


async def encryption(url: str) -> str:
    database = Database(url, schema="public", pool_size=1)
    try:
        async with database.transaction() as tx:
            row = await tx.one("SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
            return str(row.version)
    finally:
        await database.close()


async def test_services_reach_it_over_tls(composed: Composed) -> None:
    assert await encryption(composed.url(composed.secrets / "postgres_ca")) == "TLSv1.3"


async def test_a_server_with_another_installations_certificate_gets_no_password(
    composed: Composed, tmp_path: Path
) -> None:
    make_secrets(tmp_path / "others")
    with pytest.raises(Exception, match="certificate verify failed"):
        await encryption(composed.url(tmp_path / "others" / "postgres_ca"))


def test_every_url_verifies_the_server(composed: Composed) -> None:
    urls = [path.read_text().strip() for path in composed.secrets.glob("*_database_url")]
    assert urls
    assert all(url.endswith(PLACE) for url in urls)
    given = load_compose()["services"]
    for name, container in given.items():
        reads = any(
            str(variable).endswith("_DATABASE_URL_FILE") for variable in container.get("environment", {})
        )
        assert ("postgres_ca" in container.get("secrets", [])) is reads, name
