"""All fault points by name: those of `fleet` and of each service."""

from importlib import import_module

from fleet import faults
from fleet.migrate import services


def all_points() -> dict[str, str]:
    """Each point and the state there; also a `point:thing` for each thing that is tried by itself."""
    points = dict(faults.POINTS)
    for service in services():
        listed = import_module(f"services.{service}.fault_points")
        points |= listed.POINTS
        for point, kinds in getattr(listed, "OF_KIND", {}).items():
            points |= {f"{point}:{kind}": f"{points[point]} ({kind})" for kind in kinds}
    return points
