"""What the process of one service is handed of another one's: pure functions.

Services never import each other. Who puts a process together may.
"""

from collections.abc import Mapping
from typing import Any


def parts_of(service: str) -> Mapping[str, Any]:
    """Further arguments of a service's `build`, by name."""
    if service == "gateway":
        from services.billing.desk.reads import dated_card
        from services.billing.desk.reads.estimates import price
        from services.gateway.domain.cards import Prices

        return {"prices": Prices(read=dated_card, estimate=price)}
    return {}
