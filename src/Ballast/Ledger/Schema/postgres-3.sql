-- Version 3 of the ledger on PostgreSQL: sums of the attempts by minute, hour and day (UTC), kept by the statement that adds the attempts: a row that is added twice is counted once. Buckets begin at the
-- multiples of their level's length.
CREATE TABLE rollup_labels (
    label                 uuid     NOT NULL PRIMARY KEY,   -- MD5 of the words
    key_id                text     COLLATE "C" NOT NULL,
    app                   text     COLLATE "C" NOT NULL,
    team                  text     COLLATE "C",
    organisation          text     COLLATE "C",
    protocol              text     COLLATE "C" NOT NULL,
    operation             text     COLLATE "C" NOT NULL,
    requested_model       text     COLLATE "C" NOT NULL,
    sent_model            text     COLLATE "C" NOT NULL,
    served_model          text     COLLATE "C",
    deployment            text     COLLATE "C" NOT NULL,
    vendor                text     COLLATE "C" NOT NULL,
    platform              text     COLLATE "C" NOT NULL,
    region                text     COLLATE "C" NOT NULL
);

CREATE TABLE rollups (
    level                 bigint   NOT NULL,           -- 0: minutes, 1: hours, 2: days
    bucket_us             bigint   NOT NULL,           -- where the bucket begins, microseconds since 1970-01-01 UTC
    label                 uuid     NOT NULL,
    stream                bigint   NOT NULL,
    outcome               text     COLLATE "C" NOT NULL,
    attempts              bigint   NOT NULL,
    input_tokens          bigint   NOT NULL,
    cache_read_tokens     bigint   NOT NULL,
    cache_write_tokens    bigint   NOT NULL,
    cache_write_long_tokens bigint NOT NULL,
    output_tokens         bigint   NOT NULL,
    reasoning_tokens      bigint   NOT NULL,
    cost_micro            bigint   NOT NULL,           -- whole millionths of a dollar of each row, summed
    cost_rest             bigint   NOT NULL,           -- and what each has beyond them, in 1e-12 dollars
    unknown_cost          bigint   NOT NULL,           -- attempts with tokens or an answer, and no price
    estimated             bigint   NOT NULL,
    timed                 bigint   NOT NULL,           -- streams that have a time to first token
    duration_us           bigint   NOT NULL,
    PRIMARY KEY (level, bucket_us, label, stream, outcome)
);

-- Times to first token of streams, by hour and day, in slots: each is at most a thirty-second part longer than the one before.
CREATE TABLE rollup_times (
    level                 bigint   NOT NULL,
    bucket_us             bigint   NOT NULL,
    label                 uuid     NOT NULL,
    outcome               text     COLLATE "C" NOT NULL,
    slot                  bigint   NOT NULL,
    streams               bigint   NOT NULL,
    PRIMARY KEY (level, bucket_us, label, outcome, slot)
);

-- Attempts of exchanges that may have several: what a request counts for beyond its first attempt is told from these. All others are the only one of their exchange.
CREATE TABLE retried_rows (
    started_us            bigint   NOT NULL,
    attempt_id            text     COLLATE "C" NOT NULL,
    exchange_id           text     COLLATE "C" NOT NULL,
    label                 uuid     NOT NULL,
    outcome               text     COLLATE "C" NOT NULL,
    PRIMARY KEY (started_us, attempt_id)
);

-- From when on a level is there; what lay before is deleted.
CREATE TABLE rollup_kept (
    level                 bigint   NOT NULL PRIMARY KEY,
    from_us               bigint   NOT NULL
);

-- Under which number the words of an attempt stand, and in which slot its time to first token lies.
CREATE FUNCTION ballast_label(a attempts) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
    SELECT md5(ROW(a.key_id, a.app, a.team, a.organisation, a.protocol, a.operation, a.requested_model, a.sent_model, a.served_model,
        a.deployment, a.vendor, a.platform, a.region)::text)::uuid
$$;

CREATE FUNCTION ballast_slot(ttft_us bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN ttft_us < 32 THEN GREATEST(ttft_us, 0)
        ELSE (SELECT (32 * power + (ttft_us >> power)) FROM generate_series(0, 57) power WHERE (ttft_us >> power) BETWEEN 32 AND 63) END
$$;

INSERT INTO rollup_labels
SELECT DISTINCT ON (ballast_label(a)) ballast_label(a), a.key_id, a.app, a.team, a.organisation, a.protocol, a.operation, a.requested_model, a.sent_model, a.served_model,
    a.deployment, a.vendor, a.platform, a.region
FROM attempts a;

INSERT INTO rollups
SELECT l.level, a.started_us - ((a.started_us % l.length) + l.length) % l.length, ballast_label(a), a.stream, a.outcome,
    COUNT(*), SUM(a.input_tokens), SUM(a.cache_read_tokens), SUM(a.cache_write_tokens), SUM(a.cache_write_long_tokens), SUM(a.output_tokens),
    COALESCE(SUM(a.reasoning_tokens), 0), COALESCE(SUM(a.cost_pico / 1000000), 0), COALESCE(SUM(a.cost_pico % 1000000), 0),
    COUNT(*) FILTER (WHERE a.cost_pico IS NULL AND (a.outcome <> 'failed'
        OR a.input_tokens + a.cache_read_tokens + a.cache_write_tokens + a.cache_write_long_tokens + a.output_tokens > 0)),
    SUM(a.is_estimated), COUNT(*) FILTER (WHERE a.stream = 1 AND a.ttft_us IS NOT NULL), SUM(a.duration_us)
FROM attempts a, (VALUES (0, 60000000::bigint), (1, 3600000000), (2, 86400000000)) l (level, length)
GROUP BY 1, 2, 3, 4, 5;

INSERT INTO rollup_times
SELECT l.level, a.started_us - ((a.started_us % l.length) + l.length) % l.length, ballast_label(a), a.outcome, ballast_slot(a.ttft_us), COUNT(*)
FROM attempts a, (VALUES (1, 3600000000::bigint), (2, 86400000000)) l (level, length)
WHERE a.stream = 1 AND a.ttft_us IS NOT NULL
GROUP BY 1, 2, 3, 4, 5;

INSERT INTO retried_rows
SELECT a.started_us, a.attempt_id, a.exchange_id, ballast_label(a), a.outcome
FROM attempts a
WHERE a.attempt_number <> 1 OR a.outcome = 'failed' OR COALESCE(a.reason, '') = 'gateway_stopped';

CREATE VIEW usage_rollups AS
SELECT r.level, r.bucket_us, l.key_id, l.app, l.team, l.organisation, l.protocol, l.operation, l.requested_model, l.sent_model, l.served_model,
    l.deployment, l.vendor, l.platform, l.region, r.stream, r.outcome, r.attempts,
    r.input_tokens, r.cache_read_tokens, r.cache_write_tokens, r.cache_write_long_tokens, r.output_tokens, r.reasoning_tokens,
    r.cost_micro, r.cost_rest, r.unknown_cost, r.estimated, r.timed, r.duration_us
FROM rollups r JOIN rollup_labels l USING (label);

CREATE VIEW usage_times AS
SELECT r.level, r.bucket_us, l.key_id, l.app, l.team, l.organisation, l.protocol, l.operation, l.requested_model, l.sent_model, l.served_model,
    l.deployment, l.vendor, l.platform, l.region, r.outcome, r.slot, r.streams
FROM rollup_times r JOIN rollup_labels l USING (label);

CREATE VIEW retried AS
SELECT r.started_us, r.attempt_id, r.exchange_id, l.key_id, l.app, l.team, l.organisation, l.protocol, l.operation, l.requested_model, l.sent_model, l.served_model,
    l.deployment, l.vendor, l.platform, l.region, r.outcome
FROM retried_rows r JOIN rollup_labels l USING (label);
