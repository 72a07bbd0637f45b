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

from console.settings import ConsoleSettings
from fleet.settings import Settings, own_prefix
from hobbs.cli import COMMANDS, GROUPS, assemble
from hobbs.commands.doctor import DoctorSettings
from hobbs.commands.migrate import LoginUrls
from hobbs.commands.rebuild import RebuildSettings
from hobbs.shadow.beside import BesideSettings
from schemas.services import SERVICES
from tests.support.each import of_each

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
EACH_PAGE = of_each(PAGES, named=lambda page: str(page.relative_to(ROOT)))
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
def test_every_make_target_named_exists(page: Path) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    assert words_after(page, "make") <= targets


@cache
def command_line() -> Any:
    return get_command(assemble([*GROUPS, *COMMANDS]))


# In a block of code a command stands on a line of its own; in a sentence, between backquotes.
HOBBS = r"(?:docker compose run --rm operator|(?:\.venv/bin/)?hobbs)"
IN_A_BLOCK = re.compile(rf"^(?:\$ )?{HOBBS} +([^#\n>&;]+)", re.MULTILINE)
IN_A_SENTENCE = re.compile(rf"`{HOBBS} +([^`\n]+)`")
IN_AN_ALERT = re.compile(r"\bhobbs +([a-z][^`\"';:,.(){\n]*)")
BLOCK = re.compile(r"^```\w*\n(.*?)^```", re.MULTILINE | re.DOTALL)


def to_run(text: str) -> list[str]:
    """The commands that blocks of code tell a reader to type, without `hobbs`."""
    return [command for block in BLOCK.findall(text) for command in IN_A_BLOCK.findall(block)]


def named(text: str) -> list[str]:
    """The commands that sentences name."""
    return IN_A_SENTENCE.findall(BLOCK.sub("", text))


def fault_of(words: list[str], *, group_is_fine: bool = False) -> str:
    """What is wrong with the words after `hobbs`; alternatives are written `a|b`. Empty when nothing is."""
    command: Any = command_line()
    while hasattr(command, "commands") and words and not words[0].startswith("-"):
        several = words[0].split("|")
        if unknown := [word for word in several if word not in command.commands]:
            return f"there is no {unknown}"
        if len(several) > 1:
            return next(filter(None, (fault_in(command.commands[word], words[1:]) for word in several)), "")
        command, words = command.commands[words[0]], words[1:]
    only_helps = hasattr(command, "commands") and not command.invoke_without_command
    if only_helps and words != ["--help"] and not group_is_fine:
        return "it is a group, and only prints help"
    return fault_in(command, words)


def fault_in(command: Any, words: list[str]) -> str:
    known = {
        option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)
    }
    used = {word.strip("[]").partition("=")[0] for word in words if re.match(r"\[?--?[a-z]", word)}
    return f"it has no option {used - known}" if used - known - {"--help"} else ""


@EACH_PAGE
def test_every_command_to_type_exists_with_its_options(page: Path) -> None:
    faults = [(c, fault_of(c.split())) for c in to_run(page.read_text(encoding="utf-8"))]
    assert [fault for fault in faults if fault[1]] == []


@EACH_PAGE
def test_every_command_named_in_a_sentence_exists_with_its_options(page: Path) -> None:
    assert faults_in_sentences(page) == []


def faults_in_sentences(path: Path) -> list[tuple[str, str]]:
    """What a runbook or an alert names is to be typed; elsewhere a group is a name for its commands."""
    is_runbook = path.is_relative_to(ROOT / "docs" / "operations") or path.suffix == ".yml"
    text = path.read_text(encoding="utf-8")
    commands = IN_AN_ALERT.findall(text) if path.suffix == ".yml" else named(text)
    faults = [(c, fault_of(c.split(), group_is_fine=not is_runbook)) for c in commands if "{" not in c]
    return [fault for fault in faults if fault[1]]


SPEAKING = sorted(
    path
    for folder in ("deploy", "fleet", "hobbs", "schemas", "services")
    for pattern in ("*.py", "*.yml", "*.sql")
    for path in (ROOT / folder).rglob(pattern)
)


@of_each(SPEAKING, named=lambda path: str(path.relative_to(ROOT)))
def test_every_command_that_messages_alerts_and_comments_name_exists(path: Path) -> None:
    assert faults_in_sentences(path) == []


@pytest.mark.parametrize(
    ("command", "fault"),
    [
        ("transfers payees", "it is a group, and only prints help"),
        ("transfers payees lost", "there is no ['lost']"),
        ("transfers list --stat held", "it has no option {'--stat'}"),
        ("explain flight|flights F1", "there is no ['flights']"),
        ("transfers --help", ""),
        ("transfers payees list", ""),
        ("balances [WALLET] [--kind KIND]", ""),
    ],
)
def test_a_command_that_does_nothing_is_found(command: str, fault: str) -> None:
    assert fault_of(command.split()) == fault


def known_settings() -> set[str]:
    kinds: list[type[Settings]] = [
        LoginUrls,
        ConsoleSettings,
        DoctorSettings,
        RebuildSettings,
        BesideSettings,
    ]
    for service in SERVICES:
        if (ROOT / "services" / service / "settings.py").exists():
            module = importlib.import_module(f"services.{service}.settings")
            kinds += [
                kind
                for kind in vars(module).values()
                if isinstance(kind, type) and issubclass(kind, Settings)
            ]
    return {f"HOBBS_{field.upper()}" for kind in kinds for field in kind.model_fields}


def is_setting(name: str, known: set[str]) -> bool:
    """Whether it is a setting, perhaps in a file, perhaps one service's own in a process of several."""
    prefixes = ("HOBBS_", *map(own_prefix, SERVICES))
    ends = [name.removeprefix(prefix) for prefix in prefixes if name.startswith(prefix)]
    return any(f"HOBBS_{end.removesuffix(suffix)}" in known for end in ends for suffix in ("", "_FILE"))


def test_every_setting_in_the_docs_exists() -> None:
    known = known_settings() | {
        "HOBBS_WORK_PROCESSES",
        "HOBBS_SHARE_ROLES",
        "HOBBS_FAULTS",
        "HOBBS_VERSION",
        "HOBBS_X",
    }
    for page in (*(ROOT / "docs").rglob("*.md"), ROOT / "README.md"):
        named = set(re.findall(r"`(HOBBS_[A-Z_]+[A-Z])", page.read_text(encoding="utf-8")))
        assert {name for name in named if not is_setting(name, known)} == set(), page


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
