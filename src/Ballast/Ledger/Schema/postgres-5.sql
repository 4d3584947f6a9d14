-- Version 5 of the ledger on PostgreSQL: sums of sound, pictures and searches, beside the other sums: few attempts have any.
CREATE TABLE rollup_media (
    level                 bigint   NOT NULL,           -- 0: minutes, 1: hours, 2: days
    bucket_us             bigint   NOT NULL,
    label                 uuid     NOT NULL,
    outcome               text     COLLATE "C" NOT NULL,
    kind                  text     COLLATE "C" NOT NULL,   -- as in the JSON of a row's media
    amount                bigint   NOT NULL,
    PRIMARY KEY (level, bucket_us, label, outcome, kind)
);

INSERT INTO rollup_media
SELECT l.level, a.started_us - ((a.started_us % l.length) + l.length) % l.length, ballast_label(a), a.outcome, m.key, SUM(m.value::bigint)
FROM attempts a CROSS JOIN LATERAL json_each_text(a.media::json) m (key, value), (VALUES (0, 60000000::bigint), (1, 3600000000), (2, 86400000000)) l (level, length)
WHERE a.media IS NOT NULL
GROUP BY 1, 2, 3, 4, 5;

CREATE VIEW usage_media AS
SELECT r.level, r.bucket_us, l.key_id, l.app, l.team, l.organisation, l.protocol, l.operation, l.requested_model, l.sent_model, l.served_model,
    l.deployment, l.vendor, l.platform, l.region, r.outcome, r.kind, r.amount
FROM rollup_media r JOIN rollup_labels l USING (label);
