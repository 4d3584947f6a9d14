-- Version 7 of the ledger: sums of sound, pictures and searches, beside the other sums: few attempts have any.
CREATE TABLE rollup_media (
    level                 INTEGER NOT NULL,           -- 0: minutes, 1: hours, 2: days
    bucket_us             INTEGER NOT NULL,
    label_id              INTEGER NOT NULL,
    outcome               TEXT    NOT NULL,
    kind                  TEXT    NOT NULL,           -- as in the JSON of a row's media
    amount                INTEGER NOT NULL,
    PRIMARY KEY (level, bucket_us, label_id, outcome, kind)
) STRICT, WITHOUT ROWID;

INSERT INTO rollup_media
SELECT l.level, a.started_us - ((a.started_us % l.length) + l.length) % l.length, a.label_id, a.outcome, m.key, SUM(m.value)
FROM attempt_rows a, json_each(a.media) m, (SELECT 0 AS level, 60000000 AS length UNION ALL SELECT 1, 3600000000 UNION ALL SELECT 2, 86400000000) l
WHERE a.media IS NOT NULL
GROUP BY 1, 2, 3, 4, 5;

CREATE VIEW usage_media AS
SELECT r.level, r.bucket_us, l.key_id, l.app, l.team, l.organisation, l.protocol, l.operation, l.requested_model, l.sent_model, l.served_model,
    l.deployment, l.vendor, l.platform, l.region, r.outcome, r.kind, r.amount
FROM rollup_media r JOIN labels l USING (label_id);
