-- Version 1 of the ledger on PostgreSQL. One row per attempt, in one part of the table for each month; rows are only ever added. Words are compared byte by byte.
CREATE TABLE attempts (
    attempt_id            text     COLLATE "C" NOT NULL,
    exchange_id           text     COLLATE "C" NOT NULL,
    attempt_number        integer  NOT NULL,           -- 1 is the first attempt of its exchange
    started_us            bigint   NOT NULL,           -- microseconds since 1970-01-01 UTC
    key_id                text     COLLATE "C" NOT NULL,
    app                   text     COLLATE "C" NOT NULL,
    team                  text     COLLATE "C",
    organisation          text     COLLATE "C",
    protocol              text     COLLATE "C" NOT NULL,
    operation             text     COLLATE "C" NOT NULL,
    stream                bigint   NOT NULL,           -- 0 or 1
    requested_model       text     COLLATE "C" NOT NULL,
    sent_model            text     COLLATE "C" NOT NULL,
    served_model          text     COLLATE "C",
    deployment            text     COLLATE "C" NOT NULL,   -- provider/model
    vendor                text     COLLATE "C" NOT NULL,
    platform              text     COLLATE "C" NOT NULL,
    region                text     COLLATE "C" NOT NULL,
    input_tokens          bigint   NOT NULL,           -- the four input classes are disjoint
    cache_read_tokens     bigint   NOT NULL,
    cache_write_tokens    bigint   NOT NULL,
    cache_write_long_tokens bigint NOT NULL,
    output_tokens         bigint   NOT NULL,           -- reasoning is contained
    reasoning_tokens      bigint,
    is_estimated          bigint   NOT NULL,           -- 1: tokens were counted by Ballast, not reported by the vendor
    cost_pico             bigint,                      -- 1e-12 US dollars; null: the price was not known
    input_cost_pico       bigint,                      -- the input's part of cost_pico
    reserved_pico         bigint,                      -- 1e-12 of reserved_currency; null: nothing was held of a budget
    reserved_currency     text     COLLATE "C",
    ttft_us               bigint,                      -- from sending to the first content
    duration_us           bigint   NOT NULL,
    outcome               text     COLLATE "C" NOT NULL,   -- completed, failed, interrupted, cancelled
    reason                text     COLLATE "C",
    finish                text     COLLATE "C",
    upstream_status       bigint,
    upstream_request_id   text     COLLATE "C",
    reached               bigint   NOT NULL,           -- 1: the platform may have seen and billed it
    losses                text,                        -- JSON array of pointers; null: nothing was lost
    PRIMARY KEY (started_us, attempt_id)
) PARTITION BY RANGE (started_us);
