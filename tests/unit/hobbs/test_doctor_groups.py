"""How far a consumer group may be behind before the doctor says so: a matter of its pace, not of records."""

import pytest

from hobbs.doctor.backlog import Backlog
from hobbs.doctor.findings import State
from hobbs.doctor.kafka import judge


@pytest.mark.parametrize(
    ("lag", "members", "handled", "state", "fix"),
    [
        (0, 1, 0, State.ok, ""),
        (0, 0, 0, State.warning, "start `hobbs work ledger`"),
        (1, 1, 0, State.warning, "the log of ledger"),
        (9_999, 3, 0, State.warning, "the log of ledger"),
        (5_000, 1, 10, State.warning, "start more processes of ledger"),
        (5_000, 1, 250, State.ok, ""),
        (5_001, 1, 250, State.warning, "start more processes of ledger"),
        (1, 1, 1, State.ok, ""),
    ],
)
def test_a_group_that_does_not_get_through_within_a_minute_is_a_warning(
    lag: int, members: int, handled: int, state: State, fix: str
) -> None:
    finding = judge("ledger.journal.requested", "ledger", Backlog(records=lag, troubles=[]), members, handled)
    assert finding.state is state
    assert finding.fix.startswith(fix)
    assert bool(finding.fix) is bool(fix)
    assert f"{lag} records behind" in finding.found
