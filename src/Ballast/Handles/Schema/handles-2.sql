-- Version 2 of the handles: what budgets hold for a batch until its results are read, so that a restart forgets none of it.
ALTER TABLE handles ADD COLUMN held_budgets TEXT;      -- their names, one a line; null: nothing is held
ALTER TABLE handles ADD COLUMN held_usd     TEXT;      -- a decimal number of US dollars
ALTER TABLE handles ADD COLUMN held_tokens  INTEGER;
ALTER TABLE handles ADD COLUMN held_us      INTEGER;   -- since when, microseconds since 1970-01-01 UTC
