-- Students' accounts as the ledger's journals left them. Whoever changes items locks the account's row first.
CREATE TABLE account (
    student  text NOT NULL,
    currency text NOT NULL,
    balance  bigint NOT NULL DEFAULT 0,
    CONSTRAINT one_account_of_a_student_and_currency PRIMARY KEY (student, currency)
);

-- What belongs together on an account: a flight's bill and its corrections, a payment and what was refunded of it.
-- Credit is positive. open: what is not settled of it, on the side of its amount. It follows from the others.
CREATE TABLE item (
    student   text NOT NULL,
    currency  text NOT NULL,
    document  text NOT NULL,
    amount    bigint NOT NULL,
    open      bigint NOT NULL DEFAULT 0,
    booked_on date NOT NULL,
    due_on    date NOT NULL,
    CONSTRAINT one_item_of_a_document PRIMARY KEY (student, currency, document),
    CONSTRAINT item_of_an_account FOREIGN KEY (student, currency) REFERENCES account,
    CONSTRAINT no_more_is_settled_than_the_amount
        CHECK (open BETWEEN least(amount, 0) AND greatest(amount, 0)),
    CONSTRAINT nothing_is_due_before_it_is_booked CHECK (due_on >= booked_on)
);
CREATE INDEX item_by_due_date ON item (student, currency, due_on, document);
CREATE INDEX open_item_by_due_date ON item (due_on) WHERE open <> 0;
CREATE INDEX item_is_open ON item (student, currency, due_on) INCLUDE (open) WHERE open <> 0;

-- The ledger's entries that make up an item: each journal's once.
CREATE TABLE item_line (
    journal_id uuid NOT NULL,
    student    text NOT NULL,
    currency   text NOT NULL,
    document   text NOT NULL,
    source     text NOT NULL,
    amount     bigint NOT NULL,
    booked_on  date NOT NULL,
    CONSTRAINT journal_is_itemised_once PRIMARY KEY (journal_id, student, currency),
    CONSTRAINT line_of_an_item FOREIGN KEY (student, currency, document) REFERENCES item
);
CREATE INDEX line_of_item ON item_line (student, currency, document);

GRANT SELECT, INSERT, UPDATE ON account, item TO hobbs_receivables;
GRANT SELECT, INSERT ON item_line TO hobbs_receivables;

CREATE VIEW receivables_public.items AS
SELECT student, currency, document, amount, open, booked_on, due_on FROM receivables.item;
CREATE VIEW receivables_public.item_lines AS
SELECT journal_id, student, currency, document, source, amount, booked_on FROM receivables.item_line;
CREATE VIEW receivables_public.accounts AS SELECT student, currency, balance FROM receivables.account;
GRANT SELECT ON receivables_public.items, receivables_public.item_lines, receivables_public.accounts TO hobbs_reader;
