"""Run the flows of one client against the simulator, all in one process, and read what became of each."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hobbs.local.stack import Simulator
from tests.contract.clients.installed import FOLDER, bounded

Doc = dict[str, Any]

RUN_S_MAX = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    outcomes: dict[str, Doc]
    """By flow: {passed, said, absent, wire, ms}."""
    said: str

    def judge(self, name: str) -> None:
        """Fail, skip or pass the test of one flow."""
        outcome = self.outcomes.get(name)
        assert outcome is not None, f"the flow did not run: {self.said[-2_000:]}"
        if "absent" in outcome:
            pytest.skip(f"ABSENT: {outcome['absent']}")
        assert outcome["passed"], outcome["said"]


def names(folder: str, pattern: str) -> list[str]:
    """The names of a client's flows, read from its sources before anything is installed."""
    sources = sorted((FOLDER / folder).glob("*.mjs")) + sorted((FOLDER / folder).glob("main.go"))
    return [
        name
        for source in sources
        for name in re.findall(pattern, source.read_text(encoding="utf-8"), re.MULTILINE)
    ]


def run(command: tuple[str, ...], simulator: Simulator, folder: Path) -> Run:
    given = {
        "HOBBS_SIM_URL": simulator.api_base,
        "HOBBS_SIM_KEY": simulator.secret_key,
        "HOBBS_CLIENT_FOLDER": str(folder),
    }
    _, said = bounded(command, FOLDER, RUN_S_MAX, given)
    lines = [json.loads(line) for line in said.splitlines() if line.startswith('{"')]
    return Run(outcomes={line["flow"]: line for line in lines if "flow" in line}, said=said)
