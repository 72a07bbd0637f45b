"""What happens in a season, by chance: each act is done on the stage and written into the books beside it.

An act says at once where an answer is another one than the books expect; what is left of it is compared after
the timers ran.
"""

from collections.abc import Mapping
from typing import Final

from tests.season.banking import Banking
from tests.season.deciding import Deciding
from tests.season.flying import Flying


class Season(Flying, Banking, Deciding):
    """The people of a school in the order in which chance has them act."""

    async def act(self) -> None:
        """Something happens, if it can."""
        name = self.chance.choice(sorted(self.students))
        one = self.students[name]
        acts = CAREFUL if name in self.careful else ACTS
        kinds = list(acts)
        for _ in range(8):
            kind = self.chance.choices(kinds, [acts[kind] for kind in kinds])[0]
            if await getattr(self, kind)(one):
                self.acts.append(kind)
                await self.timers()
                return


ACTS: Final[Mapping[str, int]] = {
    "dispatch": 14,
    "dispatch_again": 4,
    "call_off": 3,
    "fly": 18,
    "correct": 2,
    "approve": 10,
    "save_method": 5,
    "bank_changes_its_mind": 5,
    "choose": 2,
    "change_limit": 2,
    "allow": 3,
    "pay": 4,
    "bounce": 3,
    "give_back": 2,
    "revert_payment": 1,
    "pay_by_link": 2,
    "dispute": 5,
    "decide_dispute": 9,
    "give": 4,
    "second_person": 4,
    "promise": 2,
    "pause": 1,
    "resume": 2,
    "decide_limit": 12,
}
CAREFUL: Final[Mapping[str, int]] = {
    "dispatch": 6,
    "call_off": 1,
    "fly": 12,
    "pay_in_full": 14,
    "promise": 1,
    "decide_limit": 12,
}
