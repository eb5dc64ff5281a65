-- name: find_position
SELECT seq, next_ordinal, now FROM position;

-- name: save_position
INSERT OR REPLACE INTO position (id, seq, next_ordinal, now)
VALUES (1, :seq, :next_ordinal, :now);

-- name: put_states
-- Passes over a row whose key another user has.
INSERT INTO user_states (key, user_id, state) VALUES (?, ?, ?)
ON CONFLICT (key) DO UPDATE SET state = excluded.state WHERE user_id = excluded.user_id;

-- name: find_state_by_key
SELECT user_id, state FROM user_states WHERE key = :key;

-- name: delete_state_by_key
DELETE FROM user_states WHERE key = :key;

-- name: list_states_by_key
SELECT key, user_id, state FROM user_states WHERE key IN (VALUES (?));

-- name: list_users_after
SELECT user_id, state FROM user_states WHERE user_id > :after ORDER BY user_id LIMIT :limit;

-- name: list_user_ids_after
SELECT user_id FROM user_states WHERE user_id > :after ORDER BY user_id LIMIT :limit;

-- name: scan_states_from
-- In the order of keys, which is how the rows lie. They come as one row, the values joined and
-- their lengths beside: each row is a step, at which Python lets other threads run, and beside a
-- busy one waits 5 ms to go on. A million users took an hour row by row, and ten seconds like this.
SELECT
    max(key),
    CAST(group_concat(user_id, '') AS BLOB),
    group_concat(length(CAST(user_id AS BLOB))),
    CAST(group_concat(state, '') AS BLOB),
    group_concat(length(state))
FROM (SELECT key, user_id, state FROM user_states WHERE key >= :first ORDER BY key LIMIT :limit);

-- name: count_users
SELECT count(*) FROM user_states;

-- name: put_timers
INSERT OR IGNORE INTO timers (due_at, user_id, campaign) VALUES (?, ?, ?);

-- name: delete_timers
INSERT INTO gone_timers (due_at, user_id, campaign) VALUES (?, ?, ?);

-- name: delete_timers_of_users
-- Reads all timers, as `list_timers_of_campaign` does: an index by user or by campaign would
-- make every timer that is set or gone cost more, for the sake of two rare questions.
DELETE FROM timers WHERE user_id IN (VALUES (?));

-- name: list_timers_between
SELECT due_at, user_id, campaign FROM timers
WHERE due_at > :after AND due_at <= :through
ORDER BY due_at, user_id, campaign LIMIT :limit;

-- name: list_timers_of_campaign
SELECT due_at, user_id, campaign FROM timers
WHERE campaign = :campaign AND (due_at, user_id) > (:due_at, :user_id)
ORDER BY due_at, user_id, campaign LIMIT :limit;

-- name: count_timers
SELECT count(*) FROM timers;

-- name: put_outbox
INSERT OR REPLACE INTO outbox (key, decided_at, user_id, item) VALUES (?, ?, ?, ?);

-- name: delete_outbox
DELETE FROM outbox WHERE key IN (VALUES (?));

-- name: delete_outbox_of_users
DELETE FROM outbox WHERE user_id IN (VALUES (?));

-- name: list_outbox
SELECT item FROM outbox ORDER BY decided_at, key;

-- name: put_letters
INSERT OR REPLACE INTO dead_letters (key, settled_at, user_id, letter) VALUES (?, ?, ?, ?);

-- name: delete_letters
DELETE FROM dead_letters WHERE key IN (VALUES (?));

-- name: delete_letters_of_users
DELETE FROM dead_letters WHERE user_id IN (VALUES (?));

-- name: list_letters
SELECT letter FROM dead_letters ORDER BY settled_at, key;

-- name: add_counts
INSERT INTO counters (campaign, hour, variant, metric, detail, channel, amount)
VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET amount = amount + excluded.amount;

-- name: list_counters
SELECT campaign, hour, variant, metric, detail, channel, amount FROM counters
WHERE campaign = :campaign AND hour >= :from_hour AND hour < :to_hour
ORDER BY hour, variant, metric, detail, channel;

-- name: sum_counters
-- CROSS JOIN keeps the spans first, so that each finds its hours by the primary key.
SELECT
    span.first_hour,
    CASE WHEN :by_metric THEN '' ELSE counters.variant END,
    counters.metric,
    CASE WHEN :by_metric THEN '' ELSE counters.detail END,
    CASE WHEN :by_metric THEN '' ELSE counters.channel END,
    sum(counters.amount)
FROM (
    SELECT value AS first_hour, lead(value) OVER (ORDER BY value) AS end_hour
    FROM json_each(:bounds)
) AS span
CROSS JOIN counters ON counters.campaign = :campaign
    AND counters.hour >= span.first_hour AND counters.hour < span.end_hour
WHERE :variant IS NULL OR counters.variant = :variant
GROUP BY 1, 2, 3, 4, 5
ORDER BY 1, 2, 3, 4, 5;

-- name: put_walks
INSERT OR REPLACE INTO walks (campaign, walk) VALUES (?, ?);

-- name: list_walks
SELECT walk FROM walks ORDER BY campaign;

-- name: put_token_owners
INSERT OR REPLACE INTO token_owners (key, user_id) VALUES (?, ?);

-- name: delete_token_owners
DELETE FROM token_owners WHERE key IN (VALUES (?));

-- name: delete_token_owners_of_users
-- Reads all of them, as erasing does with timers.
DELETE FROM token_owners WHERE user_id IN (VALUES (?));

-- name: find_token_owner
SELECT user_id FROM token_owners WHERE key = :key;

-- name: put_plan_changes
INSERT INTO plan_changes (change) VALUES (?);

-- name: list_plan_changes
SELECT change FROM plan_changes ORDER BY number;

-- name: append_verdict_block
INSERT INTO verdict_blocks (byte_end, bytes)
SELECT
    coalesce((SELECT byte_end FROM verdict_blocks ORDER BY number DESC LIMIT 1), 0)
    + length(:bytes),
    :bytes;

-- name: find_first_verdict_block
-- The first of the newest :limit blocks.
SELECT coalesce(min(number), 0) FROM (
    SELECT number FROM verdict_blocks ORDER BY number DESC LIMIT :limit
);

-- name: find_next_verdict_block
SELECT number, bytes FROM verdict_blocks WHERE number > :number ORDER BY number LIMIT 1;

-- name: find_verdict_block_before
SELECT number, bytes FROM verdict_blocks WHERE number < :number ORDER BY number DESC LIMIT 1;

-- name: find_last_surplus_verdict_block
-- The first block behind which no more than :bytes_max follow, if there are more in all.
SELECT number FROM verdict_blocks
WHERE
    byte_end >= (SELECT byte_end FROM verdict_blocks ORDER BY number DESC LIMIT 1) - :bytes_max
    AND (SELECT byte_end FROM verdict_blocks ORDER BY number DESC LIMIT 1) - :bytes_max
    > (SELECT byte_end - length(bytes) FROM verdict_blocks ORDER BY number LIMIT 1)
ORDER BY number LIMIT 1;

-- name: count_verdict_bytes_lost
SELECT byte_end - length(bytes) FROM verdict_blocks ORDER BY number LIMIT 1;

-- name: delete_verdict_blocks_through
DELETE FROM verdict_blocks
WHERE number <= :number AND number < (SELECT max(number) FROM verdict_blocks);
