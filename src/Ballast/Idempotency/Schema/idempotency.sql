-- Version 1 of the answers that requests with an Idempotency-Key were given.
CREATE TABLE answers (
    name        BLOB    NOT NULL PRIMARY KEY, -- SHA-256 of the API key's name and the Idempotency-Key: neither stands here
    scope       BLOB    NOT NULL,             -- SHA-256 of the API key's name, to count by
    fingerprint BLOB    NOT NULL,             -- SHA-256 of all that must be the same in a repetition
    exchange_id TEXT    NOT NULL,             -- the request that was sent upstream
    begun_us    INTEGER NOT NULL,             -- microseconds since 1970-01-01 UTC
    state       INTEGER NOT NULL,             -- 0: about to be sent upstream, no answer known; 1: answered; 2: answered, and the answer was not kept
    status      INTEGER NOT NULL,
    is_cut      INTEGER NOT NULL,             -- 1: the connection was cut behind the body
    is_whole    INTEGER NOT NULL,             -- 1: the head told the body's length
    headers     TEXT    NOT NULL,             -- "name: value" a line
    body        BLOB    NOT NULL
) STRICT;

CREATE INDEX answers_by_time ON answers (begun_us);
