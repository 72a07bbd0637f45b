"""A new service is one registration and its folder: docs/adding-a-service.md, followed in a copy."""

import json
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from hobbs.local.ports import free_port
from schemas.services import LOGINS
from tests.support.databases import Cluster, run_statement
from tests.system.test_work import eventually, is_well

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "adding-a-service.md"
NEW = "logbook"
ROW = f"| {NEW} | nothing | `{NEW}.dead` | nothing yet |\n"
Settings = Mapping[str, str]

WHO_KNOWS_IT = """
import json, pathlib, sys
from bench import path, soak_samples
from hobbs.commands.migrate import LoginUrls
from hobbs.demo import figures as demo_figures
from hobbs.local.fleet_processes import Fleet, fleet_ports, role_passwords
from schemas.topics import TOPICS
from tests.chaos.mix import disturbances
from tests.checker.event_rules import SERVICES as checked
from tests.checker.reading import _QUERIES
from tests.crash.drill import plan_run
from tests.mutants.__main__ import SERVICES as mutated

folder, new = pathlib.Path(sys.argv[1]), sys.argv[2]
ports, passwords = fleet_ports(folder), role_passwords(folder)
fleet = Fleet(folder=folder, owner_url="postgresql://o:p@127.0.0.1:1/d", kafka_bootstrap="k", ports=ports,
              stripe_api_base="s", stripe_secret_key="sk", passwords=passwords, webhook_secrets={})
print(json.dumps({
    "topics": f"{new}.dead" in TOPICS,
    "login URLs": f"{new}_database_url" in LoginUrls.model_fields,
    "processes": fleet.environment(new)["HOBBS_OPS_PORT"] == str(ports[f"{new}_ops"]),
    "no secret of another": not [name for name in fleet.environment(new) if "STRIPE" in name],
    "demo": f"{new}.outbox" in demo_figures._UNDER_WAY,
    "checker": new in checked and f"{new}.dead_letter" in _QUERIES,
    "crash": new in plan_run(1),
    "chaos": new in {one.service for one in disturbances(1, 200)},
    "mutants": new in mutated,
    "bench": new in path.OTHERS,
    "soak": f"{new}.outbox" in soak_samples._WAITING,
}))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """A copy of the tree in which the page was followed; commands run in it, on the copy's own code."""

    folder: Path

    def run(self, *command: str, expect: int = 0, settings: Settings | None = None) -> str:
        result = subprocess.run(
            command,
            cwd=self.folder,
            env=environment(settings or {}),
            capture_output=True,
            text=True,
            check=False,
        )
        assert result.returncode == expect, result.stdout + result.stderr
        return result.stdout

    def python(self, *arguments: str, settings: Settings | None = None) -> str:
        return self.run(sys.executable, *arguments, settings=settings)


def environment(settings: Settings) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("HOBBS_", "GIT_"))}
    return {**kept, **settings}


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    """The tree as it is, with an empty service added by the page's steps 1, 2, 4 and 5."""
    made = Copy(folder=tmp_path_factory.mktemp("copy"))
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in filter(lambda name: (ROOT / name).is_file(), listed.stdout.splitlines()):
        (made.folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, made.folder / name)
    made.run("git", "init", "--quiet")
    page = PAGE.read_text(encoding="utf-8")
    [registration] = re.findall(r"`(Service\(.*\),)`", page)
    amend(made.folder / "schemas" / "services.py", r"(?<=\n)(?=\)\n\nBY_NAME)", f"    {registration}\n")
    for name, text in re.findall(r"^`([\w./]+)`:\n\n```\w+\n(.*?)^```", page, re.MULTILINE | re.DOTALL):
        (made.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (made.folder / name).write_text(text)
    amend(made.folder / "docs" / "architecture.md", r"(?<=\n)(?=\| ledger \|)", ROW)
    (made.folder / ".venv").symlink_to(ROOT / ".venv")
    [targets] = re.findall(r"`make (services [a-z ]+)`", page)
    made.run("make", "--old-file=.venv/.complete", f"BIN={Path(sys.executable).parent}", *targets.split())
    return made


def amend(file: Path, place: str, text: str) -> None:
    amended, times = re.subn(place, text.replace("\\", r"\\"), file.read_text(encoding="utf-8"))
    assert times == 1, file
    file.write_text(amended, encoding="utf-8")


@pytest.fixture
async def empty_database(cluster: Cluster) -> AsyncIterator[str]:
    name = f"adding_{secrets.token_hex(6)}"
    await run_statement(cluster.url, f"CREATE DATABASE {name}")
    yield cluster.database(name)
    await run_statement(cluster.url, f"DROP DATABASE {name} WITH (FORCE)")
    await run_statement(cluster.url, f"DROP ROLE IF EXISTS hobbs_{NEW}")


async def test_it_is_migrated_starts_gets_ready_and_drains(
    copy: Copy, empty_database: str, kafka: str
) -> None:
    place = empty_database.partition("@")[2]
    told = {
        "HOBBS_KAFKA_BOOTSTRAP": kafka,
        "HOBBS_TOPIC_PREFIX": f"adding-{secrets.token_hex(3)}.",
        f"HOBBS_{NEW.upper()}_DATABASE_URL": f"postgresql://hobbs_{NEW}:{NEW}-password@{place}",
    }
    owner = told | {"HOBBS_DATABASE_URL": empty_database}
    made = copy.python("-m", "hobbs", "migrate", "--share-roles", "-o", "json", settings=owner)
    assert {f"{NEW}", f"{NEW}.dead"} <= {row["name"] for row in json.loads(made)}
    own = told[f"HOBBS_{NEW.upper()}_DATABASE_URL"]
    connection = await asyncpg.connect(own, server_settings={"search_path": NEW})
    assert await connection.fetchval("SELECT count(*) FROM dead_letter") == 0
    await connection.close()
    port = free_port()
    said = gets_ready_and_drains(copy, told | {"HOBBS_DATABASE_URL": own, "HOBBS_OPS_PORT": str(port)}, port)
    assert '"stopped"' in said


def gets_ready_and_drains(copy: Copy, told: Settings, port: int) -> str:
    """What the worker logged."""
    with subprocess.Popen(
        [sys.executable, "-m", "hobbs", "work", NEW],
        cwd=copy.folder,
        env=environment(told),
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            eventually(lambda: process.poll() is not None or is_well(port), f"{NEW} is ready")
            process.send_signal(signal.SIGTERM)
            _, said = process.communicate(timeout=29)
            assert process.returncode == 0, said
            return said
        finally:
            process.kill()


def test_everything_that_lists_services_has_it(copy: Copy, tmp_path: Path) -> None:
    found: dict[str, Any] = json.loads(copy.python("-c", WHO_KNOWS_IT, str(tmp_path), NEW))
    assert [what for what, holds in found.items() if not holds] == []


def test_its_secrets_are_made_without_anything_installed(copy: Copy, tmp_path: Path) -> None:
    copy.run(sys.executable, "-I", "-S", "deploy/make_secrets.py", "--folder", str(tmp_path))
    made = {path.name for path in tmp_path.iterdir()}
    assert {f"{login}_database_url" for login in (*LOGINS, NEW)} <= made


def test_the_copy_passes_the_tests_that_hold_files_to_the_registry(copy: Copy) -> None:
    copy.python(
        *("-m", "pytest", "-x", "-q", "-p", "no:cacheprovider"),
        *("tests/architecture/test_services.py", "tests/contract/deploy/test_compose.py"),
        *(
            "tests/contract/schemas/test_generated.py",
            "tests/unit/hobbs/test_invariants.py",
            "tests/crash/test_registry.py",
        ),
        *("-k", "not by_hand"),  # reads every file; the tree itself was read
    )


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("app.py", "import services.ledger.domain\n"),
        ("app.py", "import hobbs.shell.output\n"),
        ("app.py", "import stripe\n"),
        ("domain.py", f"import services.{NEW}.app\n"),
    ],
    ids=["another service", "the command line", "stripe", "from domain to app"],
)
def test_an_import_it_must_not_have_breaks_a_contract(copy: Copy, file: str, text: str) -> None:
    path = copy.folder / "services" / NEW / file
    before = path.read_text() if path.exists() else None
    lint = str(Path(sys.executable).parent / "lint-imports")
    assert " 0 broken" in copy.run(lint, "--no-cache")
    try:
        path.write_text((before or "") + text)
        said = copy.run(lint, "--no-cache", expect=1)
    finally:
        path.unlink() if before is None else path.write_text(before)
    assert (" 1 broken" in said, f"services.{NEW}.{path.stem}" in said) == (True, True), said
