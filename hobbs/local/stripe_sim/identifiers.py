"""Ids that look like Stripe's: a prefix that names the kind, then random letters and digits."""

import secrets
import string

ALPHABET = string.ascii_letters + string.digits


def new_id(prefix: str, length: int = 24) -> str:
    return f"{prefix}_{random_text(length)}"


def random_text(length: int) -> str:
    number = int.from_bytes(secrets.token_bytes(length))
    letters = []
    for _ in range(length):
        number, index = divmod(number, 62)
        letters.append(ALPHABET[index])
    return "".join(letters)
