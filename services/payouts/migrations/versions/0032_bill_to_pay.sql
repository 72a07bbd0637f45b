-- A page where a student pays may be for one bill: the flight, which the payment's metadata name.
ALTER TABLE student_link ADD COLUMN bill text;
ALTER TABLE student_link ADD CONSTRAINT a_bill_is_paid_by_an_amount CHECK (bill IS NULL OR amount IS NOT NULL) NOT VALID;
