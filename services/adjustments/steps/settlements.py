"""Settles what posted adjustments changed: begins, hears the answers, and tells whoever is concerned.

Everything happens under the locks of the flights, which are taken first and in one order.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from fleet import outbox
from fleet.admitted import Admitted
from fleet.database import Tx
from fleet.envelope import Message
from fleet.faults import fault_point
from fleet.zones import local_date
from schemas.journals import JournalPosted, JournalRefused
from schemas.reversals import ReversalSettled
from schemas.transfers import TransferSent
from services.adjustments import store, wire
from services.adjustments.domain import settlements_told
from services.adjustments.domain.adjustments import PREFIX as ADJUSTMENT_PREFIX
from services.adjustments.domain.adjustments import Adjustment, Move, State
from services.adjustments.domain.settlements import (
    BY_JOURNAL,
    BY_TRANSFER,
    Changes,
    Method,
    Settlement,
    SettlementState,
    Step,
    Terms,
    after_refused_journal,
    after_reversal,
    is_payee,
    is_student,
)
from services.adjustments.domain.settlements import PREFIX, begin as first_settlements
from services.adjustments.steps import moves

WHO: Final = "hobbs"

_log = logging.getLogger(__name__)
