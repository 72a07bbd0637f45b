"""The simulator for others: it runs by itself, says what it has, and its README is what its tables are."""

import inspect
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from hobbs.local.stripe_sim import admin, faults, not_simulated, pages, routes, triggers, usage

README = (Path(admin.__file__).parent / "README.md").read_text(encoding="utf-8")
METHODS = re.compile(r"(?:`([^`]+)` )?((?:GET|POST|DELETE)(?: (?:GET|POST|DELETE))*)")


def section(title: str) -> str:
    return README.partition(f"\n## {title}")[2].partition("\n## ")[0]


def routes_in_the_readme() -> Iterator[tuple[str, str]]:
    """Method and path of every cell entry of the table of routes."""
    for line in section("Routes").splitlines():
        cells = [cell.strip() for cell in line.split("|")]
        if len(cells) > 3 and cells[1].startswith("`/"):
            for below, methods in METHODS.findall(cells[2]):
                for method in methods.split():
                    yield method, cells[1].strip("`") + below


def test_the_readme_has_every_route_and_no_other() -> None:
    there = [(method, path) for method, path, _, _ in routes.ALL]
    assert sorted(routes_in_the_readme()) == sorted(there)


def test_the_readme_has_every_admin_call_trigger_fault_and_page() -> None:
    calls = re.findall(r'\("(?:GET|POST|DELETE)", "([a-z_/]+)"\)', inspect.getsource(admin))
    named = section("Admin API")
    missing = [name for name in [*calls, *triggers.CAUSES] if name not in named and name != "healthz"]
    missing += [kind for kind in faults.KINDS if f"`{kind}`" not in section("Faults")]
    missing += [prefix for prefix in pages.PAGES if f"`{prefix}" not in section("Pages")]
    assert missing == []


def test_help_says_what_there_is_and_what_is_refused() -> None:
    told = " ".join(usage.epilog().split())
    for path in {not_simulated.resource(row[1]) for row in routes.ALL}:
        assert path in told
    for word in ("does not simulate", "restricted_keys", "README.md", *faults.KINDS):
        assert word in told


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[tuple["subprocess.Popen[bytes]", str]]:
    """A simulator started with no argument at all, in a folder of its own for temporary files."""
    process = subprocess.Popen(
        [sys.executable, "-m", "hobbs.local.stripe_sim"],
        stdout=subprocess.PIPE,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    assert process.stdout is not None
    yield process, json.loads(process.stdout.readline())["url"]
    process.kill()
    process.wait()
    process.stdout.close()


def test_it_runs_alone_and_leaves_nothing_behind(
    alone: tuple["subprocess.Popen[bytes]", str], tmp_path: Path
) -> None:
    process, url = alone
    key = ("sk_test_anything", "")
    made = httpx.post(f"{url}/v1/customers", data={"email": "a@example.com"}, auth=key)
    assert made.json()["object"] == "customer"
    assert [path.name[:11] for path in tmp_path.iterdir()] == ["stripe-sim-"]
    process.terminate()
    assert process.wait(20) == 0
    assert list(tmp_path.iterdir()) == []
