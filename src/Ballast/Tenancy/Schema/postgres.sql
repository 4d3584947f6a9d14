CREATE TABLE tenancy_records (
    kind text NOT NULL,
    id text NOT NULL,
    revision bigint NOT NULL,
    body text NOT NULL,
    PRIMARY KEY (kind, id)
);

CREATE TABLE tenancy_audit (
    sequence bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at_us bigint NOT NULL,
    actor text NOT NULL,
    action text NOT NULL,
    kind text NOT NULL,
    id text NOT NULL,
    after text
);

CREATE TABLE tenancy_state (name text PRIMARY KEY, value bigint NOT NULL);
INSERT INTO tenancy_state (name, value) VALUES ('version', 0);

-- Gateways that share the limits below, when each was last heard of, and the number of its last word: one that was held up and comes after a later one does not count.
CREATE TABLE lease_gateways (gateway text PRIMARY KEY, seen_at timestamptz NOT NULL, turn bigint NOT NULL);

-- A budget's period. What was spent in it before any lease is null until the ledger has been asked.
CREATE TABLE lease_budgets (sheet text PRIMARY KEY, to_us bigint NOT NULL, spent_before numeric);

-- What each gateway may use of it, has spent of that, and has reserved of the rest.
CREATE TABLE lease_budget_parts (
    sheet text NOT NULL,
    gateway text NOT NULL,
    granted numeric NOT NULL,
    spent numeric NOT NULL,
    reserved numeric NOT NULL,
    PRIMARY KEY (sheet, gateway)
);

-- What each gateway may take of a limit in any 60 seconds, or at once.
CREATE TABLE lease_rate_parts (
    meter text NOT NULL,
    dimension integer NOT NULL,
    gateway text NOT NULL,
    granted bigint NOT NULL,
    used bigint NOT NULL,
    demand double precision NOT NULL,
    PRIMARY KEY (meter, dimension, gateway)
);

-- Alerts that one of the gateways tells.
CREATE TABLE lease_alerts (name text PRIMARY KEY, at timestamptz NOT NULL DEFAULT now());

CREATE FUNCTION ballast_lease_turn(me text, this bigint, lately interval) RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    UPDATE lease_gateways g SET seen_at = now(), turn = this WHERE g.gateway = me AND g.turn < this;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'a later word of this gateway was heard before this one';
    END IF;
    RETURN (SELECT count(*) FROM lease_gateways g WHERE g.seen_at > now() - lately);
END
$$;

-- Each statement in these two sees what was committed before it began: what others hold is read after the lock is had.
CREATE FUNCTION ballast_lease_budgets(me text, sheets text[], ends bigint[], limits numeric[], spents numeric[], reserveds numeric[], wanteds numeric[])
RETURNS TABLE (place integer, is_seeded boolean, granted numeric, others_spent numeric, others_reserved numeric, others_held numeric)
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    before numeric;
    used numeric;
BEGIN
    FOR i IN 1 .. coalesce(array_length(sheets, 1), 0) LOOP
        place := i;
        INSERT INTO lease_budgets (sheet, to_us) VALUES (sheets[i], ends[i]) ON CONFLICT DO NOTHING;
        SELECT b.spent_before INTO before FROM lease_budgets b WHERE b.sheet = sheets[i] FOR UPDATE;
        SELECT coalesce(sum(p.spent), 0), coalesce(sum(p.reserved), 0), coalesce(sum(greatest(p.granted, p.spent + p.reserved)), 0)
            INTO others_spent, others_reserved, others_held
            FROM lease_budget_parts p WHERE p.sheet = sheets[i] AND p.gateway <> me;
        is_seeded := before IS NOT NULL;
        others_spent := others_spent + coalesce(before, 0);
        others_held := others_held + coalesce(before, 0);
        used := spents[i] + reserveds[i];
        granted := CASE WHEN is_seeded THEN greatest(used, least(wanteds[i], limits[i] - others_held)) ELSE used END;
        INSERT INTO lease_budget_parts AS p (sheet, gateway, granted, spent, reserved)
            VALUES (sheets[i], me, ballast_lease_budgets.granted, spents[i], reserveds[i])
            ON CONFLICT (sheet, gateway) DO UPDATE SET granted = excluded.granted, spent = excluded.spent, reserved = excluded.reserved;
        RETURN NEXT;
    END LOOP;
END
$$;

-- Of every gateway that was heard of lately a small part is kept free, whether it has asked for it or not.
CREATE FUNCTION ballast_lease_rates(me text, lately interval, kept double precision, meters text[], dimensions integer[], limits bigint[], useds bigint[], demands double precision[], wanteds bigint[])
RETURNS TABLE (place integer, granted bigint, others_held bigint, others_used bigint, others_demand double precision)
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    known bigint;
BEGIN
    SELECT count(*) INTO known FROM lease_gateways g WHERE g.seen_at > now() - lately;
    FOR i IN 1 .. coalesce(array_length(meters, 1), 0) LOOP
        place := i;
        PERFORM pg_advisory_xact_lock(hashtextextended(meters[i], dimensions[i]));
        SELECT coalesce(sum(greatest(coalesce(p.granted, 0), floor(limits[i] * kept / greatest(known, 1))::bigint)), 0)::bigint,
               coalesce(sum(p.used), 0)::bigint, coalesce(sum(p.demand), 0)
            INTO others_held, others_used, others_demand
            FROM lease_gateways g LEFT JOIN lease_rate_parts p ON p.gateway = g.gateway AND p.meter = meters[i] AND p.dimension = dimensions[i]
            WHERE g.gateway <> me AND g.seen_at > now() - lately;
        granted := greatest(0, least(wanteds[i], limits[i] - others_held), least(wanteds[i], useds[i]));
        INSERT INTO lease_rate_parts AS p (meter, dimension, gateway, granted, used, demand)
            VALUES (meters[i], dimensions[i], me, ballast_lease_rates.granted, useds[i], demands[i])
            ON CONFLICT (meter, dimension, gateway) DO UPDATE SET granted = excluded.granted, used = excluded.used, demand = excluded.demand;
        RETURN NEXT;
    END LOOP;
END
$$;
