"""Places where a process of adjustments can be made to die; see fleet/faults.py."""

POINTS: dict[str, str] = {}
