"""What people may decide about API keys: make one, revoke one.

A key is made where it is shown. Only its hash and its first characters come here, so the topic of decisions,
which is kept for ever, holds nothing that lets anybody in.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from fleet.database import Tx
from fleet.decisions import Action, Decision, Ruling, refused
from services.gateway import store
from services.gateway.domain.api_keys import DAYS_MAX, NAME_CHARS_MAX, SCOPES, is_hint, is_name

HASH_BYTES: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyAskedFor:
    """A key that somebody made and asks the gateway to accept."""

    key_hash: bytes
    hint: str
    scopes: Sequence[str]
    days: int | None = None


async def create_key(tx: Tx, decision: Decision, now: datetime) -> Ruling:
    """Accept a key that somebody made. object: its name; parameters: key_hash (hex), hint, scopes, days.

    days: how long it is good; without, until it is revoked.
    """
    if not is_name(decision.object):
        return refused(f"a key's name has 1 to {NAME_CHARS_MAX} printable characters, no blank around them")
    asked = _key_asked_for(decision.parameters)
    if isinstance(asked, str):
        return refused(asked)
    key_id = await store.api_keys.insert(
        tx,
        name=decision.object,
        key_hash=asked.key_hash,
        hint=asked.hint,
        scopes=asked.scopes,
        created_by=decision.who.name,
        expires_at=None if asked.days is None else now + timedelta(days=asked.days),
    )
    if key_id is None:
        return refused(
            f"there is a key named {decision.object!r} (or this very key); revoke it first, "
            "or choose another name"
        )
    good = "" if asked.days is None else f" for {asked.days} days"
    effect = {"name": decision.object, "hint": asked.hint, "scopes": list(asked.scopes)}
    return Ruling(
        done=True,
        sentence=f"the key {decision.object!r} may {' and '.join(asked.scopes)}{good}",
        effects=(effect if asked.days is None else effect | {"days": asked.days},),
    )


def _key_asked_for(parameters: Mapping[str, Any]) -> KeyAskedFor | str:
    """What the parameters ask for, or what is wrong with them; they come from outside."""
    key_hash, hint, scopes = (parameters.get(name) for name in ("key_hash", "hint", "scopes"))
    hashed = _bytes_of_hex(key_hash)
    if hashed is None or len(hashed) != HASH_BYTES:
        return "key_hash must be the key's SHA-256 in hexadecimal"
    if not isinstance(hint, str) or not is_hint(hint):
        return "hint must be the key's first characters, no more of it"
    if not isinstance(scopes, list) or not scopes or any(scope not in SCOPES for scope in scopes):
        return f"scopes must be some of {', '.join(SCOPES)}"
    days = parameters.get("days")
    if days is not None and (type(days) is not int or not 1 <= days <= DAYS_MAX):
        return f"days must be a whole number, 1 to {DAYS_MAX}"
    may = [scope for scope in SCOPES if scope in scopes]
    return KeyAskedFor(key_hash=hashed, hint=hint, scopes=may, days=days)


def _bytes_of_hex(text: object) -> bytes | None:
    try:
        return bytes.fromhex(text) if isinstance(text, str) else None
    except ValueError:
        return None


async def revoke_key(tx: Tx, decision: Decision, now: datetime) -> Ruling:
    """Revoke the living key of that name (the object): it is refused from the next request on."""
    hint = await store.api_keys.revoke(tx, name=decision.object, revoked_by=decision.who.name)
    if hint is None:
        return refused(f"no living key is named {decision.object!r}")
    return Ruling(
        done=True,
        sentence=f"the key {decision.object!r} ({hint}…) is revoked",
        effects=({"name": decision.object, "hint": hint},),
    )


ACTIONS: Final[Mapping[str, Action]] = {
    "create_key": Action(judge=create_key, roles=frozenset({"operator"})),
    "revoke_key": Action(judge=revoke_key, roles=frozenset({"operator"})),
}
