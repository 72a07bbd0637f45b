"""Services are registered once, in schemas/services.py; folders agree, and nobody lists them by hand."""

import ast
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from fleet.revisions import services
from schemas.services import REGISTERED, SERVICES
from tests.architecture.test_house_rules import ROOT, name, tracked
from tests.support.each import of_each

EVERY_SERVICE_HAS = ("__init__.py", "app.py", "fault_points.py", "README.md", "migrations/env.py")
EACH_SERVICE = pytest.mark.parametrize("service", SERVICES)
# Who may name several services side by side, and why.
MAY_LIST = {
    "schemas/services.py": "the registry",
    "schemas/topics.py": "who consumes a topic",
    "schemas/proved.py": "a test holds it to the table of topics",
    "tests/checker/event_rules.py": "the same, found out without the code that is checked",
    "tests/crash/drill.py": "in which order each dies",
    "deploy/prometheus/hobbs.rules.yml": "a test holds it to the registry",
    "deploy/kafka/acls.sh": "written by `make schemas`",
    "docker-compose.yml": "written by `make services`",
    "deploy/compose.small.yml": "written by `make services`",
    "deploy/prometheus/prometheus.yml": "written by `make services`",
    "services/adjustments/reads.sql": "whose views it reads: a test holds it to the code",
}
WORD = "|".join(SERVICES)
ON_ONE_LINE = re.compile(rf"\b({WORD})\b['\"]?\s*[,|]\s*['\"]?({WORD})\b")
SOURCES = [
    path
    for pattern in ("*.py", "*.sql", "*.toml", "*.yml", "*.yaml", "*.sh", "Makefile", "*Dockerfile", ".ci/*")
    for path in tracked(pattern)
]


def test_every_folder_is_registered_and_every_registered_service_has_a_folder() -> None:
    """When this fails: docs/adding-a-service.md."""
    folders = {path.relative_to(ROOT).parts[1] for path in tracked("services/*/*")}
    assert folders == set(SERVICES)
    assert services() == sorted(SERVICES)
    assert len({service.name for service in REGISTERED}) == len(REGISTERED)


@EACH_SERVICE
def test_a_service_has_what_every_service_has(service: str) -> None:
    folder = ROOT / "services" / service
    assert [file for file in EVERY_SERVICE_HAS if not (folder / file).is_file()] == []
    assert f'run_env("{service}")' in (folder / "migrations" / "env.py").read_text(encoding="utf-8")
    assert f'Worker("{service}"' in (folder / "app.py").read_text(encoding="utf-8")


@EACH_SERVICE
def test_a_service_is_in_the_table_of_the_architecture(service: str) -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    assert f"\n| {service} |" in page


@of_each(SOURCES, named=name)
def test_nobody_lists_services_by_hand(path: Path) -> None:
    if name(path) not in MAY_LIST:
        assert list(lists_by_hand(path)) == [], "schemas/services.py has them"


@pytest.mark.parametrize("file", MAY_LIST)
def test_who_may_list_services_still_does(file: str) -> None:
    assert list(lists_by_hand(ROOT / file))


def lists_by_hand(path: Path) -> Iterator[str]:
    """Where a file lists services: in one literal, on one line, or on lines that differ in nothing else."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        nodes = ast.walk(ast.parse(text))
        yield from (ast.unparse(node) for node in nodes if names_in(node) > 1)
    else:
        yield from (line for line in text.splitlines() if ON_ONE_LINE.search(line))
    for before, after in pairwise(text.splitlines()):
        if before != after and "<service>" in masked(after) and masked(before) == masked(after):
            yield after


def names_in(node: ast.AST) -> int:
    """How many services a literal names: elements of a sequence or set, keys of a dictionary, a text."""
    elements: list[ast.expr | None] = []
    if isinstance(node, ast.Tuple | ast.List | ast.Set):
        elements = [*node.elts]
    elif isinstance(node, ast.Dict):
        elements = node.keys
    elif isinstance(node, ast.Constant) and isinstance(node.value, str) and "\n" not in node.value:
        found = re.fullmatch(rf".*?\b({WORD})(?:[|,]({WORD}))+\b.*", node.value)
        return 2 if found else 0
    return len({e.value for e in elements if isinstance(e, ast.Constant) and e.value in SERVICES})


def masked(line: str) -> str:
    return re.sub(rf"\b({WORD})(?=\b|_)|\b({WORD.upper()})(?=_)", "<service>", line)


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("a.py", f'A = ("{SERVICES[0]}", "x", "{SERVICES[1]}")'),
        ("a.py", f'A = {{"{SERVICES[0]}": 1, "{SERVICES[1]}": 2}}'),
        ("a.py", f'A = re.compile("(?:{SERVICES[0]}|{SERVICES[1]})_")'),
        ("a.py", f'a: str = "{SERVICES[0]}_url"\n# {SERVICES[0]}_url\n# {SERVICES[1]}_url'),
        ("a.toml", f'modules = [\n  "services.{SERVICES[0]}",\n  "services.{SERVICES[1]}",\n]'),
        ("a.yml", f"names: [{SERVICES[0]}, {SERVICES[1]}]"),
        ("a.sql", f"UNION ALL TABLE {SERVICES[0]}.outbox\nUNION ALL TABLE {SERVICES[1]}.outbox"),
    ],
)
def test_a_list_by_hand_is_found(tmp_path: Path, file: str, text: str) -> None:
    (tmp_path / file).write_text(text)
    assert list(lists_by_hand(tmp_path / file))
