"""A pytest plugin that reports the first failure, and the files that the code under test was imported from.

Loaded with `-p tests.mutants.witness`; writes JSON to the file that HOBBS_MUTANTS_WITNESS names.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

PACKAGES = ("fleet", "schemas", "services", "hobbs", "console", "tests")

_observed: dict[str, Any] = {"passed": 0, "first_failure": None}


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    report = (yield).get_result()
    if report.failed and _observed["first_failure"] is None:
        error = call.excinfo
        _observed["first_failure"] = {
            "test": item.nodeid,
            "phase": report.when,
            "error": [kind.__name__ for kind in type(error.value).__mro__] if error else [],
            "message": str(error.value).strip().partition("\n")[0][:300] if error else "",
        }
    _observed["passed"] += report.when == "call" and report.passed


def pytest_collectreport(report: pytest.CollectReport) -> None:
    if report.failed and _observed["first_failure"] is None:
        _observed["first_failure"] = {
            "test": report.nodeid,
            "phase": "collect",
            "error": [],
            "message": str(report.longrepr)[-300:],
        }


def pytest_sessionfinish(session: pytest.Session) -> None:
    _observed["imported"] = imported()
    Path(os.environ["HOBBS_MUTANTS_WITNESS"]).write_text(json.dumps(_observed), encoding="utf-8")


def imported() -> dict[str, str]:
    """The file of every Hobbs module that this process imported, by module name."""
    return {
        name: str(Path(file).resolve())
        for name, module in list(sys.modules.items())
        if name.split(".")[0] in PACKAGES and (file := getattr(module, "__file__", None))
    }
