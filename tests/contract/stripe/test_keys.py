"""The simulator takes test keys only, and a live key that is lost here leaves no trace.

Sources: docs.stripe.com/keys (sk_ and rk_, test and live), docs.stripe.com/api/authentication (401).
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import stripe

from hobbs.local.stripe_sim.control import Control
from tests.contract.stripe.conftest import Connect


@pytest.mark.parametrize(
    "key", ["sk_live_not_a_key", "rk_live_not_a_key", "pk_test_not_a_key", "sk_org_not_a_key", "not_a_key"]
)
def test_a_key_that_is_no_test_key_is_refused_and_nowhere_repeated(
    connect: Connect, control: Control, key: str
) -> None:
    with pytest.raises(stripe.AuthenticationError) as refused:
        connect(key=key).v1.balance.retrieve()
    assert refused.value.http_status == 401
    [last] = control.requests()[-1:]
    assert (last["path"], last["status"]) == ("/v1/balance", 401)
    assert "not_a_key" not in f"{refused.value} {control.requests()}"


@pytest.mark.parametrize("by_file", [True, False])
def test_the_simulator_does_not_start_with_a_live_key(tmp_path: Path, by_file: bool) -> None:
    command = [sys.executable, "-m", "hobbs.local.stripe_sim", "--data", str(tmp_path)]
    environment = dict(os.environ)
    if by_file:
        (tmp_path / "key").write_text("sk_live_not_a_key\n")
        command += ["--secret-key-file", str(tmp_path / "key")]
    else:
        environment["HOBBS_SIM_SECRET_KEY"] = "sk_live_not_a_key"
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "takes test keys only" in done.stderr
    assert "not_a_key" not in done.stderr + done.stdout
