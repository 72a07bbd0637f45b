"""A first school.toml from a flights file: every tail, student and instructor in it, prices left to fill in.

Pure. A "?" is no price: `hobbs school apply` names its line until somebody has written one.
"""

import json
from collections import Counter
from collections.abc import Iterable

from schemas.flights import FlightCompleted

_HEAD = """\
# A draft from {source}; flights: {flights}. Fill in every "?", then: hobbs school apply THIS_FILE
# The format, with all models and settings: services/billing/README.md and school.example.toml beside it.

[school]
name = "?"
time_zone = "?"                       # such as "America/New_York"
currency = "USD"

# What students pay for instruction.
[[student_rate]]
flight_per_hour = "?"
ground_per_hour = "?"

# Tax by kind of line, such as: rental, 5.6.
# [[tax]]
# line = "rental"
# percent = 5.6
"""


def draft(flights: Iterable[FlightCompleted], source: str) -> str:
    """Write the draft."""
    known = list(flights)
    aircraft = Counter(f.aircraft for f in known if f.aircraft is not None)
    students = Counter(f.student for f in known)
    instructors = Counter(f.instructor for f in known if f.instructor is not None)
    parts = [_HEAD.format(source=_comment(source), flights=len(known))]
    parts += [_person("student", key, n) for key, n in sorted(students.items())]
    parts += [
        _person("instructor", key, n) + 'flight_per_hour = "?"\nground_per_hour = "?"\n'
        for key, n in sorted(instructors.items())
    ]
    parts += [_aircraft(tail, n, known) for tail, n in sorted(aircraft.items())]
    return "\n".join(parts)


def _person(table: str, key: str, flights: int) -> str:
    return f"[[{table}]]  # flights: {flights}\nid = {_quoted(key)}\n"


def _aircraft(tail: str, flights: int, known: Iterable[FlightCompleted]) -> str:
    return (
        f"[[aircraft]]  # flights: {flights}\n"
        f'tail = {_quoted(tail)}\nmodel = "owned"\nmeter = "{_meter(tail, known)}"\nrate_per_hour = "?"\n'
    )


def _meter(tail: str, known: Iterable[FlightCompleted]) -> str:
    """The meter that was read more often; Hobbs when neither was."""
    flights = [f for f in known if f.aircraft == tail]
    hobbs = sum(f.hobbs_out is not None and bool(f.hobbs_in) for f in flights)
    tach = sum(f.tach_out is not None and bool(f.tach_in) for f in flights)  # 0.0 is a meter nobody read
    return "tach" if tach > hobbs else "hobbs"


def _quoted(text: str) -> str:
    """A TOML basic string: JSON's escapes are TOML's."""
    return json.dumps(text, ensure_ascii=False)


def _comment(text: str) -> str:
    return "".join(char if char.isprintable() else "?" for char in text)
