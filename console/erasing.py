"""What the console keeps of a person is erased with them: the words of questions, and sessions."""

from datetime import datetime

from console import store
from fleet.database import Tx
from fleet.decisions import Decision, Ruling, refused


async def erase(tx: Tx, decision: Decision, now: datetime) -> Ruling:
    """Erase what a person wrote, what was answered, and how they were signed in. Object: their wallet.

    Parameter `also`: their other wallets. Done again it changes nothing.
    """
    also = decision.parameters.get("also", [])
    if not isinstance(also, list) or not all(isinstance(wallet, str) for wallet in also):
        return refused("also names the person's other wallets")
    wallets = sorted({decision.object, *also})
    questions = await store.questions.erase(tx, wallets)
    sessions = await store.sessions.erase(tx, wallets)
    sentence = f"the words of {questions} questions and {sessions} sessions of {', '.join(wallets)} erased"
    return Ruling(done=True, sentence=sentence)
