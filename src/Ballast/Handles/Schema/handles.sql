-- Version 1 of the handles.
CREATE TABLE handles (
    sequence    INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, -- the order in which they were made
    name        TEXT    NOT NULL UNIQUE,   -- what the client knows
    kind        TEXT    NOT NULL,          -- file, batch
    app         TEXT    NOT NULL,          -- whose it is
    provider    TEXT    NOT NULL,          -- where it lies
    deployment  TEXT    NOT NULL,
    upstream_id TEXT    NOT NULL,          -- what the provider calls it
    purpose     TEXT    NOT NULL,
    models      TEXT    NOT NULL,          -- public names that a batch's input asks for, one a line
    is_final    INTEGER NOT NULL,          -- 1: nothing of it changes any more
    expires_us  INTEGER NOT NULL,          -- microseconds since 1970-01-01 UTC; forgotten then unless it is used before
    gone_us     INTEGER,                   -- when the provider throws it away; null: it says nothing
    object      BLOB    NOT NULL           -- as it was last seen, with handles in place of the provider's ids
) STRICT;

CREATE UNIQUE INDEX handles_by_upstream ON handles (app, kind, provider, upstream_id);
CREATE INDEX handles_by_app ON handles (app, kind, sequence);
CREATE INDEX handles_by_expiry ON handles (expires_us);
