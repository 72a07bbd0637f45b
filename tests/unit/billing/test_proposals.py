"""Who may propose and approve other amounts of a card, and when a proposal is void."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

import pytest

from services.billing.domain.proposals import (
    Proposal,
    ProposalState,
    objection_to_approving,
    objection_to_proposing,
)

OLD = {"model": "owned", "rate_per_hour": 16500, "owner_share_per_hour": 12000}
KNOWN = frozenset({"rate_per_hour", "owner_share_per_hour", "fuel_per_hour"})
PROPOSED = Proposal(
    id=UUID(int=1),
    kind="aircraft",
    key="N364MA",
    effective_from=date(2026, 12, 1),
    old=OLD,
    new=OLD | {"rate_per_hour": 17500},
    proposed_by="paula",
    why="fuel is dearer",
)


@pytest.mark.parametrize(
    ("old", "amounts", "said"),
    [
        (OLD, {"rate_per_hour": 17500}, None),
        (OLD, {"rate_per_hour": 16500}, "as they are"),
        (OLD, {"fuel_per_hour": 100}, "no amount fuel_per_hour"),
        (OLD, {"model": 1}, "no amount model"),
        (OLD, {"rate_per_hour": -1}, "0 or more"),
        (OLD, {"rate_per_hour": True}, "whole number"),
        (OLD, {"rate_per_hour": "175"}, "whole number"),
        (None, {"rate_per_hour": 17500}, "no such card"),
    ],
)
def test_a_proposal_is_another_amount_that_the_card_has(
    old: Mapping[str, Any] | None, amounts: Mapping[str, object], said: str | None
) -> None:
    found = objection_to_proposing(old, amounts, KNOWN)
    assert found is None if said is None else said in (found or "")


def test_the_maker_is_never_the_checker_and_what_was_looked_at_is_approved() -> None:
    assert objection_to_approving(PROPOSED, by_its_maker=False, standing=OLD) is None
    assert "somebody else" in (objection_to_approving(PROPOSED, by_its_maker=True, standing=OLD) or "")
    for standing in (None, OLD | {"rate_per_hour": 17000}):
        said = objection_to_approving(PROPOSED, by_its_maker=False, standing=standing)
        assert "propose it again" in (said or "")
    for state in (ProposalState.APPROVED, ProposalState.REJECTED):
        decided = replace(PROPOSED, state=state)
        assert "already" in (objection_to_approving(decided, by_its_maker=False, standing=OLD) or "")


def test_a_proposal_says_each_amount_before_and_after() -> None:
    assert PROPOSED.changes() == [{"setting": "rate_per_hour", "before": 16500, "after": 17500}]
