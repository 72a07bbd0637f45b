"""What one record, or one answer, may cause by itself. Anything else is an outage: all is tried again."""

from sqlalchemy.exc import DataError, IntegrityError, ProgrammingError

POISON = (
    ArithmeticError,
    AttributeError,
    DataError,
    IntegrityError,
    LookupError,
    ProgrammingError,
    TypeError,
    ValueError,
)
