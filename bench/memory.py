"""Resident memory of the workers, idle and under load."""

from collections.abc import Mapping

from bench.figures import Figure
from bench.processes import Footprint


def figures(idle: Mapping[str, float], loaded: Mapping[str, Footprint]) -> list[Figure]:
    """One figure for each worker: its peak, and as baseline its memory before the traffic."""
    return [
        Figure(
            name=f"resident memory, {name}",
            value=found.peak,
            unit="MiB",
            baseline=("idle", idle[name]),
            note=f"the peak (VmHWM) of the run of the path; {found.resident:.0f} under its load",
        )
        for name, found in sorted(loaded.items())
    ]
