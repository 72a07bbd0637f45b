"""What a process serves at /metrics, read as series."""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from prometheus_client import REGISTRY
from prometheus_client.parser import text_string_to_metric_families

from schemas.services import CONSOLE

LabelSet = frozenset[tuple[str, str]]

# Their reasons cannot be listed: a constraint that no rule foresaw refuses under its own name.
WITH_NAMES_OF_CONSTRAINTS = {"ledger_journals_refused", "ledger_holds_refused"}

_FRESH = """
import importlib, sys
from prometheus_client import generate_latest
importlib.import_module(f"{sys.argv[1]}.app").build()
sys.stdout.buffer.write(generate_latest())
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


@cache
def fresh_series(service: str) -> tuple[Series, ...]:
    """What a worker of the service serves before it has done anything: built in a process of its own."""
    package = service if service == CONSOLE else f"services.{service}"
    built = subprocess.run(
        [sys.executable, "-c", _FRESH, package], env=os.environ | _NOWHERE, capture_output=True, text=True
    )
    assert built.returncode == 0, built.stderr
    return tuple(
        Series(name=sample.name, labels=sample.labels, value=sample.value)
        for family in text_string_to_metric_families(built.stdout)
        for sample in family.samples
    )


def labelled() -> dict[str, set[LabelSet]]:
    """The label sets of each labelled metric in this process, a histogram's buckets as one."""
    found: dict[str, set[LabelSet]] = {}
    for family in REGISTRY.collect():
        for sample in family.samples:
            if labels := frozenset(pair for pair in sample.labels.items() if pair[0] != "le"):
                found.setdefault(family.name, set()).add(labels)
    return found
