"""What the pages say exists: files, constraints, tests, commands, settings, metrics."""

import importlib
import json
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.main import get_command

from fleet.settings import Settings
from hobbs.cli import COMMANDS, GROUPS, assemble
from hobbs.commands.ops import LoginUrls
from schemas.services import SERVICES

ROOT = Path(__file__).resolve().parents[3]
PAGES = sorted(
    ROOT / name
    for name in subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    if (ROOT / name).is_file()
)
EACH_PAGE = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
LINK = re.compile(r"\[(?P<text>[^\]]+)\]\((?P<target>[^)#\s]+)(?:#[^)]*)?\)")


def links(page: Path) -> Iterator[tuple[str, Path]]:
    for link in LINK.finditer(page.read_text(encoding="utf-8")):
        if "://" not in link["target"]:
            yield link["text"], (page.parent / link["target"]).resolve()


def words_after(page: Path, word: str) -> set[str]:
    """What follows a word in code: `hobbs dead list`, or lines of a shell example."""
    text = page.read_text(encoding="utf-8")
    return set(re.findall(rf"(?:`|^|\n){word} ([a-z-]+)", text))


@EACH_PAGE
def test_every_link_leads_to_a_file(page: Path) -> None:
    assert [str(target) for _, target in links(page) if not target.exists()] == []


@EACH_PAGE
def test_what_a_link_names_in_code_is_in_the_file_it_leads_to(page: Path) -> None:
    named = [(text.strip("`"), target) for text, target in links(page) if text.startswith("`")]
    missing = [
        (name, str(target))
        for name, target in named
        if target.is_file() and name not in target.read_text(encoding="utf-8") and name not in str(target)
    ]
    assert missing == []


@EACH_PAGE
def test_every_command_named_exists(page: Path) -> None:
    assert words_after(page, "hobbs") <= {*COMMANDS, *GROUPS}


@EACH_PAGE
def test_every_make_target_named_exists(page: Path) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    assert words_after(page, "make") <= targets


@cache
def command_of(group: str) -> Any:
    return get_command(assemble([group])).commands[group]  # type: ignore[attr-defined]


@EACH_PAGE
def test_every_subcommand_and_option_named_exists(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for group in GROUPS:
        command = command_of(group)
        for rest in re.findall(
            rf"(?:`|\n)(?:docker compose run --rm operator |hobbs ){group} ([a-z|]+[^`\n]*)", text
        ):
            names, *arguments = rest.split()
            for name in names.split("|"):
                assert name in command.commands, f"hobbs {group} {name}"
                known = {word for option in command.commands[name].params for word in option.opts}
                used = {word for word in arguments if re.fullmatch(r"--[a-z-]+|-[a-z]", word)}
                assert used <= known | {"--help"}, f"hobbs {group} {rest}"


def known_settings() -> set[str]:
    kinds: list[type[Settings]] = [LoginUrls]
    for service in SERVICES:
        if (ROOT / "services" / service / "settings.py").exists():
            module = importlib.import_module(f"services.{service}.settings")
            kinds += [
                kind
                for kind in vars(module).values()
                if isinstance(kind, type) and issubclass(kind, Settings)
            ]
    return {f"HOBBS_{field.upper()}" for kind in kinds for field in kind.model_fields}


def test_every_setting_in_the_docs_exists() -> None:
    known = known_settings() | {"HOBBS_WORK_PROCESSES", "HOBBS_FAULTS", "HOBBS_VERSION", "HOBBS_X"}
    for page in (*(ROOT / "docs").rglob("*.md"), ROOT / "README.md"):
        named = set(re.findall(r"`(HOBBS_[A-Z_]+[A-Z])", page.read_text(encoding="utf-8")))
        assert {
            name for name in named if name not in known and name.removesuffix("_FILE") not in known
        } == set(), page


METRIC = re.compile(rf"\b(?:{'|'.join(('fleet', *SERVICES))})_[a-z_]+")


def measured() -> set[str]:
    """Every metric that the code declares; a histogram by its parts too."""
    sources = [*(ROOT / "fleet").glob("*.py"), *(ROOT / "services").rglob("*.py")]
    quoted = {
        name
        for source in sources
        for name in re.findall(rf'"({METRIC.pattern[2:]})"', source.read_text(encoding="utf-8"))
    }
    return quoted | {f"{name}_bucket" for name in quoted if name.endswith("_seconds")}


def test_every_metric_alerted_on_is_measured_and_every_alert_explained() -> None:
    text = (ROOT / "deploy" / "prometheus" / "hobbs.rules.yml").read_text(encoding="utf-8")
    page = (ROOT / "docs" / "operations" / "monitoring.md").read_text(encoding="utf-8")
    rules = [rule for group in yaml.safe_load(text)["groups"] for rule in group["rules"]]
    for rule in rules:
        assert set(METRIC.findall(rule["expr"])) <= measured(), rule["alert"]
        assert f"`{rule['alert']}`" in page


def test_every_metric_on_the_dashboard_is_measured() -> None:
    dashboard = json.loads((ROOT / "deploy" / "grafana" / "hobbs.json").read_text(encoding="utf-8"))
    for panel in dashboard["panels"]:
        for target in panel["targets"]:
            named = set(METRIC.findall(target["expr"]))
            assert named, panel["title"]
            assert named <= measured(), panel["title"]
