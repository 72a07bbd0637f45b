"""A default is said once, in the settings: a dataclass, a parameter or a constant that repeats it drifts."""

import ast
import importlib
import inspect
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

import fleet
from fleet.settings import Settings

ROOT = Path(fleet.__file__).resolve().parents[1]
PLACES = ["fleet", *sorted(path.parent.name for path in (ROOT / "services").glob("*/app.py"))]
UNITS = {"s", "max", "min"}


def words(name: str) -> frozenset[str]:
    """What a name is about, without its unit: `stopped_probe_s` and `STOPPED_PROBE` are the same."""
    return frozenset(name.lower().split("_")) - UNITS - {""}


def settings_of(place: str) -> type[Settings]:
    """The settings of a service, or fleet's own."""
    if place == "fleet" or not (ROOT / "services" / place / "settings.py").exists():
        return Settings
    module = importlib.import_module(f"services.{place}.settings")
    found = [k for _, k in inspect.getmembers(module, inspect.isclass) if issubclass(k, Settings)]
    return max(found, key=lambda kind: len(kind.__mro__))


def sources(place: str) -> Iterator[Path]:
    folder = ROOT / place if place == "fleet" else ROOT / "services" / place
    return (path for path in folder.rglob("*.py") if path.name != "settings.py")


def is_measure(node: ast.expr | None) -> bool:
    """A number or a span of time, which settings might say; not a flag nor a text."""
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Name) and node.func.id == timedelta.__name__
    return isinstance(node, ast.Constant) and type(node.value) in (int, float) and node.value != 0


def defaults(tree: ast.Module) -> Iterator[str]:
    """Fields and parameters with a default, by name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            fields = [
                line for line in node.body if isinstance(line, ast.AnnAssign) and is_measure(line.value)
            ]
            yield from (line.target.id for line in fields if isinstance(line.target, ast.Name))
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            given = node.args
            last = (given.posonlyargs + given.args)[-len(given.defaults) :] if given.defaults else []
            pairs = [
                *zip(last, given.defaults, strict=True),
                *zip(given.kwonlyargs, given.kw_defaults, strict=True),
            ]
            yield from (argument.arg for argument, value in pairs if is_measure(value))


def constants(tree: ast.Module) -> Iterator[str]:
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        if is_measure(getattr(node, "value", None)):
            yield from (target.id for target in targets if isinstance(target, ast.Name))


def repeated(place: str, text: str) -> set[str]:
    """Names in a source of this place that say again what its settings say."""
    said = [words(name) for name in settings_of(place).model_fields]
    tree = ast.parse(text)
    by_part = {name for name in defaults(tree) if any(words(name) <= field for field in said)}
    return by_part | {name for name in constants(tree) if words(name) in said}


@pytest.mark.parametrize("place", PLACES)
def test_no_default_is_said_twice(place: str) -> None:
    found = {path.name: repeated(place, path.read_text(encoding="utf-8")) for path in sources(place)}
    assert {name: again for name, again in found.items() if again} == {}


@pytest.mark.parametrize(
    "text",
    [
        "class Policy:\n    stopped_probe_s: float = 30.0\n",
        "class Rechecks:\n    unready: timedelta = timedelta(seconds=30)\n",
        "class Pace:\n    concurrency: int = 96\n",
        "def claim(*, lease: timedelta = timedelta(seconds=30)): ...\n",
        "def pool(pool_size: int = 5): ...\n",
        "LEASE = timedelta(seconds=60)\n",
        "TIMER_LEASE_S: Final = 300.0\n",
    ],
)
def test_a_default_that_is_said_twice_is_found(text: str) -> None:
    assert repeated("payouts", text)
