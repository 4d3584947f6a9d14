-- Version 5 of the ledger: sums of the attempts by minute, hour and day (UTC), kept in the transaction that adds the attempts: a row that is added twice is counted once. Buckets begin at the
-- multiples of their level's length.
CREATE TABLE rollups (
    level                 INTEGER NOT NULL,           -- 0: minutes, 1: hours, 2: days
    bucket_us             INTEGER NOT NULL,           -- where the bucket begins, microseconds since 1970-01-01 UTC
    label_id              INTEGER NOT NULL,
    stream                INTEGER NOT NULL,
    outcome               TEXT    NOT NULL,
    attempts              INTEGER NOT NULL,
    input_tokens          INTEGER NOT NULL,
    cache_read_tokens     INTEGER NOT NULL,
    cache_write_tokens    INTEGER NOT NULL,
    cache_write_long_tokens INTEGER NOT NULL,
    output_tokens         INTEGER NOT NULL,
    reasoning_tokens      INTEGER NOT NULL,
    cost_micro            INTEGER NOT NULL,           -- whole millionths of a dollar of each row, summed
    cost_rest             INTEGER NOT NULL,           -- and what each has beyond them, in 1e-12 dollars
    unknown_cost          INTEGER NOT NULL,           -- attempts with tokens or an answer, and no price
    estimated             INTEGER NOT NULL,
    timed                 INTEGER NOT NULL,           -- streams that have a time to first token
    duration_us           INTEGER NOT NULL,
    PRIMARY KEY (level, bucket_us, label_id, stream, outcome)
) STRICT, WITHOUT ROWID;

-- Times to first token of streams, by hour and day, in slots: each is at most a thirty-second part longer than the one before.
CREATE TABLE rollup_times (
    level                 INTEGER NOT NULL,
    bucket_us             INTEGER NOT NULL,
    label_id              INTEGER NOT NULL,
    outcome               TEXT    NOT NULL,
    slot                  INTEGER NOT NULL,
    streams               INTEGER NOT NULL,
    PRIMARY KEY (level, bucket_us, label_id, outcome, slot)
) STRICT, WITHOUT ROWID;

-- Attempts of exchanges that may have several: what a request counts for beyond its first attempt is told from these. All others are the only one of their exchange.
CREATE TABLE retried_rows (
    started_us            INTEGER NOT NULL,
    attempt_id            TEXT    NOT NULL,
    exchange_id           TEXT    NOT NULL,
    label_id              INTEGER NOT NULL,
    outcome               TEXT    NOT NULL,
    PRIMARY KEY (started_us, attempt_id)
) STRICT, WITHOUT ROWID;

-- From when on a level is there; what lay before is deleted.
CREATE TABLE rollup_kept (
    level                 INTEGER NOT NULL PRIMARY KEY,
    from_us               INTEGER NOT NULL
) STRICT;

INSERT INTO rollups
SELECT l.level, a.started_us - ((a.started_us % l.length) + l.length) % l.length, a.label_id, a.stream, a.outcome,
    COUNT(*), SUM(a.input_tokens), SUM(a.cache_read_tokens), SUM(a.cache_write_tokens), SUM(a.cache_write_long_tokens), SUM(a.output_tokens),
    COALESCE(SUM(a.reasoning_tokens), 0), COALESCE(SUM(a.cost_pico / 1000000), 0), COALESCE(SUM(a.cost_pico % 1000000), 0),
    SUM(a.cost_pico IS NULL AND (a.outcome <> 'failed'
        OR a.input_tokens + a.cache_read_tokens + a.cache_write_tokens + a.cache_write_long_tokens + a.output_tokens > 0)),
    SUM(a.is_estimated), SUM(a.stream = 1 AND a.ttft_us IS NOT NULL), SUM(a.duration_us)
FROM attempt_rows a, (SELECT 0 AS level, 60000000 AS length UNION ALL SELECT 1, 3600000000 UNION ALL SELECT 2, 86400000000) l
GROUP BY 1, 2, 3, 4, 5;

INSERT INTO rollup_times
SELECT l.level, a.started_us - ((a.started_us % l.length) + l.length) % l.length, a.label_id, a.outcome,
    CASE WHEN a.ttft_us < 32 THEN MAX(a.ttft_us, 0)
        ELSE (SELECT 32 * p.power + (a.ttft_us >> p.power) FROM (
            WITH RECURSIVE powers(power) AS (SELECT 0 UNION ALL SELECT power + 1 FROM powers WHERE power < 57) SELECT power FROM powers) p
            WHERE (a.ttft_us >> p.power) BETWEEN 32 AND 63) END,
    COUNT(*)
FROM attempt_rows a, (SELECT 1 AS level, 3600000000 AS length UNION ALL SELECT 2, 86400000000) l
WHERE a.stream = 1 AND a.ttft_us IS NOT NULL
GROUP BY 1, 2, 3, 4, 5;

INSERT INTO retried_rows
SELECT a.started_us, a.attempt_id,
    COALESCE(a.exchange_id, substr(a.attempt_id, 1, length(a.attempt_id) - 1 - length(a.attempt_number))), a.label_id, a.outcome
FROM attempt_rows a
WHERE a.attempt_number <> 1 OR a.outcome = 'failed' OR COALESCE(a.reason, '') = 'gateway_stopped';

CREATE VIEW usage_rollups AS
SELECT r.level, r.bucket_us, l.key_id, l.app, l.team, l.organisation, l.protocol, l.operation, l.requested_model, l.sent_model, l.served_model,
    l.deployment, l.vendor, l.platform, l.region, r.stream, r.outcome, r.attempts,
    r.input_tokens, r.cache_read_tokens, r.cache_write_tokens, r.cache_write_long_tokens, r.output_tokens, r.reasoning_tokens,
    r.cost_micro, r.cost_rest, r.unknown_cost, r.estimated, r.timed, r.duration_us
FROM rollups r JOIN labels l USING (label_id);

CREATE VIEW usage_times AS
SELECT r.level, r.bucket_us, l.key_id, l.app, l.team, l.organisation, l.protocol, l.operation, l.requested_model, l.sent_model, l.served_model,
    l.deployment, l.vendor, l.platform, l.region, r.outcome, r.slot, r.streams
FROM rollup_times r JOIN labels l USING (label_id);

CREATE VIEW retried AS
SELECT r.started_us, r.attempt_id, r.exchange_id, l.key_id, l.app, l.team, l.organisation, l.protocol, l.operation, l.requested_model, l.sent_model, l.served_model,
    l.deployment, l.vendor, l.platform, l.region, r.outcome
FROM retried_rows r JOIN labels l USING (label_id);
