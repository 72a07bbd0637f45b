-- Which text of each file in services/<service>/functions/ is in force, and the functions that it defines.
-- Run by fleet.functions before every look at the files, so it must stay true for a table that is there.

CREATE TABLE IF NOT EXISTS function_file (
    name       text   NOT NULL,
    sha256     text   NOT NULL,
    signatures text[] NOT NULL,
    CONSTRAINT function_file_is_applied_once PRIMARY KEY (name)
);
