"""What gets installed is pinned to the byte, and says nothing of where it came from."""

import re
import tomllib
from pathlib import Path

import pytest

from bootstrap import requirement_of

ROOT = Path(__file__).resolve().parents[3]
FILES = ("requirements.txt", "requirements-dev.txt")
REQUIREMENT = re.compile(
    r"^([a-z0-9-]+)(?:\[[a-z,-]+\])?==([^ ;\\]+).*((?:\n +--hash=sha256:[0-9a-f]{64}.*)+)", re.MULTILINE
)


def pins(file: str) -> dict[str, str]:
    return {name: version for name, version, _ in REQUIREMENT.findall((ROOT / file).read_text())}


def asked_for(*extras: str) -> dict[str, str]:
    """The exact pins of pyproject.toml, of the runtime and of these extras."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lines = [
        *project["dependencies"],
        *(line for e in extras for line in project["optional-dependencies"][e]),
    ]
    return {re.split(r"[\[=]", line)[0]: line.partition("==")[2] for line in lines}


@pytest.mark.parametrize("file", FILES)
def test_every_requirement_is_pinned_with_hashes_and_no_registry_is_named(file: str) -> None:
    text = (ROOT / file).read_text()
    requirements = [line for line in text.splitlines() if line and not line.startswith((" ", "#"))]
    assert len(requirements) == len(REQUIREMENT.findall(text)) > 20
    assert "://" not in text
    assert "--index" not in text


def test_the_requirements_are_what_pyproject_asks_for() -> None:
    assert asked_for().items() <= pins("requirements.txt").items()
    assert asked_for("local", "dev").items() <= pins("requirements-dev.txt").items()


def test_what_an_image_installs_is_tested_in_the_same_version_and_brings_no_embedded_server() -> None:
    assert pins("requirements.txt").items() <= pins("requirements-dev.txt").items()
    assert not asked_for("local").keys() - asked_for().keys() & pins("requirements.txt").keys()


def test_bootstrap_finds_the_pin_of_its_own_tool() -> None:
    found = requirement_of("uv")
    assert found.startswith(f"uv=={pins('requirements-dev.txt')['uv']}")
    assert found.count("--hash=") > 5
    assert "\n\n" not in found
