UPDATE card_version SET old = old - 'name' - 'email', new = new - 'name' - 'email'
WHERE kind IN ('instructor', 'owner', 'student')
  AND (jsonb_exists_any(old, ARRAY['name', 'email']) OR jsonb_exists_any(new, ARRAY['name', 'email']));

ALTER TABLE card_version ADD CONSTRAINT card_names_nobody
    CHECK (kind NOT IN ('instructor', 'owner', 'student')
           OR NOT coalesce(jsonb_exists_any(old, ARRAY['name', 'email']), false)
          AND NOT coalesce(jsonb_exists_any(new, ARRAY['name', 'email']), false));
