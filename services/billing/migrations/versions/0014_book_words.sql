-- Changes of the book that one person asked for (desk/book.py), where a second person has to agree.
-- id: the decision that asked. digest: of the cards as they are and as they would be.
CREATE TABLE book_word (
    id        uuid PRIMARY KEY,
    digest    bytea NOT NULL CONSTRAINT book_word_names_a_change CHECK (octet_length(digest) = 32),
    asked_by  text NOT NULL,
    asked_at  timestamptz NOT NULL,
    why       text NOT NULL CONSTRAINT book_word_has_a_reason CHECK (why <> ''),
    agreed_by text,
    agreed_at timestamptz,
    CONSTRAINT agreed_book_word_says_when CHECK ((agreed_by IS NULL) = (agreed_at IS NULL)),
    CONSTRAINT the_book_is_changed_by_another_too CHECK (
        agreed_by IS NULL OR lower(normalize(trim(agreed_by), NFKC)) <> lower(normalize(trim(asked_by), NFKC)))
);
CREATE INDEX book_word_of_a_change ON book_word (digest, asked_at);
GRANT SELECT, INSERT, UPDATE (agreed_by, agreed_at) ON book_word TO hobbs_billing;

CREATE VIEW billing_public.book_words AS
SELECT id, asked_by, asked_at, why, agreed_by, agreed_at FROM book_word;
GRANT SELECT ON billing_public.book_words TO hobbs_reader;
