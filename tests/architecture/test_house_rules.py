"""House rules of every module: sizes of files and functions, names, imports. Rooms have test_rooms.py."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.support.each import of_each

ROOT = Path(__file__).resolve().parents[2]
FORBIDDEN_NAMES = {"utils", "util", "common", "helpers", "helper", "misc", "base", "manager", "exceptions"}
FILE_LINES_MAX, FUNCTION_LINES_MAX = 400, 70


def tracked(pattern: str) -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", pattern],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


PYTHON = tracked("*.py")
MODULES = [
    path
    for path in PYTHON
    if path.relative_to(ROOT).parts[0] in ("fleet", "schemas", "services", "hobbs", "console")
]


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def test_there_is_something_to_check() -> None:
    assert len(MODULES) > 30


@of_each(PYTHON, named=name)
def test_a_file_has_one_job(path: Path) -> None:
    assert path.read_text(encoding="utf-8").count("\n") <= FILE_LINES_MAX


@of_each(PYTHON, named=name)
def test_a_function_fits_one_look(path: Path) -> None:
    functions = (n for n in ast.walk(tree(path)) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef))
    long = {f.name for f in functions if (f.end_lineno or f.lineno) - f.lineno >= FUNCTION_LINES_MAX}
    assert long == set()


@of_each(PYTHON, named=name)
def test_a_name_says_something(path: Path) -> None:
    assert path.stem not in FORBIDDEN_NAMES


@of_each(MODULES, named=name)
def test_nothing_is_mocked_and_no_service_imports_another(path: Path) -> None:
    parts = path.relative_to(ROOT).parts
    for module in imports(path):
        assert "mock" not in module
        if parts[0] == "services" and len(parts) > 2:
            assert not re.match(r"services\.(?!" + parts[1] + r"\b)", module), module
            assert not module.startswith("hobbs"), module
        if parts[0] in ("fleet", "schemas"):
            assert module.split(".")[0] not in {
                "services",
                "hobbs",
                {"fleet": "schemas", "schemas": "fleet"}[parts[0]],
            }


@of_each(MODULES, named=name)
def test_one_module_makes_time_zones(path: Path) -> None:
    """Else somebody reads the host's rules (decision 0171)."""
    calls = (node.func for node in ast.walk(tree(path)) if isinstance(node, ast.Call))
    made = [func for func in calls if ast.unparse(func).split(".")[-1] == "ZoneInfo"]
    assert name(path) == "fleet/zones.py" or made == []


@of_each(MODULES, named=name)
def test_a_wait_that_ends_hides_no_cancellation(path: Path) -> None:
    """As `asyncio.wait_for` of Python 3.11 does (fleet/signals.py): a worker would never end."""
    calls = (node.func for node in ast.walk(tree(path)) if isinstance(node, ast.Call))
    assert [func for func in calls if ast.unparse(func) == "asyncio.wait_for"] == []


def test_a_package_of_tests_lies_in_packages() -> None:
    """Else pytest names two modules alike, and runs the one's tests in the other's place."""
    folders = {
        path.parent for path in PYTHON if path.name == "__init__.py" and path.is_relative_to(ROOT / "tests")
    }
    between = {
        parent for folder in folders for parent in folder.parents if parent.is_relative_to(ROOT / "tests")
    }
    assert between <= folders


def test_no_commit_names_a_machine_or_a_package_registry() -> None:
    hosts = re.compile(r"https?://\S*(?:/simple\b|/maven2?/|/packages/[0-9a-f]{2}/|registry\.)", re.I)
    paths = re.compile(r"(?<![\w.])/(?:work|root|home/\w+)/")
    found = []
    for path in tracked("*"):
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        if path != Path(__file__) and (hosts.search(text) or paths.search(text)):
            found.append(name(path))
    assert found == []
