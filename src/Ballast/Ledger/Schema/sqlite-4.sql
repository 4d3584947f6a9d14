-- Version 4 of the ledger: what happened beside the attempts. Rows are only ever added.
CREATE TABLE events (
    at_us                 INTEGER NOT NULL,           -- microseconds since 1970-01-01 UTC
    event_id              TEXT    NOT NULL,
    kind                  TEXT    NOT NULL,           -- suspension, shift, quota
    subject               TEXT    NOT NULL,           -- the rule, or what has shifted
    body                  TEXT    NOT NULL,           -- JSON object
    PRIMARY KEY (at_us, event_id)
) STRICT, WITHOUT ROWID;
