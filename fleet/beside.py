"""Names of a service's second schemas: one that is rebuilt beside the live one, and one that was replaced."""

from typing import Final

PUBLIC: Final = "_public"
REBUILT: Final = "_rebuilt"
BEFORE: Final = "_before"


def twin(schema: str, suffix: str = REBUILT) -> str:
    """The schema beside `billing` or `billing_public`: `billing_rebuilt`, `billing_rebuilt_public`."""
    own = schema.removesuffix(PUBLIC)
    return f"{own}{suffix}{PUBLIC}" if schema.endswith(PUBLIC) else f"{own}{suffix}"
