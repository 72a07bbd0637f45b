"""The flows of each client, run once per session in one process of that client's language."""

import pytest

from hobbs.local.stack import Simulator
from tests.contract.clients import flows
from tests.contract.clients.installed import FOLDER, Absent, stripe_go, stripe_node


@pytest.fixture(scope="session")
def node(stripe_sim_process: Simulator) -> flows.Run:
    try:
        folder = stripe_node()
    except Absent as absent:
        pytest.skip(f"ABSENT: {absent}")
    return flows.run(("node", str(FOLDER / "node" / "run.mjs")), stripe_sim_process, folder)


@pytest.fixture(scope="session")
def go(stripe_sim_process: Simulator) -> flows.Run:
    try:
        program = stripe_go()
    except Absent as absent:
        pytest.skip(f"ABSENT: {absent}")
    return flows.run((str(program),), stripe_sim_process, program.parent)
