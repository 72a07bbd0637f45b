"""All fault points by name: those of `fleet` and of each service."""

from importlib import import_module

from fleet import faults
from fleet.revisions import services


def all_points() -> dict[str, str]:
    """Each point and the state there; also a `point:thing` for each thing that is tried by itself."""
    points = dict(faults.POINTS)
    for service in services():
        points |= points_of(service)
    return points


def points_of(service: str) -> dict[str, str]:
    """A service's own points, and what it is like there."""
    listed = import_module(f"services.{service}.fault_points")
    points: dict[str, str] = dict(listed.POINTS)
    for point, kinds in getattr(listed, "OF_KIND", {}).items():
        points |= {f"{point}:{kind}": f"{points[point]} ({kind})" for kind in kinds}
    return points
