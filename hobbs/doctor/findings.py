"""The findings of the doctor."""

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    ok = "ok"
    warning = "warning"
    wrong = "WRONG"
    not_checked = "not checked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One finding: its area, what was found, and the fix when that is a fault."""

    area: str
    state: State
    found: str
    fix: str = ""


def ok(area: str, found: str) -> Finding:
    return Finding(area=area, state=State.ok, found=found)


def warning(area: str, found: str, fix: str) -> Finding:
    return Finding(area=area, state=State.warning, found=found, fix=fix)


def not_checked(area: str, found: str, fix: str) -> Finding:
    """What cannot be seen from here, and how a person sees it."""
    return Finding(area=area, state=State.not_checked, found=found, fix=fix)


def wrong(area: str, found: str, fix: str) -> Finding:
    return Finding(area=area, state=State.wrong, found=found, fix=fix)
