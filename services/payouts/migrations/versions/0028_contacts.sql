-- What people are called and where mail reaches them: the one place (docs/data-inventory.md). A row stays when a
-- person is erased, without name and address, so that an older statement does not bring them back.
CREATE TABLE contact (
    wallet    text PRIMARY KEY
              CONSTRAINT contact_is_of_a_person CHECK (wallet ~ '^(student|instructor|aircraft_owner):.'),
    full_name text,
    email     text,
    stated_at timestamptz,
    erased_at timestamptz,
    CONSTRAINT contact_has_no_empty_text CHECK (full_name <> '' AND email <> ''),
    CONSTRAINT erased_contact_is_empty CHECK (erased_at IS NULL OR (full_name IS NULL AND email IS NULL)),
    CONSTRAINT contact_was_stated CHECK (stated_at IS NOT NULL OR erased_at IS NOT NULL)
);

-- Who was erased, when, by whom and why. It names ids, and is only added to.
CREATE TABLE erasure (
    decision_id uuid        NOT NULL,
    wallet      text        NOT NULL REFERENCES contact (wallet),
    erased_at   timestamptz NOT NULL,
    who         text        NOT NULL,
    why         text        NOT NULL CONSTRAINT erasure_has_a_reason CHECK (why <> ''),
    PRIMARY KEY (decision_id, wallet)
);
CREATE INDEX erasure_of_a_wallet ON erasure (wallet);

GRANT SELECT, INSERT, UPDATE ON contact TO hobbs_payouts;
GRANT SELECT, INSERT ON erasure TO hobbs_payouts;

-- Names come with what billing tells of its book (contact.changed); an address of that long ago gives way to it.
INSERT INTO contact (wallet, email, stated_at)
SELECT wallet, email, 'epoch' FROM payee WHERE email <> '';

DROP VIEW payouts_public.payee_cards;
ALTER TABLE payee DROP COLUMN email;
ALTER TABLE payee_card DROP COLUMN email;
CREATE VIEW payouts_public.payee_cards AS
SELECT wallet, effective_from, version, country, schedule, minimum_amount, hold_hours, instant, withdrawn
FROM payouts.payee_card;
GRANT SELECT ON payouts_public.payee_cards TO hobbs_reader;

-- An address is added to a request for an account when it is sent, and not frozen with it.
ALTER TABLE operation DISABLE TRIGGER operation_parameters_are_frozen;
UPDATE operation SET params = params - 'email' - 'contact_email'
WHERE kind = 'account' AND jsonb_exists_any(params, ARRAY['email', 'contact_email']);
ALTER TABLE operation ENABLE TRIGGER operation_parameters_are_frozen;
ALTER TABLE operation ADD CONSTRAINT operation_names_nobody
    CHECK (NOT jsonb_exists_any(params, ARRAY['email', 'contact_email']));

-- Names for whoever shows them (console/reads.sql); with the addresses for people at the command line only.
CREATE VIEW payouts_public.names AS
SELECT wallet, full_name FROM payouts.contact WHERE full_name IS NOT NULL;
CREATE VIEW payouts_public.contacts AS
SELECT wallet, full_name, email, stated_at, erased_at FROM payouts.contact;
CREATE VIEW payouts_public.erasures AS
SELECT erasure.wallet, erasure.erased_at, erasure.who, erasure.why, erasure.decision_id,
       contact.erased_at IS NULL AS stated_anew
FROM payouts.erasure JOIN payouts.contact USING (wallet);
GRANT SELECT ON payouts_public.names, payouts_public.contacts TO hobbs_operator;
GRANT SELECT ON payouts_public.erasures TO hobbs_reader;
