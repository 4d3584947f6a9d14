-- Version 4 of the ledger on PostgreSQL: what of an attempt was sound, pictures and searches.
ALTER TABLE attempts ADD COLUMN IF NOT EXISTS media text;                    -- JSON object of counts; null: there was none of it
