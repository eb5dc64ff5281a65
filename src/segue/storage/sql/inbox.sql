-- name: put_inbox_item
INSERT OR IGNORE INTO inbox (
    user_id, channel, send_id, campaign, variant, available_at, expires_at, content, ended_at
)
VALUES (
    :user_id,
    :channel,
    :send_id,
    :campaign,
    :variant,
    :available_at,
    :expires_at,
    :content,
    :ended_at
);

-- name: delete_surplus_inbox_items
DELETE FROM inbox WHERE (user_id, channel, send_id) IN (
    SELECT user_id, channel, send_id FROM inbox
    WHERE user_id = :user_id AND channel = :channel
    ORDER BY available_at DESC, send_id DESC
    LIMIT -1 OFFSET :kept
);

-- name: delete_expired_inbox_items
DELETE FROM inbox WHERE (user_id, channel, send_id) IN (
    SELECT user_id, channel, send_id FROM inbox WHERE expires_at < :instant LIMIT :limit
);

-- name: list_inbox_of_user
SELECT
    user_id, channel, send_id, campaign, variant, available_at, expires_at, content, ended_at
FROM inbox WHERE user_id = :user_id
ORDER BY available_at DESC, send_id DESC;

-- name: end_inbox_item
UPDATE inbox SET ended_at = :at
WHERE user_id = :user_id AND channel = :channel AND send_id = :send_id AND ended_at IS NULL;

-- name: delete_inbox_of_user
DELETE FROM inbox WHERE user_id = :user_id;
