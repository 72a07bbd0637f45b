"""Which dead letters tell of a person: their content, and what their history keeps of contents before it."""

import json
from collections.abc import Iterator, Sequence
from uuid import UUID

from fleet.database import Tx

_TELLING = """
    SELECT id FROM dead_letter
    WHERE (value IS NOT NULL OR history @? '$[*].was.value') AND EXISTS (
        SELECT FROM unnest(CAST(:texts AS text[])) AS told
        WHERE position(lower(told) IN lower(
            concat_ws(' ', encode(value, 'escape'), encode(key, 'escape'), headers::text, (
                SELECT string_agg(concat_ws(' ', encode(decode(step #>> '{was,value}', 'base64'), 'escape'),
                                            encode(decode(step #>> '{was,key}', 'base64'), 'escape'),
                                            step #>> '{was,headers}'), ' ')
                FROM jsonb_array_elements(history) AS step WHERE jsonb_exists(step, 'was'))))) > 0)
    ORDER BY id
"""


async def telling_of(tx: Tx, texts: Sequence[str]) -> list[UUID]:
    """Letters whose content has one of these texts in it, in small or capital letters, as UTF-8 or JSON."""
    told = sorted({form for one in texts if one for form in _forms(one)})
    return [row.id for row in await tx.all(_TELLING, texts=told)] if told else []


def _forms(text: str) -> Iterator[str]:
    """A text as bytea's escapes show it: its letters in UTF-8, and in JSON's escapes."""
    yield _escaped(text.encode())
    yield _escaped(json.dumps(text)[1:-1].encode())
    yield text  # headers are text


def _escaped(value: bytes) -> str:
    """As Postgres writes bytes in the format 'escape'."""
    return "".join(
        "\\\\" if byte == 0x5C else chr(byte) if 0 < byte < 0x80 else f"\\{byte:03o}" for byte in value
    )
