"""Places where the console's process can be made to die; see fleet/faults.py."""

POINTS: dict[str, str] = {}
