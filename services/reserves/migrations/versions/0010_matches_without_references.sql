-- A match is made of what the same statement takes from open_line and open_journal, which refer to their lines and
-- journals; nobody may delete those. The second check of each row cost two fifths of a comparison (decision 0262), and
-- the invariant lines_are_open_or_matched asks the same of all.
ALTER TABLE line_match DROP CONSTRAINT line_match_transaction_id_fkey;
ALTER TABLE book_match DROP CONSTRAINT book_match_journal_id_fkey;
