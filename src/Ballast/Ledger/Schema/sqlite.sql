-- Version 1 of the ledger. One row per attempt; rows are only ever added.
CREATE TABLE attempts (
    attempt_id            TEXT    NOT NULL PRIMARY KEY,
    exchange_id           TEXT    NOT NULL,
    attempt_number        INTEGER NOT NULL,           -- 1 is the first attempt of its exchange
    started_us            INTEGER NOT NULL,           -- microseconds since 1970-01-01 UTC
    key_id                TEXT    NOT NULL,
    app                   TEXT    NOT NULL,
    protocol              TEXT    NOT NULL,
    operation             TEXT    NOT NULL,
    stream                INTEGER NOT NULL,           -- 0 or 1
    requested_model       TEXT    NOT NULL,
    sent_model            TEXT    NOT NULL,
    served_model          TEXT,
    deployment            TEXT    NOT NULL,           -- provider/model
    vendor                TEXT    NOT NULL,
    platform              TEXT    NOT NULL,
    region                TEXT    NOT NULL,
    input_tokens          INTEGER NOT NULL,           -- the four input classes are disjoint
    cache_read_tokens     INTEGER NOT NULL,
    cache_write_tokens    INTEGER NOT NULL,
    cache_write_long_tokens INTEGER NOT NULL,
    output_tokens         INTEGER NOT NULL,           -- reasoning is contained
    reasoning_tokens      INTEGER,
    is_estimated          INTEGER NOT NULL,           -- 1: tokens were counted by Ballast, not reported by the vendor
    cost_pico             INTEGER,                    -- 1e-12 US dollars; null: the price was not known
    input_cost_pico       INTEGER,                    -- the input's part of cost_pico
    ttft_us               INTEGER,                    -- from sending to the first content
    duration_us           INTEGER NOT NULL,
    outcome               TEXT    NOT NULL,           -- completed, failed, interrupted, cancelled
    reason                TEXT,
    finish                TEXT,
    upstream_status       INTEGER,
    upstream_request_id   TEXT,
    reached               INTEGER NOT NULL,           -- 1: the platform may have seen and billed it
    losses                TEXT                        -- JSON array of pointers; null: nothing was lost
) STRICT;

CREATE INDEX attempts_by_time ON attempts (started_us);
CREATE INDEX attempts_by_key ON attempts (key_id, started_us);
