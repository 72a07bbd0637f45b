"""What people may decide about a person: that their name and address are erased."""

from datetime import datetime
from typing import Final

from fleet.database import Tx
from fleet.decisions import Decision, Ruling, refused
from services.payouts import store
from services.payouts.domain.contacts import is_person

PARTS_MAX: Final = 10


async def erase(tx: Tx, decision: Decision, now: datetime) -> Ruling:
    """Erase a person's name and address. Object: their wallet. Parameter `also`: their other wallets.

    Who was erased stays so, and is remembered by id. Done again it changes nothing. Money, ids and journals
    are not touched.
    """
    also = decision.parameters.get("also", [])
    if not isinstance(also, list) or len(also) > PARTS_MAX:
        return refused(f"also names the person's other wallets, {PARTS_MAX} at most")
    wallets = sorted({decision.object, *map(str, also)})
    strange = [wallet for wallet in wallets if not is_person(wallet)]
    if strange:
        return refused(f"{strange[0]} is no person's wallet: student:…, instructor:… or aircraft_owner:…")
    if not decision.why.strip():
        return refused("say why: the reason is kept with the ids of whom was erased, so name nobody in it")
    erased = await store.contacts.erase(
        tx, wallets, decision_id=decision.decision_id, who=decision.who.name, why=decision.why, now=now
    )
    before = [wallet for wallet in wallets if wallet not in erased]
    parts = [f"{', '.join(erased)} erased"] if erased else []
    parts += [f"{', '.join(before)} erased already"] if before else []
    return Ruling(
        done=True, sentence="; ".join(parts), effects=tuple({"wallet": wallet} for wallet in erased)
    )
