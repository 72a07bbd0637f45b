"""Places where a process of reserves can be made to die; see fleet/faults.py."""

POINTS: dict[str, str] = {}
