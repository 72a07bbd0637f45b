"""The school's configuration, published as one change set at a time."""

from typing import Any, Literal

from pydantic import ConfigDict, Field

from schemas.fields import CalendarDate, Event, Identifier, Instant, Sentence

ChangeKind = Literal["school", "tax", "aircraft", "instructor", "owner", "student", "student_rate"]


class SchoolChange(Event):
    """One entry of the school's book: what it was and what it becomes from a date on (None: not there)."""

    kind: ChangeKind
    key: Identifier
    effective_from: CalendarDate
    old: dict[str, Any] | None = None
    new: dict[str, Any] | None = None


class SchoolConfigured(Event):
    """Version `version` of the school's book, made from `base_version`; refused when that is stale."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "version": 2,
                    "base_version": 1,
                    "who": "finance",
                    "why": "fuel price",
                    "at": "2026-05-22T12:00:00Z",
                    "changes": [
                        {
                            "kind": "student",
                            "key": "student-02",
                            "effective_from": "2026-06-01",
                            "new": {"name": "Student 2"},
                        }
                    ],
                }
            ]
        }
    )

    version: int = Field(strict=True, ge=1)
    base_version: int = Field(strict=True, ge=0)
    who: Identifier
    why: Sentence
    at: Instant
    changes: list[SchoolChange] = Field(min_length=1)
