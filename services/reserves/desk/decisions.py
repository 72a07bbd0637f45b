"""What people may decide about the school's money at Stripe."""

from collections.abc import Mapping
from typing import Final

from fleet.decisions import Action
from services.reserves.desk import gate, mismatches, reconciliation

ACTIONS: Final[Mapping[str, Action]] = {**reconciliation.ACTIONS, **gate.ACTIONS, **mismatches.ACTIONS}
