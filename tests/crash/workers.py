"""Worker processes with planned faults and short waits: seconds where production waits minutes."""

import os
from itertools import count
from pathlib import Path

from hobbs.local.child import Child
from hobbs.local.fleet_processes import Fleet

LEASE_S = 4.0
SHORT_WAITS = {
    "HOBBS_KAFKA_SESSION_TIMEOUT_S": "4",
    "HOBBS_LEASE_S": str(LEASE_S),
    "HOBBS_TIMER_LEASE_S": str(LEASE_S),
    "HOBBS_STRIPE_TIMEOUT_S": "2",
    "HOBBS_BACKOFF_FIRST_S": "0.1",
    "HOBBS_BACKOFF_MAX_S": "1",
    "HOBBS_LOOKUP_GAP_S": "0.3",
    "HOBBS_BALANCE_POLL_S": "1",
    "HOBBS_BALANCE_POLL_MAX_S": "1",
    "HOBBS_RESERVE_POLL_S": "5",
    "HOBBS_RESERVE_READINGS_APART_S": "1",
    "HOBBS_UNREADY_RECHECK_S": "2",
    "HOBBS_UNREADY_RECHECK_MAX_S": "2",
    "HOBBS_UNSETTLED_RECHECK_S": "3",
    "HOBBS_UNSETTLED_RECHECK_MAX_S": "3",
    "HOBBS_READY_RECHECK_S": "30",
    "HOBBS_PUT_OFF_MAX_S": "5",
    "HOBBS_EVENTS_POLL_S": "2",
    "HOBBS_EVENTS_POLL_MAX_S": "2",
    "HOBBS_STARTS_AT_ONCE": "100000",
    "HOBBS_EVENTS_GRACE_S": "5",
    "HOBBS_EVENTS_OVERLAP_S": "60",
    "HOBBS_MOVEMENTS_POLL_S": "2",
    "HOBBS_MOVEMENTS_OVERLAP_S": "10",
    "HOBBS_OPS_PORT": "0",
}
_numbers = count()


class Life:
    """One worker process, and which of its planned faults happened."""

    def __init__(self, fleet: Fleet, service: str, faults: str = "") -> None:
        self.reached_file = fleet.folder / f"reached-{service}-{next(_numbers)}"
        environment = {name: "" for name in os.environ if name.startswith("HOBBS_")}
        environment |= fleet.environment(service) | SHORT_WAITS
        environment |= {"HOBBS_FAULTS": faults, "HOBBS_FAULTS_REACHED": str(self.reached_file)}
        log = Path(fleet.folder) / "logs" / f"{service}.log"
        self.service = service
        self.child = Child.start_module(service, "hobbs", "work", service, log=log, environment=environment)

    @property
    def reached(self) -> set[str]:
        """Points passed so far, and `point action` for each fault that happened."""
        if not self.reached_file.exists():
            return set()
        return set(self.reached_file.read_text().splitlines())

    @property
    def faults_met(self) -> list[str]:
        return sorted(line for line in self.reached if " " in line)

    @property
    def is_over(self) -> bool:
        return self.child.exit_code is not None
