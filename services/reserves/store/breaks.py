"""SQL of breaks: what is open on either side or differs, what was proposed for it, who accepted it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from fleet.database import Tx, json_parameter
from services.reserves.domain.breaks import Break, Difference, OpenJournal, OpenLine

# A twin: a line of the same source, or a charge of the same amount within ten minutes, that has its journals.
_LINES: Final = """
    SELECT line.transaction_id, line.type, line.balance_type, line.net, line.currency, line.source_id,
           line.expected, line.day, line.made_at AS at,
           line.counted + coalesce((SELECT sum(amount) FROM line_change
               WHERE line_change.transaction_id = line.transaction_id), 0) AS counts,
           coalesce((SELECT min(other.transaction_id) FROM stripe_line AS other
                         JOIN line_match USING (transaction_id)
                     WHERE other.source_id = line.source_id AND other.type = line.type
                         AND other.amount = line.amount AND other.currency = line.currency),
                    (SELECT min(other.transaction_id) FROM stripe_line AS other
                         JOIN line_match USING (transaction_id)
                     WHERE line.type IN ('charge', 'payment') AND other.day BETWEEN line.day - 1 AND
                         line.day + 1
                         AND other.type = line.type AND other.amount = line.amount
                         AND other.currency = line.currency
                         AND other.made_at BETWEEN line.made_at - interval '10 minutes'
                             AND line.made_at + interval '10 minutes')) AS twin,
           EXISTS (SELECT FROM own_refund WHERE refund_id = line.source_id) AS is_own
    FROM open_line JOIN stripe_line AS line USING (transaction_id)
    WHERE NOT line.is_before AND line.day <= :day AND line.transaction_id > :after
    ORDER BY line.transaction_id LIMIT :most
"""


async def open_lines(tx: Tx, day: date, after: str, most: int) -> list[OpenLine]:
    """Lines without journals until a date, in the order of their ids."""
    return [
        OpenLine(**{**row._mapping, "expected": tuple(row.expected), "counts": int(row.counts)})
        for row in await tx.all(_LINES, day=day, after=after, most=most)
    ]


# A journal of before the rows were listed is in the opening's difference. A twin: one of the same amount
# and parties
# within some days that has its line.
_JOURNALS: Final = """
    SELECT CAST(book.journal_id AS text) AS journal_id, book.source, book.event_type, book.currency,
           book.amount, book.day,
           (SELECT min(other.source) FROM book_line AS other JOIN book_match USING (journal_id)
            WHERE other.day BETWEEN book.day - CAST(:days AS integer) AND book.day + CAST(:days AS integer)
                AND other.amount = book.amount AND other.currency = book.currency
                AND other.parties = book.parties) AS twin
    FROM open_journal AS journal JOIN book_line AS book USING (journal_id)
    LEFT JOIN stripe_line AS opening ON opening.transaction_id = 'opening:' || book.currency
    WHERE book.day <= :day AND book.journal_id > CAST(:after AS uuid)
      AND (opening.made_at IS NULL OR book.occurred_at > opening.made_at)
    ORDER BY book.journal_id LIMIT :most
"""


async def open_journals(tx: Tx, day: date, days: int, after: str, most: int) -> list[OpenJournal]:
    """Journals without a line until a date, in the order of their ids."""
    rows = await tx.all(_JOURNALS, day=day, days=days, after=UUID(after), most=most)
    return [OpenJournal(**row._mapping) for row in rows]


_DIFFERENCES: Final = """
    SELECT spread.match_id, spread.currency, spread.amount, spread.from_day AS day,
           (SELECT count(*) FROM spread AS each WHERE each.match_id = spread.match_id AND each.until_day IS
               NULL)
               AS currencies,
           coalesce((SELECT max(line.made_at) FROM line_match JOIN stripe_line AS line USING (transaction_id)
                     WHERE line_match.match_id = spread.match_id),
                    (SELECT max(book.occurred_at) FROM book_match JOIN book_line AS book USING (journal_id)
                     WHERE book_match.match_id = spread.match_id)) AS at,
           ARRAY(SELECT jsonb_build_array(line.transaction_id, line.type, line.amount, line.fee)
                 FROM line_match JOIN stripe_line AS line USING (transaction_id)
                 WHERE line_match.match_id = spread.match_id AND line.currency = spread.currency
                 ORDER BY line.made_at, line.transaction_id) AS lines,
           ARRAY(SELECT jsonb_build_array(book.source, book.event_type, -book.amount)
                 FROM book_match JOIN book_line AS book USING (journal_id)
                 WHERE book_match.match_id = spread.match_id AND book.currency = spread.currency
                 ORDER BY book.recorded_at, book.source) AS journals
    FROM spread WHERE until_day IS NULL AND from_day <= :day ORDER BY spread.match_id, spread.currency
"""


async def differences(tx: Tx, day: date) -> list[Difference]:
    """Matches whose parts do not add up to nothing until a date."""
    return [
        Difference(
            match_id=row.match_id,
            currency=row.currency,
            amount=row.amount,
            day=row.day,
            at=row.at,
            lines=tuple((str(i), str(t), int(a), int(f)) for i, t, a, f in row.lines),
            journals=tuple((str(s), str(t), int(m)) for s, t, m in row.journals),
            currencies=row.currencies,
        )
        for row in await tx.all(_DIFFERENCES, day=day)
    ]


_COUNTERPARTS: Final = """
    SELECT subject, counterpart FROM break WHERE closed_at IS NULL AND counterpart IS NOT NULL
"""


async def counterparts(tx: Tx) -> dict[str, str]:
    """The wallets that people chose for open breaks, by subject."""
    return {row.subject: row.counterpart for row in await tx.all(_COUNTERPARTS)}


_KEEP: Final = """
    INSERT INTO break AS kept (subject, class, currency, amount, day, sentence, proposal,
        accepted_by_one_up_to,
                               content_hash, state, opened_at, classed_at)
    SELECT subject, class, currency, amount, day, sentence, proposal, :limit, '', 'open', :now, :now
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS found (
        subject text, class text, currency text, amount bigint, day date, sentence text, proposal jsonb)
    ORDER BY subject
    ON CONFLICT (subject) WHERE closed_at IS NULL DO UPDATE SET class = excluded.class,
        amount = excluded.amount,
        day = excluded.day, sentence = excluded.sentence, proposal = excluded.proposal, state = 'open',
        refused = NULL,
        accepted_by_one_up_to = excluded.accepted_by_one_up_to,
        classed_at = CASE WHEN kept.class = excluded.class THEN kept.classed_at ELSE excluded.classed_at END
    WHERE (kept.state = 'open' OR kept.amount <> excluded.amount)
      AND (kept.class, kept.amount, kept.day, kept.sentence, kept.proposal, kept.accepted_by_one_up_to)
          IS DISTINCT FROM (excluded.class, excluded.amount, excluded.day, excluded.sentence,
              excluded.proposal,
                            excluded.accepted_by_one_up_to)
"""


async def keep(tx: Tx, breaks: Sequence[Break], accepted_by_one_up_to: int, now: datetime) -> None:
    """Keep breaks as they are now; one that is known gets its new class, amount and proposal."""
    if not breaks:
        return
    rows = [
        {name: getattr(one, name) for name in Break.__slots__ if name != "kind_of"} | {"class": one.kind_of}
        for one in breaks
    ]
    await tx.execute(_KEEP, rows=json_parameter(rows), limit=accepted_by_one_up_to, now=now)


# The uuid is read only of a journal's subject; a match's subject ends with ":" and three letters.
_CLOSE_GONE: Final = """
    UPDATE break SET state = 'closed', closed_at = :now
    WHERE closed_at IS NULL AND NOT CASE split_part(subject, ':', 1)
        WHEN 'line' THEN EXISTS (SELECT FROM open_line JOIN stripe_line AS line USING (transaction_id)
                                 WHERE open_line.transaction_id = substr(subject, 6) AND NOT line.is_before)
        WHEN 'journal' THEN EXISTS (SELECT FROM open_journal WHERE journal_id = CAST(substr(subject,
            9) AS uuid))
        WHEN 'match' THEN EXISTS (SELECT FROM spread WHERE match_id = substr(subject, 7, length(subject) - 10)
                                      AND spread.currency = break.currency AND until_day IS NULL)
        ELSE EXISTS (SELECT FROM open_line JOIN stripe_line AS line USING (transaction_id)
                     WHERE line.is_before AND line.currency = break.currency) END
    RETURNING id
"""


async def close_gone(tx: Tx, now: datetime) -> int:
    """Close breaks whose other half came; how many."""
    return len(await tx.all(_CLOSE_GONE, now=now))


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptBreak:
    """A break as it is kept."""

    id: int
    subject: str
    kind_of: str
    currency: str
    amount: int
    day: date
    sentence: str
    proposal: Mapping[str, Any]
    accepted_by_one_up_to: int
    content_hash: bytes
    state: str


_LOCK: Final = """
    SELECT id, subject, class AS kind_of, currency, amount, day, sentence, proposal, accepted_by_one_up_to,
           content_hash, state
    FROM break WHERE id = :id FOR UPDATE
"""


async def lock(tx: Tx, break_id: int) -> KeptBreak | None:
    row = await tx.first(_LOCK, id=break_id)
    return None if row is None else KeptBreak(**row._mapping)


_CHOOSE: Final = """
    UPDATE break SET counterpart = :wallet, proposal = CAST(:proposal AS jsonb), state = 'open',
        refused = NULL
    WHERE id = :id
"""


async def choose(tx: Tx, break_id: int, wallet: str, proposal: Mapping[str, Any]) -> None:
    """Propose the journal through another wallet: what was accepted before was another content."""
    await tx.execute(_CHOOSE, id=break_id, wallet=wallet, proposal=json_parameter(dict(proposal)))


_ACCEPTED_BY: Final = """
    SELECT who FROM acceptance WHERE break_id = :id AND content_hash = :hash ORDER BY accepted_at, decision_id
"""


async def accepted_by(tx: Tx, found: KeptBreak) -> list[str]:
    """Who accepted what is proposed now, the first one first."""
    return [row.who for row in await tx.all(_ACCEPTED_BY, id=found.id, hash=found.content_hash)]


_ADD: Final = """
    INSERT INTO acceptance (decision_id, break_id, content_hash, who, why, accepted_at)
    VALUES (:decision_id, :id, :hash, :who, :why, :now)
"""


async def add_acceptance(
    tx: Tx, found: KeptBreak, *, decision_id: UUID, who: str, why: str, now: datetime
) -> None:
    """Keep a person's agreement to what is proposed now."""
    await tx.execute(
        _ADD, decision_id=decision_id, id=found.id, hash=found.content_hash, who=who, why=why, now=now
    )


_SET_ACCEPTED: Final = "UPDATE break SET state = 'accepted', accepted_at = :now WHERE id = :id"


async def set_accepted(tx: Tx, break_id: int, now: datetime) -> None:
    """Note that enough persons accepted: the database counts them."""
    await tx.execute(_SET_ACCEPTED, id=break_id, now=now)


# A revert's source names the journal by its id, the proposal by its source.
_SET_REFUSED: Final = """
    UPDATE break SET refused = :sentence
    WHERE state = 'accepted' AND (proposal ->> 'source' = :source
        OR 'revert:' || (proposal ->> 'reverts') = :source
        OR proposal ->> 'reverts' = (SELECT source FROM book_line
                                     WHERE 'revert:' || CAST(journal_id AS text) = :source))
"""


async def set_refused(tx: Tx, source: str, sentence: str) -> None:
    """Note why the ledger refused what was accepted: accepted again, it is asked for again."""
    await tx.execute(_SET_REFUSED, source=source, sentence=sentence)


_ASKED_AGAIN: Final = "UPDATE break SET refused = NULL WHERE id = :id AND refused IS NOT NULL"


async def asked_again(tx: Tx, break_id: int) -> None:
    await tx.execute(_ASKED_AGAIN, id=break_id)


_OPEN: Final = """
    SELECT currency, count(*) AS number FROM break
    WHERE closed_at IS NULL AND class <> 'timing' AND day <= :day GROUP BY currency
"""


async def count_open(tx: Tx, day: date) -> dict[str, int]:
    """How many breaks of a date or before are open, without those of timing, by currency."""
    return {row.currency: row.number for row in await tx.all(_OPEN, day=day)}
