"""How far a consumer group may be behind before the doctor says so: a matter of its pace, not of records."""

import pytest

from fleet.shadows import Mark
from hobbs.doctor.backlog import Backlog
from hobbs.doctor.findings import State
from hobbs.doctor.kafka import judge, planned_topics
from schemas.topics import TOPICS


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


def test_at_a_shadow_only_its_own_topics_and_the_flights_of_the_live_one_are_planned() -> None:
    mark = Mark(topic_prefix="shadow.", live="", own_book=False)
    planned = {one.full_name: one.consumers for one in planned_topics(mark, "shadow.")}
    assert planned["flight.completed"] == ["billing"]
    assert planned["school.configured"] == ["billing"]
    assert planned["shadow.journal.requested"] == ["ledger"]
    assert (
        not {"shadow.flight.completed", "shadow.stripe.webhook", "shadow.receivables.dead"} & planned.keys()
    )
    own = {one.full_name for one in planned_topics(mark._replace(own_book=True), "shadow.")}
    assert "shadow.school.configured" in own
    assert len(planned_topics(None, "")) == len(TOPICS)
