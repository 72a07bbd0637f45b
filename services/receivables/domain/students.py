"""What a student may be called, and which student a name that nobody has may mean. Pure."""

from collections.abc import Iterable

STUDENT_CHARS_MAX = 100


def is_student_name(name: str) -> bool:
    """Whether a wallet can have this student's name."""
    return 1 <= len(name) <= STUDENT_CHARS_MAX and name.isprintable() and name == name.strip()


def wallet_of(student: str) -> str:
    """The wallet of a student in the books."""
    return f"student:{student}"


def closest_student(name: str, students: Iterable[str]) -> str | None:
    """The student whose name is nearest: at most a third of its characters differ; None when none is near."""
    wanted, limit = name.casefold(), max(1, len(name) // 3)
    near = [
        (distance, student)
        for student in students
        if abs(len(student) - len(wanted)) <= limit
        and (distance := _distance(wanted, student.casefold())) <= limit
    ]
    return min(near)[1] if near else None


def _distance(one: str, other: str) -> int:
    """How many characters to add, drop, replace or swap with their neighbour to get from one to the other."""
    before, row = list[int](), list(range(len(other) + 1))
    for i, a in enumerate(one, start=1):
        earlier, before, row = before, row, [i]
        for j, b in enumerate(other, start=1):
            row.append(min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b)))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                row[j] = min(row[j], earlier[j - 2] + 1)
    return row[-1]
