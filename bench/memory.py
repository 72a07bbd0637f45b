"""Resident memory of the workers, idle and under load."""

from collections.abc import Mapping

from bench.figures import Figure
from bench.processes import Footprint


def figures(idle: Mapping[str, float], loaded: Mapping[str, Footprint]) -> list[Figure]:
    """One figure for each worker: the most it took, beside what it took before the traffic."""
    return [
        Figure(
            name=f"resident memory, {name}",
            value=found.peak,
            unit="MiB",
            baseline=("idle", idle[name]),
            note=f"the most there was (VmHWM) in the run of the path; {found.resident:.0f} under its load",
        )
        for name, found in sorted(loaded.items())
    ]
