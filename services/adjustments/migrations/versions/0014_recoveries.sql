-- What payees give back of flights whose payment a bank took back for good (decision 0226): never without a person.
ALTER TABLE adjustment
    DROP CONSTRAINT adjustment_kind_is_known,
    ADD CONSTRAINT adjustment_kind_is_known CHECK (kind IN ('corrected', 'cancelled', 'recovered')),
    ADD CONSTRAINT recovery_needs_approval CHECK (kind <> 'recovered' OR approvals_needed > 0
        OR state IN ('posted', 'settling', 'settled'));
CREATE INDEX flight_of_a_dispute ON flight (split_part(flight_id, '/', 1)) WHERE strpos(flight_id, '/') > 0;
