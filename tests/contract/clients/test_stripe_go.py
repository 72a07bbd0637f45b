"""Flows of the official stripe-go, as its README has them, against the simulator.

All run in one process; each is a test here. Skipped, saying ABSENT, without go 1.23 or the module proxy.
"""

import pytest

from tests.contract.clients import flows

NAMES = flows.names("go", r'^\t\{"(.+?)", \w+\},$')


@pytest.mark.parametrize("name", NAMES)
def test_with_stripe_go(go: flows.Run, name: str) -> None:
    go.judge(name)


def test_every_flow_of_stripe_go_is_a_test(go: flows.Run) -> None:
    assert set(go.outcomes) == set(NAMES)
    assert len(NAMES) == len(set(NAMES))
