"""What the process of one service is handed of another one's: pure functions, and reads it has the right to.

Services never import each other. Who puts a process together may.
"""

from collections.abc import Mapping
from typing import Any


def parts_of(service: str) -> Mapping[str, Any]:
    """Further arguments of a service's `build`, by name."""
    if service == "gateway":
        from services.billing.desk.reads.estimates import estimate

        return {"estimate": estimate}
    return {}
