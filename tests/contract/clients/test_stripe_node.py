"""Flows of the official stripe-node, as its README has them, against the simulator.

All run in one node process; each is a test here. Skipped, saying ABSENT, without node 20, npm or packages.
"""

import pytest

from tests.contract.clients import flows

NAMES = flows.names("node", r'^flow\("(.+?)", async')


@pytest.mark.parametrize("name", NAMES)
def test_with_stripe_node(node: flows.Run, name: str) -> None:
    node.judge(name)


def test_every_flow_of_stripe_node_is_a_test(node: flows.Run) -> None:
    assert set(node.outcomes) == set(NAMES)
    assert len(NAMES) == len(set(NAMES))
