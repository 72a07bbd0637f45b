-- What each maker's corrections moved for each payee, by the day they were posted: sums of absolute differences.
CREATE TABLE moved_by_maker (
    made_by     text NOT NULL,
    wallet      text NOT NULL,
    currency    text NOT NULL,
    day         date NOT NULL,
    moved       bigint NOT NULL,
    adjustments integer NOT NULL,
    CONSTRAINT one_sum_for_each_maker_payee_and_day PRIMARY KEY (made_by, wallet, currency, day),
    CONSTRAINT what_was_moved_is_positive CHECK (moved > 0 AND adjustments > 0)
);
CREATE INDEX moved_on_a_day ON moved_by_maker (day);
GRANT SELECT, INSERT, UPDATE ON moved_by_maker TO hobbs_adjustments;

CREATE VIEW adjustments_public.adjustments AS
SELECT id, flight_id, revision, kind, bill_id, currency, entries, differences, largest, paid_by, student_before,
       student, flown_on, occurred_at, priced_by, reason, made_by, makers, state, sentence, needs, approvals_needed,
       approve_above, second_approver_above, encode(content_hash, 'hex') AS content_hash, proposed_at, expires_at,
       changed_at, journal_id, trace ->> 'correlation_id' AS correlation_id
FROM adjustments.adjustment;

-- Each party's side of each adjustment.
CREATE VIEW adjustments_public.differences AS
SELECT adjustment.id AS adjustment_id, flight_id, revision, state, currency, party.wallet,
       coalesce((entries ->> party.wallet)::bigint, 0) - party.amount::bigint AS before,
       coalesce((entries ->> party.wallet)::bigint, 0) AS after,
       party.amount::bigint AS difference
FROM adjustments.adjustment, jsonb_each_text(differences) AS party (wallet, amount);

CREATE VIEW adjustments_public.history AS
SELECT id, adjustment_id, at, from_state, to_state, who, why, encode(content_hash, 'hex') AS content_hash
FROM adjustments.adjustment_history;

-- counts: whether the approval is of what the adjustment says now.
CREATE VIEW adjustments_public.approvals AS
SELECT decision_id, adjustment_id, approver, why, approved_at,
       approval.content_hash = adjustment.content_hash AS counts
FROM adjustments.approval JOIN adjustments.adjustment ON adjustment.id = adjustment_id;

CREATE VIEW adjustments_public.flights AS
SELECT flight_id, currency, first_source, first_entries FROM adjustments.flight;

CREATE VIEW adjustments_public.posted_journals AS
SELECT source, journal_id, currency, entries, recorded_at FROM adjustments.posted_journal;

CREATE VIEW adjustments_public.moved_by_maker AS
SELECT made_by, wallet, currency, day, moved, adjustments FROM adjustments.moved_by_maker;

CREATE VIEW adjustments_public.policy_cards AS
SELECT effective_from, version, policy FROM adjustments.policy_card;
CREATE VIEW adjustments_public.school AS
SELECT time_zone, time_zone_version, read_version FROM adjustments.school;

GRANT SELECT ON adjustments_public.adjustments, adjustments_public.differences, adjustments_public.history,
    adjustments_public.approvals, adjustments_public.flights, adjustments_public.posted_journals,
    adjustments_public.moved_by_maker, adjustments_public.policy_cards, adjustments_public.school TO hobbs_reader;
