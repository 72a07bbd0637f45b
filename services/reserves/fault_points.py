"""Places where a process of reserves can be made to die; see fleet/faults.py."""

POINTS = {
    "reserves.positions_written": "journals are added to the positions, not committed",
    "reserves.judged": "the reserve is judged, gate and health are staged, not committed",
}
