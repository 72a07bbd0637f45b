"""What a look at one thing found, and the fix."""

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    ok = "ok"
    warning = "warning"
    wrong = "WRONG"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One look: what it was about, what was found, and the fix when that is not well."""

    area: str
    state: State
    found: str
    fix: str = ""


def ok(area: str, found: str) -> Finding:
    return Finding(area=area, state=State.ok, found=found)


def warning(area: str, found: str, fix: str) -> Finding:
    return Finding(area=area, state=State.warning, found=found, fix=fix)


def wrong(area: str, found: str, fix: str) -> Finding:
    return Finding(area=area, state=State.wrong, found=found, fix=fix)
