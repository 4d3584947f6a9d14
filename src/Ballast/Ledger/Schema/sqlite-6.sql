-- Version 6 of the ledger: what of an attempt was sound, pictures and searches.
ALTER TABLE attempt_rows ADD COLUMN media TEXT;                -- JSON object of counts; null: there was none of it

DROP VIEW attempts;
CREATE VIEW attempts AS
SELECT a.attempt_id,
    COALESCE(a.exchange_id, substr(a.attempt_id, 1, length(a.attempt_id) - 1 - length(a.attempt_number))) AS exchange_id,
    a.attempt_number, a.started_us, l.key_id, l.app, l.team, l.organisation, l.protocol, l.operation, a.stream,
    l.requested_model, l.sent_model, l.served_model, l.deployment, l.vendor, l.platform, l.region,
    a.input_tokens, a.cache_read_tokens, a.cache_write_tokens, a.cache_write_long_tokens, a.output_tokens, a.reasoning_tokens,
    a.is_estimated, a.cost_pico, a.input_cost_pico, a.reserved_pico, a.reserved_currency, a.ttft_us, a.duration_us, a.outcome, a.reason, a.finish,
    a.upstream_status, a.upstream_request_id, a.reached, a.losses, a.media
FROM attempt_rows a JOIN labels l USING (label_id);
