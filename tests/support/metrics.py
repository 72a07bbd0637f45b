"""What a process serves at /metrics, read as series."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from prometheus_client import REGISTRY
from prometheus_client.parser import text_string_to_metric_families

from schemas.services import CONSOLE, SERVICES

LabelSet = frozenset[tuple[str, str]]

# Their reasons cannot be listed: a constraint that no rule foresaw refuses under its own name.
WITH_NAMES_OF_CONSTRAINTS = {"ledger_journals_refused", "ledger_holds_refused"}

# Forks one process for each package, since a process has one registry, and imports what all need once.
_FRESH = """
import importlib, os, sys
from pathlib import Path
import fleet.worker
from prometheus_client import generate_latest
for package in sys.argv[2:]:
    pid = os.fork()
    if pid == 0:
        importlib.import_module(f"{package}.app").build()
        Path(sys.argv[1], package).write_bytes(generate_latest())
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0, package
"""
_NOWHERE = {
    "HOBBS_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/hobbs",
    "HOBBS_KAFKA_BOOTSTRAP": "127.0.0.1:1",
    "HOBBS_STRIPE_SECRET_KEY": "sk_test_nothing",
    "HOBBS_STRIPE_WEBHOOK_SECRETS": "whsec_platform",
    "HOBBS_STRIPE_CONNECT_WEBHOOK_SECRETS": "whsec_connect",
    "HOBBS_CONSOLE_LOGIN": "local",
    "HOBBS_CONSOLE_LOCAL_SECRET": "only-for-this-machine",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One series and its value."""

    name: str
    labels: Mapping[str, str]
    value: float


def fresh_series(service: str) -> tuple[Series, ...]:
    """What a worker of the service serves before it has done anything: built in a process of its own."""
    return _fresh()[service]


@cache
def _fresh() -> dict[str, tuple[Series, ...]]:
    packages = {name: name if name == CONSOLE else f"services.{name}" for name in (*SERVICES, CONSOLE)}
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-c", _FRESH, folder, *packages.values()]
        built = subprocess.run(command, env=os.environ | _NOWHERE, capture_output=True, text=True)
        assert built.returncode == 0, built.stderr
        return {
            name: tuple(
                Series(name=sample.name, labels=sample.labels, value=sample.value)
                for family in text_string_to_metric_families(
                    Path(folder, package).read_text(encoding="utf-8")
                )
                for sample in family.samples
            )
            for name, package in packages.items()
        }


def labelled() -> dict[str, set[LabelSet]]:
    """The label sets of each labelled metric in this process, a histogram's buckets as one."""
    found: dict[str, set[LabelSet]] = {}
    for family in REGISTRY.collect():
        for sample in family.samples:
            if labels := frozenset(pair for pair in sample.labels.items() if pair[0] != "le"):
                found.setdefault(family.name, set()).add(labels)
    return found
