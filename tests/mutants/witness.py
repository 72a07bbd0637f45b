"""A pytest plugin: what failed first and how, and which files the code under test was imported from.

Loaded with `-p tests.mutants.witness`; writes JSON to the file that HOBBS_MUTANTS_WITNESS names.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

ROOMS = ("fleet", "schemas", "services", "hobbs", "tests")

_seen: dict[str, Any] = {"passed": 0, "first_failure": None}


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    report = (yield).get_result()
    if report.failed and _seen["first_failure"] is None:
        error = call.excinfo
        _seen["first_failure"] = {
            "test": item.nodeid,
            "phase": report.when,
            "error": [kind.__name__ for kind in type(error.value).__mro__] if error else [],
            "said": str(error.value).strip().partition("\n")[0][:300] if error else "",
        }
    _seen["passed"] += report.when == "call" and report.passed


def pytest_collectreport(report: pytest.CollectReport) -> None:
    if report.failed and _seen["first_failure"] is None:
        _seen["first_failure"] = {
            "test": report.nodeid,
            "phase": "collect",
            "error": [],
            "said": str(report.longrepr)[-300:],
        }


def pytest_sessionfinish(session: pytest.Session) -> None:
    _seen["imported"] = imported()
    Path(os.environ["HOBBS_MUTANTS_WITNESS"]).write_text(json.dumps(_seen), encoding="utf-8")


def imported() -> dict[str, str]:
    """The file of every module of ours that this process has."""
    return {
        name: str(Path(file).resolve())
        for name, module in list(sys.modules.items())
        if name.split(".")[0] in ROOMS and (file := getattr(module, "__file__", None))
    }
