-- Version 2 of the ledger. Words that many attempts share stand once, in labels; an attempt points there. Rows lie in the order of their time, so that no index beside
-- the table is kept up with every row. The view attempts shows what the table of version 1 held.
ALTER TABLE attempts RENAME TO attempts_1;

CREATE TABLE labels (
    label_id              INTEGER NOT NULL PRIMARY KEY,
    key_id                TEXT    NOT NULL,
    app                   TEXT    NOT NULL,
    protocol              TEXT    NOT NULL,
    operation             TEXT    NOT NULL,
    requested_model       TEXT    NOT NULL,
    sent_model            TEXT    NOT NULL,
    served_model          TEXT,
    deployment            TEXT    NOT NULL,           -- provider/model
    vendor                TEXT    NOT NULL,
    platform              TEXT    NOT NULL,
    region                TEXT    NOT NULL
) STRICT;

CREATE TABLE attempt_rows (
    started_us            INTEGER NOT NULL,           -- microseconds since 1970-01-01 UTC
    attempt_id            TEXT    NOT NULL,
    exchange_id           TEXT,                       -- null: the attempt's id up to the hyphen before its number
    attempt_number        INTEGER NOT NULL,           -- 1 is the first attempt of its exchange
    label_id              INTEGER NOT NULL,
    stream                INTEGER NOT NULL,           -- 0 or 1
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
    losses                TEXT,                       -- JSON array of pointers; null: nothing was lost
    PRIMARY KEY (started_us, attempt_id)
) STRICT, WITHOUT ROWID;

INSERT INTO labels (
    key_id, app, protocol, operation, requested_model, sent_model, served_model, deployment, vendor, platform, region)
SELECT DISTINCT
    key_id, app, protocol, operation, requested_model, sent_model, served_model, deployment, vendor, platform, region
FROM attempts_1;

-- Ordered, so that the rows are put one behind the other.
INSERT INTO attempt_rows
SELECT a.started_us, a.attempt_id, a.exchange_id, a.attempt_number, l.label_id, a.stream,
    a.input_tokens, a.cache_read_tokens, a.cache_write_tokens, a.cache_write_long_tokens, a.output_tokens, a.reasoning_tokens,
    a.is_estimated, a.cost_pico, a.input_cost_pico, a.ttft_us, a.duration_us, a.outcome, a.reason, a.finish,
    a.upstream_status, a.upstream_request_id, a.reached, a.losses
FROM attempts_1 a JOIN labels l ON l.key_id = a.key_id AND l.app = a.app AND l.protocol = a.protocol AND l.operation = a.operation
    AND l.requested_model = a.requested_model AND l.sent_model = a.sent_model AND l.served_model IS a.served_model
    AND l.deployment = a.deployment AND l.vendor = a.vendor AND l.platform = a.platform AND l.region = a.region
ORDER BY a.started_us, a.attempt_id;

DROP TABLE attempts_1;

CREATE VIEW attempts AS
SELECT a.attempt_id,
    COALESCE(a.exchange_id, substr(a.attempt_id, 1, length(a.attempt_id) - 1 - length(a.attempt_number))) AS exchange_id,
    a.attempt_number, a.started_us, l.key_id, l.app, l.protocol, l.operation, a.stream,
    l.requested_model, l.sent_model, l.served_model, l.deployment, l.vendor, l.platform, l.region,
    a.input_tokens, a.cache_read_tokens, a.cache_write_tokens, a.cache_write_long_tokens, a.output_tokens, a.reasoning_tokens,
    a.is_estimated, a.cost_pico, a.input_cost_pico, a.ttft_us, a.duration_us, a.outcome, a.reason, a.finish,
    a.upstream_status, a.upstream_request_id, a.reached, a.losses
FROM attempt_rows a JOIN labels l USING (label_id);
