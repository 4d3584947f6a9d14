-- Version 2 of the ledger on PostgreSQL: what happened beside the attempts. Rows are only ever added.
CREATE TABLE events (
    at_us                 bigint   NOT NULL,           -- microseconds since 1970-01-01 UTC
    event_id              text     COLLATE "C" NOT NULL,
    kind                  text     COLLATE "C" NOT NULL,   -- suspension, shift, quota
    subject               text     COLLATE "C" NOT NULL,   -- the rule, or what has shifted
    body                  text     NOT NULL,           -- JSON object
    PRIMARY KEY (at_us, event_id)
);
