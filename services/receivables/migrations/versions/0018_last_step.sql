-- The day of the school's calendar on which the last step of the open run was done. A look at a large school reads it
-- here: beside the history it was the whole history of the day that was read, for each part of the school.
ALTER TABLE dunning_case ADD COLUMN stepped_on date;
UPDATE dunning_case SET stepped_on = last.day
FROM (SELECT student, run, max(local_at)::date AS day FROM dunning_history WHERE what = 'step'
      GROUP BY student, run) AS last
WHERE (last.student, last.run) = (dunning_case.student, dunning_case.run) AND dunning_case.overdue_since IS NOT NULL;
