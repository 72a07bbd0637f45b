"""Ids that look like Stripe's: a prefix that names the kind, then random letters and digits."""

import random
import string

ALPHABET = string.ascii_letters + string.digits
# Seeded by the operating system at start; ten times faster than `secrets`, and ids here need not be secret.
SOURCE = random.Random()


def new_id(prefix: str, length: int = 24) -> str:
    return f"{prefix}_{random_text(length)}"


def random_text(length: int) -> str:
    return "".join(SOURCE.choices(ALPHABET, k=length))
