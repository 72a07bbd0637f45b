"""Rules about students' credit: saved cards are charged as decided, dispatches are answered, holds end."""

from collections.abc import Iterator

from tests.checker.world import Row, World, grouped

ENDED = ("succeeded", "declined")  # of a bank debit, days later
TOOK = ("processing", "succeeded")  # of a bank debit that is processing nothing has come yet


def saved_methods_are_charged_as_decided(world: World) -> Iterator[str]:
    """Stripe took what a request says, of its student, once; and nothing for any other operation."""
    charges = [e for e in world.effects if e["kind"] == "charge" and e["operation_id"]]
    taken = grouped(charges, lambda effect: str(effect["operation_id"]))
    requests = {str(row["operation_id"]): row for row in world.rows("payouts.charge_request")}
    for operation in taken.keys() - requests.keys():
        yield f"{taken[operation][0]['object_id']} was charged for operation {operation}, which is unknown"
    for operation, request in requests.items():
        took = [
            (f"student:{effect['metadata'].get('hobbs_student')}", effect["amount"], effect["currency"])
            for effect in taken.get(operation, [])
        ]
        whole = [(request["wallet"], request["amount"], request["currency"].lower())]
        right = {"succeeded": [whole], "processing": [[], whole]}.get(request["outcome"], [[]])
        if took not in right:
            yield f"request {request['request_id']} of {whole} is {request['outcome']}, Stripe took {took}"


def charges_are_known_alike(world: World) -> Iterator[str]:
    """What receivables decided is what payouts was asked for, and both know the same end.

    Of a bank debit payouts knows that it is under way; how it ends, days later, only receivables hears.
    """
    decided = {str(row["request_id"]): _told(row) for row in world.rows("receivables.auto_charge")}
    asked = {str(row["request_id"]): _asked(row) for row in world.rows("payouts.charge_request")}
    for request in sorted(decided.keys() | asked.keys()):
        wanted = asked.get(request)
        told = decided.get(request)
        if wanted is not None and told is not None and wanted[-1] == "processing" and told[-1] in ENDED:
            told = (*told[:-1], "processing")
        if told != wanted:
            yield f"charge {request} was decided as {decided.get(request)} and asked as {asked.get(request)}"


def _told(row: Row) -> tuple[object, ...]:
    outcome = None if row["state"] == "asked" else row["state"]
    outcome = "succeeded" if row["taken_back_at"] else outcome
    return f"student:{row['student']}", row["currency"], row["amount"], row["cause"], outcome


def _asked(row: Row) -> tuple[object, ...]:
    return row["wallet"], row["currency"], row["amount"], row["cause"], row["outcome"]


def no_cause_is_charged_twice(world: World) -> Iterator[str]:
    """Of a cause and its retries, one charge takes money at most."""
    took = [row for row in world.rows("receivables.auto_charge") if row["state"] in TOOK]
    for (student, cause), rows in grouped(
        took, lambda r: (r["student"], r["cause"].partition("#")[0])
    ).items():
        if len(rows) > 1:
            yield f"{student} was charged {len(rows)} times for {cause}"


def nobody_is_charged_while_a_correction_is_undecided(world: World) -> Iterator[str]:
    """A student whose flight may be billed otherwise is not charged until somebody has decided."""
    questions = grouped(world.rows("adjustments.in_question"), lambda row: str(row["student"]))
    for charge in world.rows("receivables.auto_charge"):
        for question in questions.get(charge["student"], []):
            if question["since"] < charge["decided_at"] < (question["until"] or "9"):
                told = f"{charge['student']} was charged for {charge['cause']} at {charge['decided_at']}"
                yield f"{told}, while the correction of {question['flight_id']} was not decided"


def no_more_is_charged_than_was_owed(world: World) -> Iterator[str]:
    """All charges of a student together take no more than the ledger ever debited."""
    took = [row for row in world.rows("receivables.auto_charge") if row["state"] in TOOK]
    for (student, currency), rows in grouped(took, lambda row: (row["student"], row["currency"])).items():
        debits = -sum(
            entry["amount"]
            for entry in world.rows("ledger.entry")
            if (entry["address"], entry["currency"]) == (f"student:{student}", currency)
            and entry["amount"] < 0
        )
        charged = sum(row["amount"] for row in rows)
        if charged > debits:
            yield f"{student} was charged {charged} {currency} by saved methods and owed {debits} in all"


def dispatches_are_answered_once(world: World) -> Iterator[str]:
    """Each dispatch that can be read is cleared or refused, and never both."""
    answers: dict[tuple[str, int], set[str]] = {}
    for topic in ("dispatch.cleared", "dispatch.refused"):
        for record in world.records(topic):
            body = record.body or {}
            answers.setdefault((body["flight_id"], body["revision"]), set()).add(topic)
    refused = {(row["partition"], row["offset"]) for row in world.letters("flight.dispatched")}
    for record in world.records("flight.dispatched"):
        body = record.body or {}
        asked = (str(body.get("flight_id")), int(body.get("revision", 1)))
        if (record.partition, record.offset) not in refused and asked not in answers:
            yield f"{record}: dispatch {asked[1]} of {asked[0]} was never answered"
    for (flight, revision), kinds in answers.items():
        if len(kinds) > 1:
            yield f"dispatch {revision} of {flight} was both cleared and refused"


def holds_end_with_their_flights(world: World) -> Iterator[str]:
    """Open holds are those of cleared dispatches, of their amounts; a flight that was billed has none."""
    open_holds = {
        row["name"]: (row["address"], row["amount"])
        for row in world.rows("ledger.hold")
        if row["state"] == "open" and row["name"].startswith("dispatch:")
    }
    cleared = {
        f"dispatch:{row['flight_id']}:{row['revision']}": (f"student:{row['student']}", row["held"])
        for row in world.rows("receivables.dispatch")
        if row["state"] == "cleared"
    }
    for name in sorted(open_holds.keys() | cleared.keys()):
        if open_holds.get(name) != cleared.get(name):
            yield f"hold {name} is {open_holds.get(name)} in the ledger, cleared was {cleared.get(name)}"
    billed = {row["flight_id"] for row in world.rows("billing.bill")}
    for name in open_holds:
        flight = name.removeprefix("dispatch:").rpartition(":")[0]
        if flight in billed:
            yield f"hold {name} is open although {flight} was billed"


def crossings_are_said_once(world: World) -> Iterator[str]:
    """Each crossing of a limit has one event, and follows on from the one before up to where they stand."""
    said = [record.body or {} for record in world.records("credit.level_changed")]
    told = {(body["student"], body["number"]): (body["from_level"], body["to_level"]) for body in said}
    kept = {
        (row["student"], row["number"]): (row["from_level"], row["to_level"])
        for row in world.rows("receivables.credit_level_change")
    }
    for place in sorted(told.keys() | kept.keys()):
        if told.get(place) != kept.get(place):
            yield f"crossing {place[1]} of {place[0]} is {kept.get(place)}, said was {told.get(place)}"
        before = kept.get((place[0], place[1] - 1), ("", "ok"))
        if place in kept and before[1] != kept[place][0]:
            yield f"crossing {place[1]} of {place[0]} begins at {kept[place][0]}, not at {before[1]}"
    for row in world.rows("receivables.credit_level"):
        last = kept.get((row["student"], row["changes"]), ("", "ok"))
        if last[1] != row["level"]:
            yield f"{row['student']} is {row['level']} and was last said to be {last[1]}"


def limits_change_once_for_a_cause(world: World) -> Iterator[str]:
    """Changes of a limit follow on from one another, one for a cause; what lowered one was declined."""
    declined = {
        (row["student"], f"declined:{row['cause'].partition('#')[0]}")
        for row in world.rows("receivables.auto_charge")
        if row["state"] == "declined"
    }
    for student, rows in grouped(world.rows("receivables.limit_change"), lambda r: str(r["student"])).items():
        stands: int | None = None
        caused: set[str] = set()
        for number, row in enumerate(sorted(rows, key=lambda r: r["number"]), start=1):
            cause, begins = row["cause"], (row["book_limit"], stands)
            if row["number"] != number:
                yield f"change {row['number']} of the limit of {student} is the {number}th"
            if row["state"] != "lapsed" and cause in caused:
                yield f"the limit of {student} changed twice for {cause}"
            if cause.startswith("declined:") and (student, cause) not in declined:
                yield f"the limit of {student} fell for {cause}, which was not declined"
            if row["state"] != "lapsed":
                caused.add(cause)
            if row["state"] == "in_force":
                if row["from_limit"] not in begins:
                    yield f"change {number} of the limit of {student} does not begin at {stands}"
                stands = row["to_limit"]


CREDIT_RULES = (
    saved_methods_are_charged_as_decided,
    charges_are_known_alike,
    no_cause_is_charged_twice,
    nobody_is_charged_while_a_correction_is_undecided,
    no_more_is_charged_than_was_owed,
    dispatches_are_answered_once,
    holds_end_with_their_flights,
    crossings_are_said_once,
    limits_change_once_for_a_cause,
)
