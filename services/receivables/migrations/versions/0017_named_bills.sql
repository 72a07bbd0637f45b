-- Which bill a payment pays first; the newest word of a payment stands, NULL: the oldest like any other.
CREATE TABLE named_bill (
    place    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    payment  text NOT NULL,
    student  text NOT NULL,
    currency text NOT NULL,
    bill     text CONSTRAINT a_payment_is_no_bill CHECK (bill <> payment),
    who      text NOT NULL,
    why      text NOT NULL,
    at       timestamptz NOT NULL
);
CREATE INDEX named_bill_of_account ON named_bill (student, currency, payment, place);

-- named: what payments that name a bill pay of it, before any other does.
ALTER TABLE item ADD COLUMN named bigint NOT NULL DEFAULT 0
    CONSTRAINT no_more_is_named_than_is_billed CHECK (named BETWEEN 0 AND greatest(-amount, 0));
CREATE INDEX item_is_named ON item (student, currency) WHERE named <> 0;

GRANT SELECT, INSERT ON named_bill TO hobbs_receivables;

CREATE VIEW receivables_public.named_bills AS
SELECT place, payment, student, currency, bill, who, why, at FROM receivables.named_bill;
GRANT SELECT ON receivables_public.named_bills TO hobbs_reader;
CREATE OR REPLACE VIEW receivables_public.items AS
SELECT student, currency, document, amount, open, booked_on, due_on, named FROM receivables.item;
