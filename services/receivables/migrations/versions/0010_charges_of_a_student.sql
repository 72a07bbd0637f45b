-- What is on its way to a student's wallet is looked for among the student's payments: store/auto_charges.py.
CREATE INDEX charge_of_student ON charge (student) WHERE student IS NOT NULL;
