"""What a student may be called: what the wallet `student:<name>` can be called. Pure."""

STUDENT_CHARS_MAX = 100


def is_student_name(name: str) -> bool:
    """Whether a wallet can have this student's name."""
    return 1 <= len(name) <= STUDENT_CHARS_MAX and name.isprintable() and name == name.strip()
